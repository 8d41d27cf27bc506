"""Move a reservation to its next status, with its slot.

This is the only place where capacity is freed. All rows were locked by
`locking.lock_task_and_workers`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import F

from routing import models
from routing.actions.support import activity_moves, transfer_progress
from routing.actions.support.errors import StaleState
from routing.actors import Actor
from routing.core import lifecycle
from routing.core.clock import SECOND, elapsed_ms, microseconds
from routing.core.event_catalog import RESERVATION_EVENTS
from routing.core.vocabulary import ReservationEnd, ReservationStatus, WrapUpEnd
from routing.db.compiled import BIG_INTEGER, FLAG, INTEGER, MOMENT, TEXT, CompiledUpdate
from routing.db.pipeline import Pending, check_later, pipeline
from routing.events import payloads, recorder
from routing.fields.declarations import EventData


def move_reservation(
    reservation: models.Reservation,
    status: ReservationStatus,
    *,
    ended_by: ReservationEnd = ReservationEnd.WORK,
    more: EventData | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a reservation to its next status, with its slot, its worker's activity and its event.

    Arguments:
        ended_by: what ends the work, for the status `completed`.
        more: further fields of the event.

    Raises `InvalidTransition`, or `StaleState` when it has changed since the caller read it; in a
    `pipeline` block, at the end of it. All statements are sent before the result is known, so the
    caller must roll back.
    """
    current = ReservationStatus(reservation.reservation_status)
    lifecycle.check_transition(current, status)
    reservation.reservation_status = status.value
    reservation.version += 1
    reservation.date_updated = now
    if status == ReservationStatus.ACCEPTED:
        reservation.date_accepted = now
    elif status == ReservationStatus.WRAPPING:
        reservation.date_wrapping = now
        _set_wrap_up_deadline(reservation, now)
    elif status == ReservationStatus.REJECTED:
        reservation.paused_until_us = _find_end_of_pause(reservation, now)
    first_transfer_date = transfer_progress.load_first_transfer_date(reservation)
    with pipeline():
        moved = _send_move(reservation, current, status, now)
        _count_slot(reservation, before=current, after=status)
        recorder.record(
            RESERVATION_EVENTS[status],
            workspace=reservation.task.workspace,
            resource_sid=reservation.sid,
            data=payloads.describe_reservation(reservation)
            | transfer_progress.describe_outcome(reservation, status, now=now)
            | _describe_move(reservation, status, ended_by, now)
            | (more or {}),
            actor=actor,
            now=now,
            task=reservation.task,
            handed_on=first_transfer_date,
        )

    def check_moved() -> None:
        if not moved.result():
            raise StaleState(f"reservation {reservation.sid} is no longer {current}")

    check_later(check_moved)
    activity_moves.move_worker_for_reservation(reservation, status, actor=actor, now=now)


def _describe_move(
    reservation: models.Reservation,
    status: ReservationStatus,
    ended_by: ReservationEnd,
    now: datetime,
) -> EventData:
    """Return what only the event of this move says: the first answer, or how the work ended."""
    if status == ReservationStatus.ACCEPTED:
        first = reservation.incoming_id is None and not reservation.task.answered_before
        return {"reservation_first": "true" if first else "false"}
    if status != ReservationStatus.COMPLETED:
        return {}
    data: EventData = {"reservation_ended_by": ended_by.value}
    if reservation.date_accepted is not None:
        data["reservation_handled_ms"] = str(elapsed_ms(reservation.date_accepted, now))
    if reservation.date_wrapping is not None:
        data["reservation_wrapping_ms"] = str(elapsed_ms(reservation.date_wrapping, now))
    return data


def _send_move(
    reservation: models.Reservation,
    current: ReservationStatus,
    status: ReservationStatus,
    now: datetime,
) -> Pending[int]:
    """Send the update of the row, with the columns that belong to the new status."""
    row = reservation
    match status:
        case ReservationStatus.ACCEPTED:
            return _ACCEPT.send(row.pk, current.value, now, now)
        case ReservationStatus.WRAPPING:
            deadline = (row.wrap_up_deadline_us, row.wrap_up_completes)
            return _WRAP_UP.send(row.pk, current.value, now, now, *deadline)
        case ReservationStatus.REJECTED:
            rejection = (row.rejection_reason, row.paused_until_us)
            return _REJECT.send(row.pk, current.value, now, *rejection)
        case ReservationStatus.COMPLETED:
            outcome = (row.outcome_code, row.outcome_note)
            return _COMPLETE.send(row.pk, current.value, now, *outcome)
    return _MOVE.send(row.pk, current.value, status.value, now)


def _set_wrap_up_deadline(reservation: models.Reservation, now: datetime) -> None:
    """Set until when the task may be wrapped up, as its queue says now."""
    queue = reservation.task.task_queue
    if queue is None or queue.wrap_up_limit is None:
        return
    reservation.wrap_up_deadline_us = microseconds(now) + queue.wrap_up_limit * SECOND
    reservation.wrap_up_completes = queue.wrap_up_end == WrapUpEnd.COMPLETE


def _find_end_of_pause(reservation: models.Reservation, now: datetime) -> int | None:
    """Return until when a rejected task is not offered to the worker again, if there is a pause.

    An offer of a transfer is made to each worker only once anyway.
    """
    pause = reservation.task.workspace.rejection_pause
    if not pause or reservation.incoming_id is not None:
        return None
    return microseconds(now) + pause * SECOND


def _count_slot(
    reservation: models.Reservation, *, before: ReservationStatus, after: ReservationStatus
) -> None:
    """Free the slot if the reservation ends, and count the change on its worker."""
    freed = int(after not in lifecycle.OPEN_RESERVATION)
    assigned = int(after == ReservationStatus.ACCEPTED) - int(before == ReservationStatus.ACCEPTED)
    _COUNT.send(reservation.worker_channel_id, freed, assigned)
    _COUNT_WORKLOAD.send(reservation.worker_id)


def _build_move(
    pk: Any, before: Any, after: Any, now: Any, **columns: Any
) -> tuple[models.Reservations, dict[str, Any]]:
    """Return a conditional move of a reservation, and what it sets in further columns."""
    row = models.Reservation.objects.filter(pk=pk, reservation_status=before)
    moved = {"reservation_status": after, "version": F("version") + 1, "date_updated": now}
    return row, moved | columns


_MOVE: Final = CompiledUpdate(
    lambda pk, before, after, now=MOMENT: _build_move(pk, before, after, now)
)
_ACCEPT: Final = CompiledUpdate(
    lambda pk, before, now=MOMENT, accepted=MOMENT: _build_move(
        pk, before, ReservationStatus.ACCEPTED.value, now, date_accepted=accepted
    )
)
_WRAP_UP: Final = CompiledUpdate(
    lambda pk, before, now=MOMENT, begun=MOMENT, deadline=BIG_INTEGER, completes=FLAG: _build_move(
        pk,
        before,
        ReservationStatus.WRAPPING.value,
        now,
        date_wrapping=begun,
        wrap_up_deadline_us=deadline,
        wrap_up_completes=completes,
    )
)
_REJECT: Final = CompiledUpdate(
    lambda pk, before, now=MOMENT, reason=TEXT, until=BIG_INTEGER: _build_move(
        pk,
        before,
        ReservationStatus.REJECTED.value,
        now,
        rejection_reason=reason,
        paused_until_us=until,
    )
)
_COMPLETE: Final = CompiledUpdate(
    lambda pk, before, now=MOMENT, code=TEXT, note=TEXT: _build_move(
        pk,
        before,
        ReservationStatus.COMPLETED.value,
        now,
        outcome_code=code,
        outcome_note=note,
    )
)
_COUNT: Final = CompiledUpdate(
    lambda pk, freed=INTEGER, assigned=INTEGER: (
        models.WorkerChannel.objects.filter(pk=pk),
        {"consumed": F("consumed") - freed, "assigned": F("assigned") + assigned},
    )
)
_COUNT_WORKLOAD: Final = CompiledUpdate(
    lambda pk: (
        models.Worker.objects.filter(pk=pk),
        {"workload_version": F("workload_version") + 1},
    )
)
