"""The skill index on PostgreSQL, which looks up the few workers who may match."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres


def test_the_skill_index_finds_on_postgresql_what_it_finds_on_sqlite(postgres_url: str) -> None:
    here = Path(__file__).parent
    run_pytest(
        postgres_url, str(here / "test_directory.py"), str(here / "test_advanced_workers.py")
    )
