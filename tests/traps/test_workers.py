"""Traps of workers, activities and direct routing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing import models
from routing.actions import reservations, workers
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api
from tests.factories import NOW


def activity_of(worker: models.Worker) -> str:
    worker.refresh_from_db()
    return worker.activity.friendly_name


@pytest.mark.parametrize(("multitasking", "after"), [(True, "Available"), (False, "Busy")])
@pytest.mark.django_db
def test_accepting_changes_the_activity_in_single_tasking_only(
    multitasking: bool, after: str
) -> None:
    workspace = factories.workspace(multi_task_enabled=multitasking)
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    assert activity_of(worker) == after


def test_an_activitys_availability_is_fixed_and_changing_it_is_no_error(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    available = factories.activity(workspace)
    answer = api.post(f"{root}/Activities/{available.sid}", Available="false")
    assert (answer.status, answer["available"]) == (200, True)
    assert api.get(f"{root}/Activities/{available.sid}")["available"] is True


def test_worker_names_collide_whatever_their_case(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    assert api.post(f"{root}/Workers", FriendlyName="Alice").status == 201
    answer = api.post(f"{root}/Workers", FriendlyName="alice")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "already" in answer.message or "exists" in answer.message
    bob = api.post(f"{root}/Workers", FriendlyName="Bob")
    assert api.post(f"{root}/Workers/{bob['sid']}", FriendlyName="ALICE").status == 400


def test_a_new_worker_starts_in_the_default_activity_and_receives_nothing(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = api.post(f"{root}/Workers", FriendlyName="Alice")
    assert (worker["activity_name"], worker["available"]) == ("Offline", False)
    task = factories.task(workspace)
    factories.run(workspace)
    assert factories.status(task) == "pending"


def test_direct_routing_ignores_activity_and_capacity_by_default(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace, available=False, capacity={"chat": 1})
    made = [factories.task(workspace, routing_target=worker.sid) for _ in range(2)]
    patient = factories.task(workspace, routing_target=worker.sid, ignore_capacity=False)
    factories.run(workspace)
    assert [factories.status(task) for task in made] == ["reserved", "reserved"]
    assert factories.status(patient) == "pending"
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.available_capacity_percentage) == (2, 0)


def test_ignoring_capacity_with_a_queue_as_target_is_refused(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue, worker = factories.queue(workspace), factories.worker(workspace)
    answer = api.post(f"{root}/Tasks", RoutingTarget=queue.sid, IgnoreCapacity="true")
    assert (answer.status, answer["code"]) == (400, 20001)
    allowed = api.post(f"{root}/Tasks", RoutingTarget=worker.sid, IgnoreCapacity="true")
    assert allowed.status == 201


def test_time_in_the_previous_activity_is_a_string_of_truncated_seconds(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    workers.set_activity(
        worker=worker,
        activity=factories.activity(workspace, "Offline"),
        actor=SYSTEM,
        now=NOW + timedelta(milliseconds=26_999),
    )

    data = models.Event.objects.latest("pk").event_data
    assert data["worker_time_in_previous_activity"] == "26"
    assert data["worker_time_in_previous_activity_ms"] == "26999"
