"""A dry run agrees with the creation on PostgreSQL as it does on SQLite."""

from __future__ import annotations

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres


def test_200_dry_runs_agree_with_the_creation_on_postgresql(postgres_url: str) -> None:
    run_pytest(postgres_url, "tests/properties/test_dry_run_agrees.py")
