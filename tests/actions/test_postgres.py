"""Deadlines on PostgreSQL, which gets many rows as arrays and several statements at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres


def test_many_deadlines_do_on_postgresql_what_they_do_on_sqlite(postgres_url: str) -> None:
    run_pytest(postgres_url, str(Path(__file__).parent / "test_deadlines.py"))
