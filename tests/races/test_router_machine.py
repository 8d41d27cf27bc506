"""The laws of routing hold on PostgreSQL as they do on SQLite."""

from __future__ import annotations

import os

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres


def test_the_laws_hold_on_postgresql_after_any_actions(postgres_url: str) -> None:
    """All state machines, with fewer examples than on SQLite."""
    examples = os.environ.get("ROUTER_EXAMPLES") or "4"
    run_pytest(postgres_url, "tests/properties/test_router_machine.py", ROUTER_EXAMPLES=examples)
