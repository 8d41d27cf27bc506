"""The same pages and panels on PostgreSQL, where queries and plans differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres

FILES = ("test_access.py", "test_tasks.py", "test_changes.py", "test_ways_out.py")
"""The walk over all pages and panels, and the files whose queries differ most."""


def test_the_cockpit_on_postgresql(postgres_url: str) -> None:
    run_pytest(postgres_url, *(str(Path(__file__).parent / name) for name in FILES))
