"""A finished task keeps the sid and name of its deleted worker and channel."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from routing import diagnosis, housekeeping, models
from routing.actions import reservations, tasks, workspaces
from routing.actors import SYSTEM
from routing.events import payloads
from routing.explanations import facts
from tests import factories
from tests.api.conftest import Api
from tests.factories import NOW, later

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def completed_reservation(workspace: models.Workspace) -> models.Reservation:
    """Return a completed reservation of Ann's, of a task on a channel of its own."""
    factories.channel(workspace, "leads")
    factories.worker(workspace, "Ann", capacity={"leads": 3})
    offer = factories.accepted(workspace, channel="leads", attributes={"customer": "Ada"})
    return reservations.complete_reservation(reservation=offer, actor=SYSTEM, now=later(5))


def delete(api: Api, root: str, path: str) -> None:
    assert api.delete(f"{root}/{path}").status == 204
    assert list(diagnosis.find_problems()) == []


def figures(api: Api, root: str, queue: models.TaskQueue) -> list[Any]:
    """Return all statistics that do not count the workers themselves."""
    found = []
    for path in (root, f"{root}/TaskQueues/{queue.sid}"):
        answer = api.get(f"{path}/CumulativeStatistics")
        found.append({k: v for k, v in answer.json.items() if k != "activity_durations"})
        found.append(api.get(f"{path}/RealTimeStatistics")["tasks_by_status"])
    return found


def test_reservations_of_a_deleted_worker_keep_sid_and_name(
    api: Api, root: str, completed_reservation: models.Reservation
) -> None:
    task, worker = completed_reservation.task, completed_reservation.current_worker
    queue = task.task_queue
    assert queue is not None
    before = figures(api, root, queue)
    api.post(f"{root}/Workers/{worker.sid}", FriendlyName="Ann B.")
    delete(api, root, f"Workers/{worker.sid}")
    path = f"{root}/Tasks/{task.sid}/Reservations"
    (listed,) = api.get(path)["reservations"]
    assert (listed["worker_sid"], listed["worker_name"]) == (worker.sid, "Ann B.")
    assert listed["reservation_status"] == "completed"
    assert listed["links"]["worker"] is None
    assert api.get(f"{path}/{completed_reservation.sid}").json == listed
    assert len(api.get(path, WorkerSid=worker.sid)["reservations"]) == 1
    assert api.get(path, WorkerSid="WK" + 32 * "0")["reservations"] == []
    assert figures(api, root, queue) == before
    explained = api.get(f"{root}/Tasks/{task.sid}/Explanation")
    assert "by Ann B." in explained["summary"]
    assert [held["worker_sid"] for held in explained["reservations"]] == [worker.sid]
    assert api.get(f"{root}/Workers/{worker.sid}").status == 404


@pytest.mark.parametrize("how", ["reject", "time_out"])
def test_an_offer_that_ended_without_acceptance_keeps_its_worker_too(
    api: Api, workspace: models.Workspace, root: str, how: str
) -> None:
    worker = factories.worker(workspace, "Ann")
    offer = factories.offered(workspace)
    if how == "reject":
        reservations.reject_reservation(reservation=offer, actor=SYSTEM, now=later(1))
    else:
        reservations.time_out_reservation(sid=offer.sid, now=later(10_000))
    delete(api, root, f"Workers/{worker.sid}")
    path = f"{root}/Tasks/{offer.task.sid}/Reservations"
    assert [row["worker_name"] for row in api.get(path)["reservations"]] == ["Ann"]
    # The task waits, is offered to the next worker, and both reservations are distinct.
    factories.worker(workspace, "Ben")
    factories.run(workspace, later(10))
    assert [row["worker_name"] for row in api.get(path)["reservations"]] == ["Ann", "Ben"]


def test_changing_a_reservation_of_a_deleted_worker_is_refused_like_any_ended_one(
    api: Api, root: str, completed_reservation: models.Reservation
) -> None:
    delete(api, root, f"Workers/{completed_reservation.current_worker.sid}")
    path = f"{root}/Tasks/{completed_reservation.task.sid}/Reservations/{completed_reservation.sid}"
    for status in ("accepted", "rejected", "wrapping", "completed"):
        answer = api.post(path, ReservationStatus=status)
        assert answer.status == 400
        assert "already in state [completed]" in answer.message
    completed_reservation.refresh_from_db()
    data = payloads.describe_reservation(completed_reservation)
    assert data["worker_name"] == "Ann"


def test_a_worker_with_an_open_reservation_is_not_deleted(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    assert api.delete(f"{root}/Workers/{worker.sid}").status == 400
    for column in ("worker", "worker_channel"):
        with pytest.raises(IntegrityError), transaction.atomic():
            models.Reservation.objects.filter(pk=offer.pk).update(**{column: None})


def test_a_finished_task_keeps_its_deleted_channel_and_its_reservations(
    api: Api, workspace: models.Workspace, root: str, completed_reservation: models.Reservation
) -> None:
    task, channel = completed_reservation.task, factories.channel(workspace, "leads")
    queue = task.task_queue
    assert queue is not None
    before = figures(api, root, queue)
    delete(api, root, "TaskChannels/leads")
    path = f"{root}/Tasks/{task.sid}"
    shown = api.get(path)
    assert shown["task_channel_sid"] == channel.sid
    assert shown["task_channel_unique_name"] == "leads"
    (listed,) = api.get(f"{path}/Reservations")["reservations"]
    assert listed["worker_name"] == "Ann"
    assert figures(api, root, queue) == before
    found = api.get(f"{root}/Tasks", EvaluateTaskAttributes="task_channel_unique_name == 'leads'")
    assert [row["sid"] for row in found["tasks"]] == [task.sid]
    changed = api.post(path, Attributes='{"customer": "Ada", "solved": true}')
    assert changed["task_channel_unique_name"] == "leads"
    event = models.Event.objects.filter(event_type="task.updated").order_by("-pk")[0]
    assert event.event_data["task_channel_unique_name"] == "leads"
    assert event.event_data["task_channel_sid"] == channel.sid
    # A new channel of the same name is another one.
    again = factories.channel(workspace, "leads")
    assert api.get(path)["task_channel_sid"] == channel.sid != again.sid


def test_worker_and_channel_may_both_be_deleted_and_the_task_is_pruned_later(
    api: Api, workspace: models.Workspace, root: str, completed_reservation: models.Reservation
) -> None:
    task = completed_reservation.task
    delete(api, root, f"Workers/{completed_reservation.current_worker.sid}")
    delete(api, root, "TaskChannels/leads")
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    explained = facts.explain_task(row, now=later(60))
    assert [holder.worker_name for holder in explained.holders] == ["Ann"]
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        housekeeping.delete_old_rows(now=NOW + timedelta(days=31))
    assert not models.Reservation.objects.exists()
    assert not models.Task.objects.exists()


def test_a_task_or_a_workspace_of_deleted_workers_can_be_deleted(
    api: Api, workspace: models.Workspace, root: str, completed_reservation: models.Reservation
) -> None:
    other = factories.accepted(workspace, channel="leads")
    reservations.complete_reservation(reservation=other, actor=SYSTEM, now=later(5))
    delete(api, root, f"Workers/{completed_reservation.current_worker.sid}")
    delete(api, root, "TaskChannels/leads")
    tasks.delete_task(task=other.task, actor=SYSTEM, now=later(9))
    assert models.Reservation.objects.count() == 1
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=later(10))
    assert not models.Reservation.objects.exists()
