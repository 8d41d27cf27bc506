"""The laws of routing hold on PostgreSQL as they do on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.postgres


def test_whatever_happens_on_a_floor_the_laws_hold_on_postgresql_too(postgres_url: str) -> None:
    """The state machine in a pytest of its own, whose settings name the other database.

    It looks for as long as on SQLite only where `CI` is set: there it costs nobody's patience.
    """
    examples = os.environ.get("ROUTER_EXAMPLES") or ("15" if os.environ.get("CI") else "5")
    played = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--ds=tests.races.settings", "--create-db"),
            *("-p", "no:cacheprovider", "tests/properties/test_router_machine.py"),
        ],
        cwd=ROOT,
        env=dict(os.environ, RACES_DATABASE_URL=postgres_url, ROUTER_EXAMPLES=examples),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert played.returncode == 0, played.stdout
