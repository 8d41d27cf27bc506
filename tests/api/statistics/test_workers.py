"""Statistics of workers by request: their reservations, and their time per activity."""

from __future__ import annotations

from typing import Any

import time_machine

from routing import models
from routing.actions import workers
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api
from tests.api.statistics.conftest import accept, activity_counts
from tests.factories import later


def test_cumulative_figures_of_workers(
    api: Api,
    root: str,
    workspace: models.Workspace,
    workflow: models.Workflow,
    clock: time_machine.Traveller,
) -> None:
    alice = factories.worker(workspace, "Alice")
    accept(factories.offered(workspace), 5)
    bob = factories.worker(workspace, "Bob", now=later(10), attributes={"vip": True})
    workers.set_activity(
        worker=alice,
        activity=factories.activity(workspace, "Offline"),
        actor=SYSTEM,
        now=later(40),
    )
    clock.shift(100)
    answer = api.get(f"{root}/Workers/{alice.sid}/Statistics")
    assert set(answer.json) == {"account_sid", "workspace_sid", "worker_sid", "cumulative", "url"}
    past = answer["cumulative"]
    assert (past["reservations_created"], past["reservations_accepted"]) == (1, 1)
    assert durations(past) == {"Available": (40, 40, 40, 40), "Offline": (60, 60, 60, 60)}
    past = api.get(f"{root}/Workers/{bob.sid}/Statistics")["cumulative"]
    assert (past["reservations_created"], durations(past)) == (0, {"Available": (90,) * 4})
    past = api.get(f"{root}/Workers/CumulativeStatistics").json
    assert past["reservations_accepted"] == 1
    assert durations(past) == {"Available": (65, 40, 90, 130), "Offline": (60,) * 4}
    window = {"StartDate": "2026-03-02T12:00:30Z", "EndDate": "2026-03-02T12:00:50Z"}
    past = api.get(f"{root}/Workers/CumulativeStatistics", **window).json
    assert durations(past) == {"Available": (15, 10, 20, 30), "Offline": (10,) * 4}
    vip = factories.queue(workspace, friendly_name="VIP", target_workers="vip == true")
    for query in ({"TaskQueueSid": vip.sid}, {"TaskQueueName": "VIP"}, {"FriendlyName": "Bob"}):
        found = api.get(f"{root}/Workers/Statistics", **query)
        assert found["realtime"]["total_workers"] == 1
        assert durations(found["cumulative"]) == {"Available": (90,) * 4}
        assert found["cumulative"]["reservations_accepted"] == 0
    answer_without_queue = api.get(f"{root}/Workers/Statistics", TaskQueueName="none")
    assert answer_without_queue["realtime"]["total_workers"] == 0


def durations(past: Any) -> dict[str, tuple[int, int, int, int]]:
    """Return average, least, most and total of the activities that any worker was in."""
    return {
        each["friendly_name"]: (each["avg"], each["min"], each["max"], each["total"])
        for each in past["activity_durations"]
        if each["total"]
    }


def test_the_last_activity_of_a_deleted_worker_counts(
    api: Api, root: str, workspace: models.Workspace, clock: time_machine.Traveller
) -> None:
    worker = factories.worker(workspace)
    workers.delete_worker(worker=worker, actor=SYSTEM, now=later(30))
    clock.shift(60)
    past = api.get(f"{root}/Workers/CumulativeStatistics").json
    assert durations(past) == {"Available": (30, 30, 30, 30)}


def test_real_time_figures_of_workers(
    api: Api, root: str, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    factories.worker(workspace, capacity={"chat": 3})
    factories.worker(workspace, available=False, capacity={"chat": 5})
    factories.offered(workspace)
    answer = api.get(f"{root}/Workers/RealTimeStatistics", TaskChannel="chat")
    assert answer["total_workers"] == 2
    assert activity_counts(answer)["Available"] == 1
    assert answer["task_channels"] == [
        {
            "sid": factories.channel(workspace).sid,
            "unique_name": "chat",
            "workers_with_capacity": 1,
            "configured_capacity": 8,
            "consumed_capacity": 1,
        }
    ]
    assert len(api.get(f"{root}/Workers/RealTimeStatistics")["task_channels"]) == 5
