"""The same on PostgreSQL, where transactions run beside each other and a pool lends connections."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres
FILES = (
    "test_events.py",
    "test_deliveries.py",
    "test_offers.py",
    "test_questions.py",
    "test_query_plans.py",
)


def test_callbacks_do_on_postgresql_what_they_do_on_sqlite(postgres_url: str) -> None:
    run_pytest(postgres_url, *(str(Path(__file__).parent / name) for name in FILES))
