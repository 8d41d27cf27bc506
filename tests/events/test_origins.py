"""Events of reservations: how the task came to the worker, the first answer, and how work ended."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.actions import offers, reservations, task_transitions, tasks, transfers
from routing.actors import SYSTEM
from routing.core.decisions import Reason
from routing.core.vocabulary import QueueOrder, ReservationEnd, ReservationOrigin
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db


def events_of(row: models.Reservation, event_type: str) -> models.Event:
    return models.Event.objects.get(resource_sid=row.sid, event_type=event_type)


def accept(row: models.Reservation, now: Any = NOW) -> models.Reservation:
    return reservations.accept_reservation(reservation=row, actor=SYSTEM, now=now)


def test_each_way_to_a_worker_has_its_origin() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, "Alice", capacity={"chat": 3})
    pushed = factories.accepted(workspace)
    waiting = factories.task(workspace)
    grabbed = offers.grab_task(task=waiting, worker=alice, actor=SYSTEM, now=NOW)
    direct = factories.accepted(workspace, routing_target=alice.sid)
    bob = factories.worker(workspace, "Bob")
    transferred = factories.transferred(pushed, bob)
    for row, origin, first in (
        (pushed, ReservationOrigin.PUSH, True),
        (grabbed, ReservationOrigin.GRAB, True),
        (direct, ReservationOrigin.DIRECT, True),
        (transferred, ReservationOrigin.TRANSFER, False),
    ):
        event = events_of(row, "reservation.accepted")
        assert row.origin == origin
        assert (event.origin, event.is_first_answer) == (origin, first)
        assert event.event_data["reservation_origin"] == origin
        assert event.event_data["reservation_first"] == str(first).lower()


def test_the_answer_to_a_task_that_was_taken_back_is_not_the_first() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    offer = factories.offered(workspace)
    models.Task.objects.update(answered_before=True)
    assert not events_of(accept(offer), "reservation.accepted").is_first_answer


def test_a_completion_says_how_long_the_worker_had_the_task() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    given: dict[str, Any] = {"actor": SYSTEM}
    reservations.wrap_up_reservation(reservation=held, now=later(60.5), **given)
    reservations.complete_reservation(reservation=held, now=later(90.75), **given)
    event = events_of(held, "reservation.completed")
    assert (event.handled_ms, event.wrapping_ms) == (90_750, 30_250)
    assert event.event_data["reservation_handled_ms"] == "90750"
    assert event.event_data["reservation_wrapping_ms"] == "30250"
    assert event.event_data["reservation_ended_by"] == ReservationEnd.WORK


def test_a_completion_without_wrap_up_has_no_time_for_it() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    task_transitions.complete_task(task=held.task, actor=SYSTEM, now=later(5))
    assert events_of(held, "reservation.completed").wrapping_ms is None


def test_work_on_a_deleted_task_was_ended_by_its_deletion() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    tasks.delete_task(task=held.task, actor=SYSTEM, now=later(5))
    event = events_of(held, "reservation.completed")
    assert event.event_data["reservation_ended_by"] == ReservationEnd.DELETED


def test_a_task_deleted_during_a_transfer_did_not_wait() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    transfers.begin_transfer(
        reservation=held, to=factories.queue(workspace).sid, actor=SYSTEM, now=later(5)
    )
    tasks.delete_task(task=held.task, actor=SYSTEM, now=later(6))
    deleted = models.Event.objects.get(event_type="task.deleted")
    assert deleted.event_data["task_assignment_status"] == "assigned"


def test_a_task_that_no_filter_takes_any_more_is_canceled_with_that_reason() -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(workspace, factories.filter_("kind == 'a'", factories.target(queue)))
    waiting = factories.task(workspace, attributes={"kind": "a"})
    tasks.update_task(task=waiting, attributes='{"kind": "b"}', actor=SYSTEM, now=later(5))
    canceled = models.Event.objects.get(event_type="task.canceled")
    assert canceled.event_data["reason"] == Reason.NO_FILTER


def test_events_of_tasks_name_the_virtual_start_in_microseconds() -> None:
    waiting = factories.task(factories.workspace())
    created = models.Event.objects.get(event_type="task.created")
    assert created.event_data["task_virtual_start_us"] == str(waiting.virtual_start_us)


def grab(task: models.Task, worker: models.Worker) -> tuple[str, str]:
    row = offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=later(600))
    data = events_of(row, "reservation.accepted").event_data
    return data["grab_ahead"], data["grab_older"]


def waiting_tasks(workspace: models.Workspace, count: int, **given: Any) -> list[models.Task]:
    return [factories.task(workspace, now=later(number), **given) for number in range(count)]


def test_a_grab_says_how_many_tasks_it_passed_over() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, capacity={"chat": 9, "sms": 9})
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    alike = waiting_tasks(workspace, 10)
    assert grab(alike[9], alice) == ("9", "9")
    assert grab(alike[0], alice) == ("0", "0")
    # Another lane of the queue: older ones wait elsewhere, and might ask for something else.
    other = factories.task(workspace, channel="sms", now=later(20))
    assert grab(other, alice) == ("0", "8")
    # A higher priority is served first, and only tasks of at least that one count.
    urgent = factories.task(workspace, priority=5, now=later(30))
    assert grab(urgent, alice) == ("0", "0")


def test_a_grab_names_the_tasks_it_passed_over() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, capacity={"chat": 9})
    factories.workflow(workspace, default=factories.queue(workspace))
    alike = waiting_tasks(workspace, 25)
    row = offers.grab_task(task=alike[23], worker=alice, actor=SYSTEM, now=later(600))
    named = events_of(row, "reservation.accepted").event_data["grab_passed_over"]
    assert named.split() == [task.sid for task in alike[:23]]
    row = offers.grab_task(task=alike[0], worker=alice, actor=SYSTEM, now=later(601))
    assert "grab_passed_over" not in events_of(row, "reservation.accepted").event_data


def test_the_newest_is_first_in_a_queue_that_serves_it_first() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, capacity={"chat": 9})
    queue = factories.queue(workspace, task_order=QueueOrder.LIFO)
    factories.workflow(workspace, default=queue)
    alike = waiting_tasks(workspace, 4)
    assert grab(alike[3], alice) == ("0", "3")
    assert grab(alike[0], alice) == ("2", "0")


def test_passed_over_tasks_are_counted_up_to_100() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, capacity={"chat": 9})
    factories.workflow(workspace, default=factories.queue(workspace))
    alike = waiting_tasks(workspace, 103)
    assert grab(alike[102], alice) == ("100", "100")
