"""The laws of handing tasks on hold on PostgreSQL as they do on SQLite."""

from __future__ import annotations

import pytest

from tests.races.test_router_machine import run_machine

pytestmark = pytest.mark.postgres


def test_the_laws_hold_on_postgresql_with_transfers(postgres_url: str) -> None:
    run_machine(postgres_url, "test_the_laws_of_routing_hold_with_transfers")
