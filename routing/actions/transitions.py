"""Move a reservation to its next status, and update its task and its slot.

This is the only place where capacity is freed and a task's status is derived. All rows were locked
by `locking.lock_task_and_workers`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import F

from routing import models
from routing.actions.support import activity_moves, lanes, transfer_progress
from routing.actions.support.errors import StaleState
from routing.actions.support.locking import TaskWithReservations
from routing.actions.support.task_events import record_task_event
from routing.actors import Actor
from routing.core import lifecycle
from routing.core.decisions import Reason
from routing.core.event_catalog import RESERVATION_EVENTS, TASK_EVENTS, EventType
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.db.compiled import MOMENT, CompiledUpdate
from routing.db.pipeline import pipeline
from routing.events import payloads, recorder
from routing.fields.declarations import EventData

MAX_ASSIGNMENTS: Final = 1_000
"""How often a task may go from pending to reserved before the router cancels it."""

END_FIELDS: Final = (
    *("assignment_status", "reason", "date_finished", "lane", "version", "date_updated"),
)
"""Fields that change when a task ends."""


def move_reservation(
    reservation: models.Reservation,
    status: ReservationStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a reservation to its next status, with its slot, its worker's activity and its event.

    Raises `InvalidTransition`, or `StaleState` when it has changed since the caller read it. All
    statements are sent before the result is known, so the caller must roll back.
    """
    current = ReservationStatus(reservation.reservation_status)
    lifecycle.check(current, status)
    reservation.reservation_status = status.value
    reservation.version += 1
    reservation.date_updated = now
    handed_on = transfer_progress.load_first_transfer_date(reservation)
    with pipeline():
        moved = _MOVE.ask(reservation.pk, current.value, status.value, now)
        _count_slot(reservation, before=current, after=status)
        recorder.record(
            RESERVATION_EVENTS[status],
            workspace=reservation.task.workspace,
            resource_sid=reservation.sid,
            data=payloads.of_reservation(reservation)
            | transfer_progress.describe_outcome(reservation, status, now=now),
            actor=actor,
            now=now,
            task=reservation.task,
            handed_on=handed_on,
        )
    if not moved():
        raise StaleState(f"reservation {reservation.sid} is no longer {current}")
    activity_moves.move_worker_for_reservation(reservation, status, actor=actor, now=now)


def _count_slot(
    reservation: models.Reservation, *, before: ReservationStatus, after: ReservationStatus
) -> None:
    """Free the slot if the reservation ends, and count the change on its worker."""
    freed = int(after not in lifecycle.OPEN_RESERVATION)
    assigned = int(after == ReservationStatus.ACCEPTED) - int(before == ReservationStatus.ACCEPTED)
    _COUNT.ask(reservation.worker_channel_id, freed, assigned)
    _COUNT_WORKLOAD.ask(reservation.worker_id)


_MOVE: Final = CompiledUpdate(
    lambda pk, before, after, now: (
        models.Reservation.objects.filter(pk=pk, reservation_status=before),
        {"reservation_status": after, "version": F("version") + 1, "date_updated": now},
    ),
    *(0, "before", "after", MOMENT),
)
_COUNT: Final = CompiledUpdate(
    lambda pk, freed, assigned: (
        models.WorkerChannel.objects.filter(pk=pk),
        {"consumed": F("consumed") - freed, "assigned": F("assigned") + assigned},
    ),
    *(0, 7_000_001, 7_000_002),
)
_COUNT_WORKLOAD: Final = CompiledUpdate(
    lambda pk: (
        models.Worker.objects.filter(pk=pk),
        {"workload_version": F("workload_version") + 1},
    ),
    0,
)


def derive_task_status(story: TaskWithReservations, *, actor: Actor, now: datetime) -> None:
    """Derive a live task's status from its reservations.

    A task without open reservations waits again in its step, on the lane for its present
    attributes. A task that has been offered too often is canceled.
    """
    task = story.task
    transferred = transfer_progress.find_current_transfer(story.reservations) is not None
    gone = transfer_progress.update_transfer(task, story.reservations, actor=actor, now=now)
    if gone is not None:
        move_reservation(gone, ReservationStatus.COMPLETED, actor=actor, now=now)
    story.drop_ended()
    status = lifecycle.task_status_of(
        (ReservationStatus(r.reservation_status) for r in story.reservations),
        in_transfer=transfer_progress.find_current_transfer(story.reservations) is not None,
    )
    if status == task.assignment_status:
        return
    if status == AssignmentStatus.PENDING and task.assignments >= MAX_ASSIGNMENTS:
        end_task(story, AssignmentStatus.CANCELED, reason=Reason.EXPIRED, actor=actor, now=now)
        return
    fields = ["assignment_status"]
    if status == AssignmentStatus.PENDING:
        task.lane = lanes.find_or_create_lane(task, now=now)
        fields.append("lane")
    set_task_status(task, status, fields=fields, now=now)
    if transferred:
        record_task_event(
            EventType.TASK_UPDATED, task, actor=actor, now=now, more=list_holders(story)
        )


def end_task(
    story: TaskWithReservations,
    status: AssignmentStatus,
    *,
    reason: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """End a task as completed or canceled, and every open reservation with it."""
    task = story.task
    task.reason = reason
    task.date_finished = now
    task.lane = None
    set_task_status(task, status, fields=["reason", "date_finished", "lane"], now=now)
    record_task_event(TASK_EVENTS[status], task, actor=actor, now=now, more=list_holders(story))
    end_reservations(story, actor=actor, now=now)
    if status == AssignmentStatus.COMPLETED:
        # TaskRouter sends this event too, after all others of the completion.
        record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now)


def begin_wrap_up(
    story: TaskWithReservations, *, reason: str | None = None, actor: Actor, now: datetime
) -> None:
    """Move an assigned task and its accepted reservation to wrapping.

    A giver who is still in a warm transfer is completed.
    """
    story.task.reason = reason
    set_task_status(story.task, AssignmentStatus.WRAPPING, fields=["reason"], now=now)
    record_task_event(
        EventType.TASK_WRAPUP, story.task, actor=actor, now=now, more=list_holders(story)
    )
    for reservation in story.reservations:
        over = reservation.outgoing_id is not None
        status = ReservationStatus.COMPLETED if over else ReservationStatus.WRAPPING
        move_reservation(reservation, status, actor=actor, now=now)


def end_reservations(story: TaskWithReservations, *, actor: Actor, now: datetime) -> None:
    """End every open reservation of a finished task: offers as canceled, work as completed."""
    for reservation in story.reservations:
        offered = reservation.reservation_status == ReservationStatus.PENDING
        status = ReservationStatus.CANCELED if offered else ReservationStatus.COMPLETED
        move_reservation(reservation, status, actor=actor, now=now)
    story.reservations.clear()


def set_task_status(
    task: models.Task, status: AssignmentStatus, *, fields: list[str], now: datetime
) -> None:
    """Store a task's new status and the named fields of the task object.

    Raises `InvalidTransition`, or `StaleState` when the task has changed since it was read.
    """
    current = AssignmentStatus(task.assignment_status)
    lifecycle.check(current, status)
    task.assignment_status = status.value
    write_task(task, fields=["assignment_status", *fields], expected=current, now=now)


def write_task(
    task: models.Task, *, fields: list[str], expected: AssignmentStatus, now: datetime
) -> None:
    """Store named fields of a task and advance its version, if its status is still as expected."""
    seen = task.version
    task.version = seen + 1
    task.date_updated = now
    values = {name: getattr(task, name) for name in {*fields, "version", "date_updated"}}
    changed = models.Task.objects.filter(
        pk=task.pk, version=seen, assignment_status=expected.value
    ).update(**values)
    if not changed:
        raise StaleState(f"task {task.sid} has changed; read it again and retry")


def list_holders(story: TaskWithReservations) -> EventData:
    """Return the event field with the sids of the task's workers, who are notified."""
    return {"holder_sids": ",".join(r.worker_sid for r in story.reservations)}
