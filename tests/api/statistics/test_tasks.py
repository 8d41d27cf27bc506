"""Statistics of tasks by request: the present figures, and those of a window of time."""

from __future__ import annotations

import pytest
import time_machine

from routing import models
from routing.actions import task_transitions
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api
from tests.api.statistics.conftest import accept, activity_counts
from tests.factories import later


def test_real_time_figures_of_a_queue(
    api: Api,
    root: str,
    workspace: models.Workspace,
    queue: models.TaskQueue,
    workflow: models.Workflow,
    clock: time_machine.Traveller,
) -> None:
    factories.worker(workspace, capacity={"chat": 2, "sms": 0})
    factories.worker(workspace, available=False)
    factories.worker(workspace, available=False)
    accepted = factories.offered(workspace)
    accept(accepted, 1)
    factories.offered(workspace, now=later(2))
    oldest = factories.task(workspace, priority=7, now=later(5))
    sms = factories.task(workspace, channel="sms", now=later(6))
    clock.shift(65)
    path = f"{root}/TaskQueues/{queue.sid}/RealTimeStatistics"
    answer = api.get(path)
    assert answer.status == 200
    by_channel = {each["unique_name"]: each for each in answer.json.pop("task_channels")}
    activities = answer.json.pop("activity_statistics")
    assert answer.json == {
        "account_sid": api.account.sid,
        "workspace_sid": workspace.sid,
        "task_queue_sid": queue.sid,
        "total_eligible_workers": 3,
        "total_available_workers": 1,
        "total_tasks": 4,
        "tasks_by_status": {"pending": 2, "reserved": 1, "assigned": 1, "wrapping": 0},
        "tasks_by_priority": {"0": 3, "7": 1},
        "longest_task_waiting_age": 60,
        "longest_task_waiting_sid": oldest.sid,
        "longest_relative_task_age_in_queue": 60,
        "longest_relative_task_sid_in_queue": oldest.sid,
        "url": f"http://testserver/v1/{path}",
    }
    assert {each["friendly_name"]: each["workers"] for each in activities} == {
        each.friendly_name: {"Available": 1, "Offline": 2}.get(each.friendly_name, 0)
        for each in workspace.activities.all()
    }
    assert list(by_channel) == [
        each.unique_name for each in workspace.task_channels.order_by("date_created", "pk")
    ]
    assert by_channel["sms"] == {
        "sid": factories.channel(workspace, "sms").sid,
        "unique_name": "sms",
        "total_tasks": 1,
        "tasks_by_status": {"pending": 1, "reserved": 0, "assigned": 0, "wrapping": 0},
        "tasks_by_priority": {"0": 1},
        "longest_task_waiting_age": 59,
        "longest_task_waiting_sid": sms.sid,
        "longest_relative_task_age_in_queue": 59,
        "longest_relative_task_sid_in_queue": sms.sid,
    }
    assert by_channel["chat"]["total_tasks"] == 3
    assert by_channel["voice"]["total_tasks"] == 0
    only = api.get(path, TaskChannel="sms")
    assert only["task_channels"] == [by_channel["sms"]]
    assert {name: only[name] for name in by_channel["sms"] if name in only.json} == {
        name: value
        for name, value in by_channel["sms"].items()
        if name not in ("sid", "unique_name")
    }
    assert only["total_eligible_workers"] == 3
    assert api.get(path, TaskChannel=only["task_channels"][0]["sid"]).json == only.json


def test_real_time_figures_of_a_workspace_and_a_workflow(
    api: Api,
    root: str,
    workspace: models.Workspace,
    workflow: models.Workflow,
    clock: time_machine.Traveller,
) -> None:
    factories.worker(workspace, available=False)
    worker = factories.worker(workspace, available=False)
    direct = factories.task(workspace, routing_target=worker.sid, ignore_capacity=False)
    led = factories.task(workspace, workflow=workflow, now=later(1))
    clock.shift(61)
    floor = api.get(f"{root}/RealTimeStatistics")
    assert floor.status == 200
    assert (floor["total_tasks"], floor["total_workers"]) == (2, 2)
    assert activity_counts(floor)["Offline"] == 2
    assert (floor["longest_task_waiting_sid"], floor["longest_task_waiting_age"]) == (
        direct.sid,
        61,
    )
    flow = api.get(f"{root}/Workflows/{workflow.sid}/RealTimeStatistics")
    assert flow["total_tasks"] == 1
    assert (flow["longest_task_waiting_sid"], flow["longest_task_waiting_age"]) == (led.sid, 60)
    assert "total_workers" not in flow.json


def test_age_in_the_queue_is_counted_from_entering_it(
    api: Api, root: str, workspace: models.Workspace, clock: time_machine.Traveller
) -> None:
    first, second = factories.queue(workspace), factories.queue(workspace)
    moving = factories.filter_(
        "1==1", factories.target(first, timeout=30), factories.target(second), name="all"
    )
    workflow = factories.workflow(workspace, moving)
    moved = factories.task(workspace, workflow=workflow)
    factories.run(workspace, later(30))
    direct = factories.task(workspace, routing_target=second.sid, now=later(20))
    clock.shift(60)
    answer = api.get(f"{root}/TaskQueues/{second.sid}/RealTimeStatistics")
    assert (answer["longest_task_waiting_sid"], answer["longest_task_waiting_age"]) == (
        moved.sid,
        60,
    )
    assert (
        answer["longest_relative_task_sid_in_queue"],
        answer["longest_relative_task_age_in_queue"],
    ) == (direct.sid, 40)
    left = api.get(f"{root}/TaskQueues/{first.sid}/RealTimeStatistics")
    assert (left["total_tasks"], left["longest_task_waiting_sid"]) == (0, None)
    past = api.get(f"{root}/TaskQueues/{first.sid}/CumulativeStatistics")
    assert (past["tasks_entered"], past["tasks_moved"]) == (1, 1)
    past = api.get(f"{root}/TaskQueues/{second.sid}/CumulativeStatistics")
    assert (past["tasks_entered"], past["tasks_moved"]) == (2, 0)


def test_cumulative_figures_of_a_queue(
    api: Api,
    root: str,
    workspace: models.Workspace,
    queue: models.TaskQueue,
    workflow: models.Workflow,
    clock: time_machine.Traveller,
) -> None:
    factories.worker(workspace, capacity={"chat": 5})
    for seconds in (3, 10):
        accept(factories.offered(workspace), seconds)
    done = factories.offered(workspace, now=later(12))
    accept(done, 20.5)
    task_transitions.complete_task(task=done.task, actor=SYSTEM, now=later(30))
    gone = factories.task(workspace, channel="sms", now=later(1))
    task_transitions.cancel_task(task=gone, actor=SYSTEM, now=later(8))
    clock.shift(60)
    path = f"{root}/TaskQueues/{queue.sid}/CumulativeStatistics"
    answer = api.get(path, SplitByWaitTime="8, 3,8")
    assert answer.status == 200
    assert answer.json == {
        "account_sid": api.account.sid,
        "workspace_sid": workspace.sid,
        "task_queue_sid": queue.sid,
        "start_time": "2026-03-02T11:46:00Z",
        "end_time": "2026-03-02T12:01:00Z",
        "tasks_entered": 4,
        "tasks_canceled": 1,
        "tasks_completed": 1,
        "tasks_deleted": 0,
        "tasks_moved": 0,
        "reservations_created": 3,
        "reservations_accepted": 3,
        "reservations_rejected": 0,
        "reservations_timed_out": 0,
        "reservations_canceled": 0,
        "reservations_rescinded": 0,
        "avg_task_acceptance_time": 7,
        "wait_duration_until_accepted": {"avg": 7, "min": 3, "max": 10, "total": 21},
        "wait_duration_until_canceled": {"avg": 7, "min": 7, "max": 7, "total": 7},
        "wait_duration_in_queue_until_accepted": {"avg": 7, "min": 3, "max": 10, "total": 21},
        "outcomes": {},
        "split_by_wait_time": {
            "8": {
                "above": {"tasks_canceled": 0, "reservations_accepted": 2},
                "below": {"tasks_canceled": 1, "reservations_accepted": 1},
            },
            "3": {
                "above": {"tasks_canceled": 1, "reservations_accepted": 2},
                "below": {"tasks_canceled": 0, "reservations_accepted": 1},
            },
        },
        "url": f"http://testserver/v1/{path}",
    }
    assert api.get(path)["split_by_wait_time"] is None
    assert api.get(path, TaskChannel="sms")["tasks_entered"] == 1
    assert api.get(path, TaskChannel="sms")["reservations_accepted"] == 0
    window = {"StartDate": "2026-03-02T12:00:04Z", "EndDate": "2026-03-02T12:00:10Z"}
    assert api.get(path, **window)["reservations_accepted"] == 1
    assert api.get(path, **window)["tasks_canceled"] == 1
    floor = api.get(f"{root}/CumulativeStatistics")
    assert (floor["tasks_created"], floor["reservations_accepted"]) == (4, 3)
    assert "tasks_entered" not in floor.json
    flow = api.get(f"{root}/Workflows/{workflow.sid}/CumulativeStatistics")
    assert (flow["tasks_entered"], flow["tasks_timed_out_in_workflow"]) == (4, 0)
    both = api.get(f"{root}/TaskQueues/{queue.sid}/Statistics")
    assert both["cumulative"]["avg_task_acceptance_time"] == pytest.approx(21.5 / 3)
    assert both["realtime"]["total_tasks"] == 2


def test_figures_survive_the_deletion_of_their_tasks(
    api: Api, root: str, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    task = factories.task(workspace)
    before = api.get(f"{root}/CumulativeStatistics").json
    assert api.delete(f"{root}/Tasks/{task.sid}").status == 204
    assert api.get(f"{root}/CumulativeStatistics").json == before | {"tasks_deleted": 1}
    assert api.get(f"{root}/RealTimeStatistics")["total_tasks"] == 0
