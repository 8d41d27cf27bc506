"""The laws of routing hold on PostgreSQL as they do on SQLite.

The two machines run in two processes where there are several: each takes as long as a whole folder.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.races.databases import run_pytest

pytestmark = pytest.mark.postgres
MACHINES: Final = "tests/properties/test_router_machine.py"


def run_machine(postgres_url: str, name: str) -> None:
    """Run a state machine, with fewer examples where `CI` is not set."""
    examples = os.environ.get("ROUTER_EXAMPLES") or ("15" if os.environ.get("CI") else "5")
    run_pytest(postgres_url, f"{MACHINES}::{name}", ROUTER_EXAMPLES=examples)


@pytest.mark.xdist_group("router machine")
def test_whatever_happens_on_a_floor_the_laws_hold_on_postgresql_too(postgres_url: str) -> None:
    run_machine(postgres_url, "test_whatever_happens_on_a_floor_the_laws_of_routing_hold")


@pytest.mark.xdist_group("transfer machine")
def test_where_tasks_are_handed_on_the_laws_hold_on_postgresql_too(postgres_url: str) -> None:
    run_machine(postgres_url, "test_the_laws_hold_where_tasks_are_handed_on")
