"""Races on a real PostgreSQL with real threads: no slot twice, no task with two owners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.postgres


def play(postgres_url: str, scenario: str, seed: int) -> dict[str, Any]:
    """Play a race in a database of its own, and return the report."""
    name = f"race_{uuid.uuid4().hex}"
    _psql(postgres_url, f'CREATE DATABASE "{name}"')
    environment = dict(
        os.environ, RACES_DATABASE_URL=postgres_url.replace("/postgres?", f"/{name}?")
    )
    played = subprocess.run(
        [sys.executable, "-m", "tests.races.play", scenario, str(seed)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert played.returncode == 0, played.stderr
    report: dict[str, Any] = json.loads(played.stdout.splitlines()[-1])
    return report


def _psql(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_of_eight_who_grab_the_same_tasks_each_task_has_one_owner(postgres_url: str) -> None:
    report = play(postgres_url, "grabbers", seed=1)
    assert report["crashes"] == []
    assert report["problems"] == []
    assert report["over_capacity"] == 0
    # Eight times three slots are more than twenty tasks: every task is taken, once.
    assert report["outcomes"].pop("grab: done") == 20
    assert report["owned"] == report["reservations"] == 20
    assert set(report["outcomes"]) <= {"grab: task_not_pending", "grab: no_capacity"}
    assert sum(report["outcomes"].values()) == 8 * 20 - 20


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_people_and_routers_do_at_once_the_tables_agree(
    postgres_url: str, seed: int
) -> None:
    report = play(postgres_url, "mixed", seed=seed)
    assert report["crashes"] == []
    assert report["problems"] == []
    assert report["over_capacity"] == 0
    assert report["outcomes"]["accept_reservation: done"] > 0
    assert report["outcomes"]["grab: task_not_pending"] > 0
