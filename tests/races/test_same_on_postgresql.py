"""Tests that run again on PostgreSQL, whose queries and plans differ.

One pytest runs them all, as its start takes longer than most of the files.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres

PAGES: Final = ("access", "tasks", "changes", "ways_out")
"""The walk over all pages and panels of the cockpit, and the files whose queries differ most."""
WEBHOOKS: Final = ("events", "deliveries", "offers", "questions", "query_plans")
FIGURES: Final = ("figures", "slot_figures", "books")
FILES: Final = (
    *(f"tests/supervisors/test_{name}.py" for name in PAGES),
    *(f"tests/webhooks/test_{name}.py" for name in WEBHOOKS),
    *(f"tests/statistics/test_{name}.py" for name in FIGURES),
    "tests/events/test_courier.py",
    "tests/snapshots/test_directory.py",
    "tests/snapshots/test_advanced_workers.py",
    "tests/actions/test_deadlines.py",
    "tests/properties/test_dry_run_agrees.py",
)


def test_the_same_is_true_on_postgresql(postgres_url: str) -> None:
    run_pytest(postgres_url, *FILES, GENERATED_EVENTS="600")
