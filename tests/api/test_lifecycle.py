"""Every change of status that a request can make, in every state: its answer and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from routing import models
from routing.actions import reservations, task_transitions
from routing.actions.reservations import accept_reservation
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from tests import factories
from tests.api.conftest import Api
from tests.factories import NOW

Made = tuple[models.Task, models.Reservation | None]


def _pending(workspace: models.Workspace) -> Made:
    return factories.task(workspace), None


def _reserved(workspace: models.Workspace) -> Made:
    factories.worker(workspace)
    offered = factories.offered(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(factories.later(10**9)))
    return offered.task, offered


def _assigned(workspace: models.Workspace) -> Made:
    task, offered = _reserved(workspace)
    assert offered is not None
    accept_reservation(reservation=offered, actor=SYSTEM, now=NOW)
    return task, offered


def _wrapping(workspace: models.Workspace) -> Made:
    task, held = _assigned(workspace)
    task_transitions.wrap_up_task(task=task, actor=SYSTEM, now=NOW)
    return task, held


def _completed(workspace: models.Workspace) -> Made:
    task, held = _assigned(workspace)
    task_transitions.complete_task(task=task, actor=SYSTEM, now=NOW)
    return task, held


def _canceled(workspace: models.Workspace) -> Made:
    task, offered = _reserved(workspace)
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=NOW)
    return task, offered


def _rejected(workspace: models.Workspace) -> Made:
    task, offered = _reserved(workspace)
    assert offered is not None
    reservations.reject_reservation(reservation=offered, actor=SYSTEM, now=NOW)
    return task, offered


def _timed_out(workspace: models.Workspace) -> Made:
    task, offered = _reserved(workspace)
    assert offered is not None
    late = factories.later(2 * 10**9)
    reservations.time_out_reservation(sid=offered.sid, now=late)
    return task, offered


def _rescinded(workspace: models.Workspace) -> Made:
    queue = factories.queue(workspace, max_reserved_workers=2)
    factories.workflow(workspace, default=queue)
    factories.worker(workspace)
    factories.worker(workspace)
    task = factories.task(workspace)
    factories.run(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(factories.later(10**9)))
    first, second = task.reservations.order_by("pk")
    accept_reservation(reservation=first, actor=SYSTEM, now=NOW)
    return task, second


Make = Callable[[models.Workspace], Made]
TASKS: Final[dict[str, Make]] = {
    "pending": _pending,
    "reserved": _reserved,
    "assigned": _assigned,
    "wrapping": _wrapping,
    "completed": _completed,
    "canceled": _canceled,
}
RESERVATIONS: Final[dict[str, Make]] = {
    "pending": _reserved,
    "accepted": _assigned,
    "wrapping": _wrapping,
    "completed": _completed,
    "canceled": _canceled,
    "rejected": _rejected,
    "timeout": _timed_out,
    "rescinded": _rescinded,
}
TASK_EVENTS: Final = {
    ("pending", "canceled"): ["task.canceled"],
    ("reserved", "canceled"): ["task.canceled", "reservation.canceled"],
    ("assigned", "wrapping"): ["task.wrapup", "reservation.wrapup"],
    ("assigned", "completed"): ["task.completed", "reservation.completed", "task.updated"],
    ("wrapping", "completed"): ["task.completed", "reservation.completed", "task.updated"],
}
"""The changes of a task by request, with the events of each, in order."""
RESERVATION_EVENTS: Final = {
    ("pending", "accepted"): ["reservation.accepted"],
    ("pending", "rejected"): ["reservation.rejected"],
    ("accepted", "wrapping"): ["task.wrapup", "reservation.wrapup"],
    ("accepted", "completed"): ["task.completed", "reservation.completed", "task.updated"],
    ("wrapping", "completed"): ["task.completed", "reservation.completed", "task.updated"],
}
WORDS: Final = {
    "canceled": "not pending or reserved",
    "wrapping": "not currently assigned",
    "completed": "not currently assigned",
}


@pytest.mark.parametrize("current", TASKS)
@pytest.mark.parametrize("wanted", WORDS)
def test_a_task_in_each_status_accepts_or_refuses_each_other_status(
    api: Api, root: str, workspace: models.Workspace, current: str, wanted: str
) -> None:
    task, _ = TASKS[current](workspace)
    before = factories.last_event()
    answer = api.post(f"{root}/Tasks/{task.sid}", AssignmentStatus=wanted)
    events = TASK_EVENTS.get((current, wanted))
    if events is None:
        assert (answer.status, answer["code"]) == (400, 20001)
        assert task.sid in answer.message
        assert WORDS[wanted] in answer.message
    else:
        assert (answer.status, answer["assignment_status"]) == (200, wanted)
    assert factories.event_types(before) == (events or [])
    assert factories.status(task) == (current if events is None else wanted)


@pytest.mark.parametrize("current", TASKS)
@pytest.mark.parametrize("wanted", ["pending", "reserved", "assigned", "no-such-word"])
def test_statuses_that_only_the_router_sets_are_refused_for_a_task(
    api: Api, root: str, workspace: models.Workspace, current: str, wanted: str
) -> None:
    task, _ = TASKS[current](workspace)
    before = factories.last_event()
    answer = api.post(f"{root}/Tasks/{task.sid}", AssignmentStatus=wanted)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert factories.event_types(before) == []
    assert factories.status(task) == current


@pytest.mark.parametrize("side", ["Tasks", "Workers"])
@pytest.mark.parametrize("current", RESERVATIONS)
@pytest.mark.parametrize("wanted", ["accepted", "rejected", "wrapping", "completed"])
def test_a_reservation_in_each_status_accepts_or_refuses_each_other_status(
    api: Api, root: str, workspace: models.Workspace, current: str, wanted: str, side: str
) -> None:
    task, reservation = RESERVATIONS[current](workspace)
    assert reservation is not None
    parent = task.sid if side == "Tasks" else reservation.current_worker.sid
    before = factories.last_event()
    path = f"{root}/{side}/{parent}/Reservations/{reservation.sid}"
    answer = api.post(path, ReservationStatus=wanted)
    events = RESERVATION_EVENTS.get((current, wanted))
    if events is not None:
        assert (answer.status, answer["reservation_status"]) == (200, wanted)
    elif (current, wanted) == ("rescinded", "accepted"):
        assert (answer.status, answer["code"]) == (410, 20410)
    else:
        assert (answer.status, answer["code"]) == (400, 20001)
        assert f"already in state [{current}] and cannot go to [{wanted}]" in answer.message
    assert factories.event_types(before) == (events or [])
    assert factories.status(reservation) == (current if events is None else wanted)


@pytest.mark.parametrize("wanted", ["pending", "timeout", "canceled", "rescinded"])
def test_statuses_that_only_the_router_sets_are_refused_for_a_reservation(
    api: Api, root: str, workspace: models.Workspace, wanted: str
) -> None:
    task, offered = _reserved(workspace)
    assert offered is not None
    path = f"{root}/Tasks/{task.sid}/Reservations/{offered.sid}"
    answer = api.post(path, ReservationStatus=wanted)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert factories.status(offered) == "pending"


@pytest.mark.parametrize("current", TASKS)
def test_a_task_is_deleted_in_any_state_and_its_open_reservations_end(
    api: Api, root: str, workspace: models.Workspace, current: str
) -> None:
    task, _ = TASKS[current](workspace)
    before = factories.last_event()
    assert api.delete(f"{root}/Tasks/{task.sid}").status == 204
    in_work = current in ("assigned", "wrapping")
    ends = ["reservation.completed"] if in_work else []
    ends = ["reservation.canceled"] if current == "reserved" else ends
    assert factories.event_types(before) == ["task.deleted", *ends]
    assert api.get(f"{root}/Tasks/{task.sid}").status == 404
    assert not models.WorkerChannel.objects.exclude(consumed=0).exists()


def test_the_events_of_a_whole_task_life_come_in_this_order(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    factories.workflow(workspace, default=factories.queue(workspace, max_reserved_workers=2))
    factories.worker(workspace)
    factories.worker(workspace)
    before = factories.last_event()
    task = factories.task(workspace)
    factories.run(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(factories.later(10**9)))
    mine = factories.reservation(task)
    accept_reservation(reservation=mine, actor=SYSTEM, now=NOW)
    for status in ("wrapping", "completed"):
        assert api.post(f"{root}/Tasks/{task.sid}", AssignmentStatus=status).status == 200
    assert factories.event_types(before) == [
        "workflow.entered",
        "task-queue.entered",
        "task.created",
        "workflow.target-matched",
        "reservation.created",
        "reservation.created",
        "reservation.accepted",
        "reservation.rescinded",
        "task.wrapup",
        "reservation.wrapup",
        "task.completed",
        "reservation.completed",
        "task.updated",
    ]
