"""Races on a real PostgreSQL with real threads: no slot twice, no task with two owners."""

from __future__ import annotations

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


def test_each_task_has_one_owner_after_eight_workers_grab_the_same_tasks(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.action_races", "grabbers", "1")
    assert report["crashes"] == []
    assert report["problems"] == []
    assert report["over_capacity"] == 0
    # Eight times three slots are more than twenty tasks: every task is taken, once.
    assert report["outcomes"].pop("grab: done") == 20
    assert report["owned"] == report["reservations"] == 20
    assert set(report["outcomes"]) <= {"grab: task_not_pending", "grab: no_capacity"}
    assert sum(report["outcomes"].values()) == 8 * 20 - 20


@pytest.mark.parametrize("seed", [1, 2])
def test_the_tables_agree_after_people_and_routers_act_concurrently(
    postgres_url: str, seed: int
) -> None:
    report = run_program(postgres_url, "tests.races.action_races", "mixed", str(seed))
    assert report["crashes"] == []
    assert report["problems"] == []
    assert report["over_capacity"] == 0
    assert report["outcomes"]["accept_reservation: done"] > 0
    assert report["outcomes"]["grab: task_not_pending"] > 0


def test_a_workspace_deleted_during_work_leaves_no_rows(
    postgres_url: str,
) -> None:
    report = run_program(postgres_url, "tests.races.action_races", "closing", "1")
    assert report["crashes"] == []
    assert report["outcomes"]["close: done"] == 1
    assert report["reservations"] == 0
    assert report["problems"] == []
