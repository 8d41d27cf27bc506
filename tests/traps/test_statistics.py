"""Traps of statistics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from routing import models
from tests import factories
from tests.api.conftest import Api
from tests.factories import NOW, later


@pytest.fixture(autouse=True)
def a_minute_later() -> Iterator[None]:
    """Set the clock of requests a minute after the factories."""
    with time_machine.travel(later(60), tick=False):
        yield


def test_fully_busy_workers_are_available_and_offline_ones_eligible(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace, capacity={"chat": 1})
    factories.worker(workspace, available=False)
    factories.accepted(workspace)
    queue = workspace.task_queues.get()
    answer = api.get(f"{root}/TaskQueues/{queue.sid}/RealTimeStatistics")
    assert (answer["total_available_workers"], answer["total_eligible_workers"]) == (1, 2)


def test_the_longest_waiting_age_is_0_when_the_only_task_is_reserved(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    task = factories.task(workspace)
    path = f"{root}/RealTimeStatistics"
    waiting = api.get(path)
    assert (waiting["longest_task_waiting_age"], waiting["longest_task_waiting_sid"]) == (
        60,
        task.sid,
    )
    factories.worker(workspace)
    factories.run(workspace, NOW)
    reserved = api.get(path)
    assert reserved["tasks_by_status"]["reserved"] == 1
    assert (reserved["longest_task_waiting_age"], reserved["longest_task_waiting_sid"]) == (0, None)


def test_minutes_and_start_date_together_are_refused(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    start = "2026-03-02T11:00:00Z"
    for path in ("Statistics", "CumulativeStatistics", "Workers/Statistics", "Events"):
        assert api.get(f"{root}/{path}", Minutes=5).status == 200
        assert api.get(f"{root}/{path}", StartDate=start).status == 200
        answer = api.get(f"{root}/{path}", Minutes=5, StartDate=start)
        assert (answer.status, answer["code"]) == (400, 20001)
