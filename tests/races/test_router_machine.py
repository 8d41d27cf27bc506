"""The laws of routing hold on PostgreSQL as they do on SQLite."""

from __future__ import annotations

import os

import pytest

from tests.races.databases import run_pytest

pytestmark = pytest.mark.postgres


def test_whatever_happens_on_a_floor_the_laws_hold_on_postgresql_too(postgres_url: str) -> None:
    """The state machine runs with fewer examples where `CI` is not set."""
    examples = os.environ.get("ROUTER_EXAMPLES") or ("15" if os.environ.get("CI") else "5")
    run_pytest(postgres_url, "tests/properties/test_router_machine.py", ROUTER_EXAMPLES=examples)
