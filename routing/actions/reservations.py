"""Accept, reject, time out and cancel offers, and wrap up or complete accepted work."""

from __future__ import annotations

from datetime import datetime

from routing import models
from routing.actions import task_transitions
from routing.actions.support import activity_moves, locking, transfer_progress
from routing.actions.support.errors import InvalidInput, NotNow, Rescinded, StaleState
from routing.actions.support.outcomes import Outcome, set_outcome
from routing.actions.support.reservation_moves import move_reservation
from routing.actions.support.versions import check_version
from routing.actors import SYSTEM, Actor
from routing.core.clock import microseconds
from routing.core.decisions import Reason
from routing.core.event_catalog import EventType
from routing.core.lifecycle import HELD_RESERVATION, InvalidTransition, check_transition
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.db.pipeline import pipeline
from routing.events import payloads, recorder
from routing.fields.declarations import EventData


def accept_reservation(
    *,
    reservation: models.Reservation,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Accept an offer: the worker gets the task, and its other offers are rescinded."""
    return _answer(reservation, ReservationStatus.ACCEPTED, actor, now, if_version)


def reject_reservation(
    *,
    reservation: models.Reservation,
    activity: models.Activity | None = None,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Reject an offer; move the worker to `activity` if one is given.

    Arguments:
        reason: one of the workspace's reasons to reject.
    """
    if reason is not None:
        reason = _check_reason(reservation, reason)
    return _answer(
        reservation, ReservationStatus.REJECTED, actor, now, if_version, activity, reason
    )


def _check_reason(reservation: models.Reservation, reason: str) -> str | None:
    """Return a reason that the workspace lists; an empty one is none."""
    reason = reason.strip()
    known = reservation.workspace.rejection_reasons.splitlines()
    if not reason or reason in known:
        return reason or None
    right = f"one of {', '.join(map(repr, known))}" if known else "none, as the workspace has none"
    raise InvalidInput(
        f"rejection_reason is {reason[:60]!r}; it must be {right}", field="rejection_reason"
    )


def _answer(
    reservation: models.Reservation,
    status: ReservationStatus,
    actor: Actor,
    now: datetime,
    if_version: int | None,
    activity: models.Activity | None = None,
    reason: str | None = None,
) -> models.Reservation:
    """Apply an answer if it is in time.

    An answer after the deadline is too late even when no cycle has expired the offer yet. The offer
    is timed out, which is committed, and then the answer is refused.
    """
    current, late = _answer_now(reservation, status, actor, now, if_version, activity, reason)
    if late:
        raise _refuse_move(current, status)
    return current


@locking.retry_on_conflict
def _answer_now(
    reservation: models.Reservation,
    status: ReservationStatus,
    actor: Actor,
    now: datetime,
    if_version: int | None,
    activity: models.Activity | None,
    reason: str | None,
) -> tuple[models.Reservation, bool]:
    """Apply an answer, or time the offer out; return whether the answer was too late."""
    locked, current = _lock_open_reservation(reservation, status, if_version)
    late = (
        current.reservation_status == ReservationStatus.PENDING
        and current.deadline_us <= microseconds(now)
    )
    if late:
        _time_out(locked, current, now=now)
        return current, True
    current.rejection_reason = reason
    move_reservation_and_task(locked, current, status, actor=actor, now=now)
    if activity is not None:
        activity_moves.move_worker(current.current_worker, activity, actor=actor, now=now)
    return current, False


def move_reservation_and_task(
    locked: locking.TaskWithReservations,
    reservation: models.Reservation,
    status: ReservationStatus,
    *,
    more: EventData | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a locked reservation to a status, and update its task.

    Arguments:
        more: further fields of the reservation's event.
    """
    try:
        check_transition(ReservationStatus(reservation.reservation_status), status)
    except InvalidTransition:
        raise _refuse_move(reservation, status) from None
    if status == ReservationStatus.ACCEPTED:
        _accept(locked, reservation, more, actor, now)
    else:
        move_reservation(reservation, status, more=more, actor=actor, now=now)
        task_transitions.derive_task_status(locked, actor=actor, now=now)


def _accept(
    locked: locking.TaskWithReservations,
    reservation: models.Reservation,
    more: EventData | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Accept an offer, rescind the other offers and update the task, all in one round trip."""
    accepted, rescinded = ReservationStatus.ACCEPTED, ReservationStatus.RESCINDED
    with pipeline():
        move_reservation(reservation, accepted, more=more, actor=actor, now=now)
        for sibling in locked.reservations:
            # The worker who transfers the task keeps the reservation for now.
            if sibling is not reservation and sibling.outgoing_id is None:
                move_reservation(sibling, rescinded, actor=actor, now=now)
        task_transitions.derive_task_status(locked, actor=actor, now=now)


@locking.retry_on_conflict
def time_out_reservation(*, sid: str, now: datetime) -> None:
    """End an offer whose time is up; raises `StaleState` when it was answered already."""
    task_id = models.Reservation.objects.filter(sid=sid).values_list("task_id", flat=True).first()
    if task_id is None:
        raise StaleState("the reservation no longer exists; it was deleted")
    locked = locking.lock_task_and_workers(task_id)
    current = locked.open_reservation(sid)
    if (
        current is None
        or current.reservation_status != ReservationStatus.PENDING
        or current.deadline_us > microseconds(now)
    ):
        raise StaleState(f"reservation {sid} has been answered already")
    _time_out(locked, current, now=now)


def _time_out(
    locked: locking.TaskWithReservations, reservation: models.Reservation, *, now: datetime
) -> None:
    move_reservation(reservation, ReservationStatus.TIMEOUT, actor=SYSTEM, now=now)
    task_transitions.derive_task_status(locked, actor=SYSTEM, now=now)


@locking.retry_on_conflict
def cancel_offer(*, reservation: models.Reservation, actor: Actor, now: datetime) -> None:
    """Withdraw an offer whose assignment callback failed; the worker's activity stays.

    Raises `StaleState` when the offer was answered already.
    """
    locked = locking.lock_task_and_workers(reservation.task_id)
    current = locked.open_reservation(reservation.sid)
    if current is None or current.reservation_status != ReservationStatus.PENDING:
        raise StaleState(f"reservation {reservation.sid} has been answered already")
    move_reservation_and_task(locked, current, ReservationStatus.CANCELED, actor=actor, now=now)


@locking.retry_on_conflict
def withdraw_offers(
    *, task: models.Task, actor: Actor, now: datetime, if_version: int | None = None
) -> int:
    """Withdraw all offers of a task, which waits again; return how many there were.

    Raises `NotNow` when it is not on offer, or is being transferred.
    """
    locked = locking.lock_task_and_workers(task.pk)
    check_version(locked.task, if_version)
    transfer_progress.refuse_during_transfer(locked.task, locked.reservations)
    open_offers = [
        each for each in locked.reservations if each.reservation_status == ReservationStatus.PENDING
    ]
    if not open_offers:
        raise NotNow(
            f"Cannot withdraw offers of task {task.sid}: it is {locked.task.assignment_status},"
            " not on offer."
        )
    for offer in open_offers:
        move_reservation(offer, ReservationStatus.CANCELED, actor=actor, now=now)
    task_transitions.derive_task_status(locked, actor=actor, now=now)
    return len(open_offers)


@locking.retry_on_conflict
def wrap_up_reservation(
    *,
    reservation: models.Reservation,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Begin wrapping up accepted work and its task."""
    locked, current = _lock_open_reservation(reservation, ReservationStatus.WRAPPING, if_version)
    if current.reservation_status != ReservationStatus.ACCEPTED:
        raise _refuse_move(current, ReservationStatus.WRAPPING)
    transfer_progress.refuse_during_transfer(locked.task, locked.reservations)
    if current.outgoing_id is None:
        task_transitions.begin_wrap_up(locked, actor=actor, now=now)
    else:
        task_transitions.leave_after_transfer(locked, current, actor=actor, now=now)
    return current


@locking.retry_on_conflict
def extend_wrap_up(
    *,
    reservation: models.Reservation,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Give a worker as much time again for wrapping up: once, and before the time is over.

    The version stays, because sessions of the SDK count it by the events that are pushed to them.
    """
    locked = locking.lock_task_and_workers(reservation.task_id)
    current = locked.open_reservation(reservation.sid)
    if current is None or current.reservation_status != ReservationStatus.WRAPPING:
        raise NotNow(f"Reservation {reservation.sid} is not in wrap-up.")
    check_version(current, if_version)
    deadline, begun = current.wrap_up_deadline_us, current.date_wrapping
    if deadline is None or begun is None:
        raise NotNow(f"The wrap-up of reservation {current.sid} has no limit.")
    if current.wrap_up_extended:
        raise NotNow(f"The wrap-up of reservation {current.sid} was extended already.")
    if deadline <= microseconds(now):
        raise NotNow(f"The time for the wrap-up of reservation {current.sid} is over.")
    current.wrap_up_deadline_us = deadline + (deadline - microseconds(begun))
    current.wrap_up_extended = True
    current.date_updated = now
    changed = models.Reservation.objects.filter(
        pk=current.pk,
        reservation_status=ReservationStatus.WRAPPING.value,
        wrap_up_extended=False,
    ).update(
        wrap_up_deadline_us=current.wrap_up_deadline_us,
        wrap_up_extended=True,
        date_updated=now,
    )
    if not changed:
        raise StaleState(f"reservation {current.sid} has changed; read it again and retry")
    recorder.record(
        EventType.RESERVATION_WRAPUP_EXTENDED,
        workspace=locked.task.workspace,
        resource_sid=current.sid,
        data=payloads.describe_reservation(current),
        actor=actor,
        now=now,
    )
    return current


def save_outcome_draft(*, reservation: models.Reservation, outcome: Outcome) -> None:
    """Keep what a worker has chosen so far; the completion of their reservation stores it.

    No event tells of it: the one of the completion does. Raises `NotNow` once it is over.
    """
    set_outcome(reservation, outcome)
    held = models.Reservation.objects.filter(
        pk=reservation.pk, reservation_status__spelled=HELD_RESERVATION
    )
    if not held.update(
        outcome_code=reservation.outcome_code, outcome_note=reservation.outcome_note
    ):
        raise NotNow(f"Reservation {reservation.sid} is over; its outcome stays as it is.")


@locking.retry_on_conflict
def complete_overdue_wrap_up(*, sid: str, now: datetime) -> None:
    """Complete a task whose time for wrapping up is over.

    Raises `StaleState` when it was completed already, or its worker has more time.
    """
    task_id = models.Reservation.objects.filter(sid=sid).values_list("task_id", flat=True).first()
    if task_id is None:
        raise StaleState("the reservation no longer exists; it was deleted")
    locked = locking.lock_task_and_workers(task_id)
    current = locked.open_reservation(sid)
    if (
        current is None
        or current.reservation_status != ReservationStatus.WRAPPING
        or not current.wrap_up_completes
        or current.wrap_up_deadline_us is None
        or current.wrap_up_deadline_us > microseconds(now)
    ):
        raise StaleState(f"the wrap-up of reservation {sid} is not over")
    task_transitions.end_task(
        locked,
        AssignmentStatus.COMPLETED,
        reason=locked.task.reason or Reason.WRAP_UP_OVER,
        actor=SYSTEM,
        now=now,
    )


@locking.retry_on_conflict
def complete_reservation(
    *,
    reservation: models.Reservation,
    reason: str | None = None,
    outcome: Outcome | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Complete a worker's reservation and its task.

    Arguments:
        outcome: how the task ended.
    """
    locked, current = _lock_open_reservation(reservation, ReservationStatus.COMPLETED, if_version)
    if current.reservation_status == ReservationStatus.PENDING:
        raise _refuse_move(current, ReservationStatus.COMPLETED)
    transfer_progress.refuse_during_transfer(locked.task, locked.reservations)
    if outcome is not None:
        set_outcome(current, outcome)
    if current.outgoing_id is None:
        completed = AssignmentStatus.COMPLETED
        task_transitions.end_task(locked, completed, reason=reason, actor=actor, now=now)
    else:
        task_transitions.leave_after_transfer(locked, current, actor=actor, now=now)
    return current


def _lock_open_reservation(
    reservation: models.Reservation, wanted: ReservationStatus, if_version: int | None
) -> tuple[locking.TaskWithReservations, models.Reservation]:
    """Lock a reservation's task; raises the error for the caller when the reservation is over."""
    locked = locking.lock_task_and_workers(reservation.task_id)
    current = locked.open_reservation(reservation.sid)
    if current is None:
        reservation = locking.reread(reservation)
        check_version(reservation, if_version)
        raise _refuse_move(reservation, wanted)
    check_version(current, if_version)
    return locked, current


def _refuse_move(reservation: models.Reservation, wanted: ReservationStatus) -> NotNow:
    if (
        reservation.reservation_status == ReservationStatus.RESCINDED
        and wanted == ReservationStatus.ACCEPTED
    ):
        return Rescinded(
            f"Reservation {reservation.sid} was rescinded: another worker accepted the task first."
        )
    return NotNow(
        f"Reservation {reservation.sid} is already in state"
        f" [{reservation.reservation_status}] and cannot go to [{wanted}]."
    )
