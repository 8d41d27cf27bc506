"""The laws of routing hold on PostgreSQL as they do on SQLite.

The other machine has a file of its own, so that two processes share the two.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.races.runner import run_pytest

pytestmark = pytest.mark.postgres
MACHINES: Final = "tests/properties/test_router_machine.py"


def run_machine(postgres_url: str, name: str) -> None:
    """Run a state machine, with fewer examples where `CI` is not set."""
    examples = os.environ.get("ROUTER_EXAMPLES") or ("15" if os.environ.get("CI") else "5")
    run_pytest(postgres_url, f"{MACHINES}::{name}", ROUTER_EXAMPLES=examples)


def test_the_laws_hold_on_postgresql_after_any_actions(postgres_url: str) -> None:
    run_machine(postgres_url, "test_the_laws_of_routing_hold_after_any_actions")
