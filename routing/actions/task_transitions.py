"""Cancel, wrap up, complete and delete tasks, and derive the status of live tasks.

All ways in which a task ends are here; `task_deadlines` decides about overdue ones, many at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Unpack

from routing import models
from routing.actions.support import lanes, locking, transfer_progress
from routing.actions.support.errors import NotNow, StaleState
from routing.actions.support.locking import TaskWithReservations
from routing.actions.support.outcomes import Outcome, set_outcome
from routing.actions.support.reservation_moves import move_reservation
from routing.actions.support.task_changes import (
    TaskChanges,
    set_task_status,
    set_task_values,
    write_task,
)
from routing.actions.support.task_events import list_holders, record_task_event
from routing.actions.support.versions import check_version
from routing.actors import Actor
from routing.core import lifecycle
from routing.core.decisions import Reason
from routing.core.event_catalog import TASK_EVENTS, EventType
from routing.core.vocabulary import (
    AssignmentStatus,
    ReservationEnd,
    ReservationStatus,
    TransferStatus,
)
from routing.db.pipeline import pipeline
from routing.fields.declarations import EventData
from routing.fields.tasks import TASK

MAX_ASSIGNMENTS: Final = 1_000
"""How often a task may go from pending to reserved before the router cancels it."""

END_FIELDS: Final = ("reason", "date_finished", "lane")
"""Fields that `set_end_values` changes, and its caller writes with the status."""

_REFUSALS: Final = {
    AssignmentStatus.CANCELED: ("cancel", "not pending or reserved"),
    AssignmentStatus.WRAPPING: ("wrap up", "not currently assigned"),
    AssignmentStatus.COMPLETED: ("complete", "not currently assigned"),
}
"""Words of the refusal for each status: what cannot be done, and why."""


def cancel_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Cancel a task that no worker has accepted; its offers are withdrawn.

    Arguments:
        changes: further changes in the same transaction; see `update_task`. New attributes are
            stored, but no longer route the task.

    Raises `NotNow` or `StaleState`.
    """
    status = AssignmentStatus.CANCELED
    return _change_status(task, status, changes, reason, if_version, actor=actor, now=now)


def wrap_up_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    held_by: models.Worker | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Wrap up a task: the conversation is over, the work is not, and the slot stays in use.

    Arguments:
        held_by, changes: the worker who must hold the task, and further changes; see
            `update_task`.

    Raises `NotHeld`, `NotNow` or `StaleState`.
    """
    status = AssignmentStatus.WRAPPING
    return _change_status(task, status, changes, reason, if_version, held_by, actor=actor, now=now)


def complete_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    held_by: models.Worker | None = None,
    outcome: Outcome | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Complete an assigned or wrapping task, which frees its slot.

    Arguments:
        outcome: how it ended, stored on the reservation of the worker who has it.
        held_by, changes: the worker who must hold the task, and further changes; see
            `update_task`.

    Raises `InvalidInput`, `NotHeld`, `NotNow` or `StaleState`.
    """
    status = AssignmentStatus.COMPLETED
    return _change_status(
        task, status, changes, reason, if_version, held_by, outcome, actor=actor, now=now
    )


@locking.retry_on_conflict
def _change_status(
    task: models.Task,
    status: AssignmentStatus,
    changes: TaskChanges,
    reason: str | None,
    if_version: int | None,
    held_by: models.Worker | None = None,
    outcome: Outcome | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> models.Task:
    """Move a task to a status that a caller asks for, with further changes.

    After a warm transfer two workers have the task. If the first of them asks, only their
    reservation ends.
    """
    locked = locking.lock_task_and_workers(task.pk)
    task = locked.task
    check_version(task, if_version)
    locked.check_held_by(held_by)
    _check_transition(locked, status)
    before = TASK.values(task) if changes else {}
    fields = set_task_values(task, changes, now=now)
    more = TASK.describe_changes(before, task) if changes else None
    leaving = _find_leaving_reservation(locked, actor)
    if outcome is not None:
        set_outcome(leaving or _find_owning_reservation(locked), outcome)
    if leaving is not None:
        if fields:
            write_task(
                task, fields=fields, expected=AssignmentStatus(task.assignment_status), now=now
            )
        leave_after_transfer(locked, leaving, actor=actor, now=now)
    elif status == AssignmentStatus.WRAPPING:
        begin_wrap_up(locked, reason=reason, fields=fields, actor=actor, now=now)
    else:
        told = more if status == AssignmentStatus.COMPLETED else None
        end_task(locked, status, reason=reason, fields=fields, more=told, actor=actor, now=now)
    if fields and task.assignment_status != AssignmentStatus.COMPLETED:
        # The end of a completed task has recorded this event.
        record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now, more=more)
    return task


def _check_transition(locked: TaskWithReservations, status: AssignmentStatus) -> None:
    """Raise `NotNow` unless a locked task may go to a status."""
    task = locked.task
    transfer_progress.refuse_during_transfer(task, locked.reservations)
    try:
        lifecycle.check_transition(AssignmentStatus(task.assignment_status), status)
    except lifecycle.InvalidTransition:
        verb, why = _REFUSALS[status]
        raise NotNow(
            f"Cannot {verb} task {task.sid} in workspace {task.workspace.sid} for account"
            f" {task.workspace.account.sid} since it is {why} (it is {task.assignment_status})."
        ) from None


def _find_leaving_reservation(
    locked: TaskWithReservations, actor: Actor
) -> models.Reservation | None:
    """Return the actor's reservation if they are the first worker after a warm transfer."""
    initiating = transfer_progress.find_initiating_reservation(locked.reservations)
    if initiating is None or (actor.type, actor.sid) != ("worker", initiating.worker_sid):
        return None
    return initiating


def _find_owning_reservation(locked: TaskWithReservations) -> models.Reservation:
    """Return the reservation of the worker who has an assigned or wrapping task."""
    return next(
        each
        for each in locked.reservations
        if each.reservation_status in lifecycle.HELD_RESERVATION and each.outgoing_id is None
    )


def leave_after_transfer(
    locked: TaskWithReservations, initiating: models.Reservation, *, actor: Actor, now: datetime
) -> None:
    """End the part of the first worker after a warm transfer; the other keeps the task."""
    move_reservation(initiating, ReservationStatus.COMPLETED, actor=actor, now=now)
    derive_task_status(locked, actor=actor, now=now)


def derive_task_status(locked: TaskWithReservations, *, actor: Actor, now: datetime) -> None:
    """Derive a live task's status from its reservations, and write it.

    A task without open reservations waits again in its step, on the lane for its present
    attributes. A task that has been offered too often is canceled.
    """
    task = locked.task
    was_in_transfer = transfer_progress.find_current_transfer(locked.reservations) is not None
    ending = transfer_progress.update_transfer(task, locked.reservations, actor=actor, now=now)
    if ending is not None:
        move_reservation(ending, ReservationStatus.COMPLETED, actor=actor, now=now)
    locked.drop_ended()
    status = lifecycle.derive_task_status(
        (ReservationStatus(r.reservation_status) for r in locked.reservations),
        in_transfer=transfer_progress.find_current_transfer(locked.reservations) is not None,
    )
    if status == task.assignment_status:
        return
    if status == AssignmentStatus.PENDING and task.assignments >= MAX_ASSIGNMENTS:
        end_task(locked, AssignmentStatus.CANCELED, reason=Reason.EXPIRED, actor=actor, now=now)
        return
    fields = []
    if status == AssignmentStatus.PENDING:
        task.lane = lanes.find_or_create_lane(task, now=now)
        fields.append("lane")
    set_task_status(task, status, fields=fields, now=now)
    if was_in_transfer:
        more = list_holders(locked)
        record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now, more=more)


def begin_wrap_up(
    locked: TaskWithReservations,
    *,
    reason: str | None = None,
    fields: Iterable[str] = (),
    actor: Actor,
    now: datetime,
) -> None:
    """Move an assigned task and its accepted reservation to wrapping.

    The first worker of a warm transfer, who is still with the task, is completed.

    Arguments:
        fields: further fields of the task to write.
    """
    task = locked.task
    task.reason = reason
    with pipeline():
        set_task_status(task, AssignmentStatus.WRAPPING, fields=["reason", *fields], now=now)
        more = list_holders(locked)
        record_task_event(EventType.TASK_WRAPUP, task, actor=actor, now=now, more=more)
        for reservation in locked.reservations:
            is_transferred = reservation.outgoing_id is not None
            status = ReservationStatus.COMPLETED if is_transferred else ReservationStatus.WRAPPING
            move_reservation(reservation, status, actor=actor, now=now)


def end_task(
    locked: TaskWithReservations,
    status: AssignmentStatus,
    *,
    reason: str | None,
    fields: Iterable[str] = (),
    more: EventData | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """End a task as completed or canceled, and every open reservation with it.

    Arguments:
        fields: further fields of the task to write.
        more: what these changes are, for the event `task.updated` of a completed task, or for that
            of the cancellation.

    Raises `InvalidTransition` or `StaleState`.
    """
    task = locked.task
    set_end_values(task, reason, now)
    with pipeline():
        set_task_status(task, status, fields=[*END_FIELDS, *fields], now=now)
        told = list_holders(locked)
        if status == AssignmentStatus.CANCELED:
            told |= more or {}
        record_task_event(TASK_EVENTS[status], task, actor=actor, now=now, more=told)
        _end_reservations(locked, ReservationEnd.WORK, actor=actor, now=now)
        if status == AssignmentStatus.COMPLETED:
            # TaskRouter sends this event too, after all others of the completion.
            record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now, more=more)


def set_end_values(task: models.Task, reason: str | None, now: datetime) -> None:
    """Set the values of a task that ends, beside its status."""
    task.reason = reason
    task.date_finished = now
    task.lane = None


def remove_task(
    locked: TaskWithReservations, event_type: EventType, *, actor: Actor, now: datetime
) -> None:
    """Delete a task in any state: offers end as canceled, accepted work as completed.

    Raises `StaleState` when the task is gone.
    """
    task = locked.task
    initiating = transfer_progress.find_initiating_reservation(locked.reservations)
    transfer = transfer_progress.find_current_transfer(locked.reservations)
    if initiating is not None and transfer is not None:
        transfer_progress.end_transfer(
            initiating, TransferStatus.CANCELED, task=task, actor=actor, now=now
        )
        # Its worker had it; the events of its deletion say so.
        task.assignment_status = AssignmentStatus.ASSIGNED.value
    record_task_event(event_type, task, actor=actor, now=now)
    _end_reservations(locked, ReservationEnd.DELETED, actor=actor, now=now)
    models.Reservation.objects.filter(task=task).delete()
    deleted, _ = models.Task.objects.filter(pk=task.pk).delete()
    if not deleted:
        raise StaleState("the task no longer exists; it was deleted")


def _end_reservations(
    locked: TaskWithReservations, ended_by: ReservationEnd, *, actor: Actor, now: datetime
) -> None:
    """End every open reservation of a finished task: offers as canceled, work as completed."""
    for reservation in locked.reservations:
        is_offer = reservation.reservation_status == ReservationStatus.PENDING
        status = ReservationStatus.CANCELED if is_offer else ReservationStatus.COMPLETED
        move_reservation(reservation, status, ended_by=ended_by, actor=actor, now=now)
    locked.reservations.clear()
