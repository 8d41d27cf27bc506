"""Update a transfer when the offers made for it change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from routing import models
from routing.actions.support.errors import NotNow, StaleState
from routing.actors import Actor
from routing.core import lifecycle
from routing.core.clock import microseconds
from routing.core.event_catalog import TRANSFER_EVENTS, EventType
from routing.core.vocabulary import ReservationStatus, TransferMode, TransferStatus, TransferType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData

_ACCEPTED: Final = ReservationStatus.ACCEPTED.value
NOT_ACCEPTED: Final = "no worker of the queue accepted it in time"
_REASONS: Final = {
    ReservationStatus.REJECTED: "the worker rejected it",
    ReservationStatus.TIMEOUT: "the worker did not answer in time",
}
_WITHDRAWN: Final = "the offer was withdrawn"


def find_initiating_reservation(
    reservations: Sequence[models.Reservation],
) -> models.Reservation | None:
    """Return which of a task's open reservations is being transferred, or was in warm mode."""
    return next((r for r in reservations if r.outgoing_id is not None), None)


def find_current_transfer(reservations: Sequence[models.Reservation]) -> models.Transfer | None:
    """Return the transfer in progress of a task, from its open reservations."""
    initiating = find_initiating_reservation(reservations)
    if initiating is None or initiating.outgoing is None:
        return None
    started = initiating.outgoing.transfer_status == TransferStatus.INITIATED
    return initiating.outgoing if started else None


def load_first_transfer_date(reservation: models.Reservation) -> datetime | None:
    """Return when a task was first transferred, if this reservation accepts a transfer."""
    if reservation.incoming_id is None or reservation.reservation_status != _ACCEPTED:
        return None
    of_task = models.Transfer.objects.filter(task=reservation.task_id)
    return of_task.order_by("pk").values_list("date_created", flat=True)[0]


def refuse_during_transfer(task: models.Task, reservations: Sequence[models.Reservation]) -> None:
    """Raise `NotNow` while a task is being transferred."""
    if (transfer := find_current_transfer(reservations)) is not None:
        raise NotNow(
            f"Task {task.sid} is being transferred by {transfer.sid}; cancel the transfer first"
        )


def update_transfer(
    task: models.Task, reservations: Sequence[models.Reservation], *, actor: Actor, now: datetime
) -> models.Reservation | None:
    """Update the transfer of a task to match the offers made for it.

    Arguments:
        reservations: those that were open before the present change.

    Returns the reservation that ends with the transfer: the initiating's, in cold mode.
    """
    transfer = find_current_transfer(reservations)
    initiating = find_initiating_reservation(reservations)
    if transfer is None or initiating is None:
        return None
    for offer in reservations:
        if offer.incoming_id != transfer.pk:
            continue
        status = ReservationStatus(offer.reservation_status)
        if status == ReservationStatus.ACCEPTED:
            end_transfer(initiating, TransferStatus.COMPLETE, task=task, actor=actor, now=now)
            return initiating if transfer.transfer_mode == TransferMode.COLD else None
        if status not in lifecycle.OPEN_RESERVATION:
            _fail_attempt(initiating, task, status, actor, now)
            return None
    return None


def describe_outcome(
    offer: models.Reservation, status: ReservationStatus, *, now: datetime
) -> EventData:
    """Return the transfer fields for the event of an offer's new status.

    That event is recorded before those of the transfer. It shows the transfer as it will be after
    them.
    """
    transfer = offer.incoming
    if transfer is None or transfer.transfer_status != TransferStatus.INITIATED:
        return {}
    after, reason = TransferStatus.INITIATED, transfer.transfer_failed_reason
    if status == ReservationStatus.ACCEPTED:
        after = TransferStatus.COMPLETE
    elif status not in lifecycle.OPEN_RESERVATION and (
        failure := _find_failure(transfer, status, now)
    ):
        after, reason = TransferStatus.FAILED, failure
    return {"transfer_status": after.value, "transfer_failed_reason": reason}


def _find_failure(
    transfer: models.Transfer, status: ReservationStatus, now: datetime
) -> str | None:
    """Return why an attempt's end in this status ends the transfer; None if it continues."""
    if transfer.transfer_type == TransferType.WORKER:
        return _REASONS.get(status, _WITHDRAWN)
    return NOT_ACCEPTED if transfer.deadline_us <= microseconds(now) else None


def _fail_attempt(
    initiating: models.Reservation,
    task: models.Task,
    status: ReservationStatus,
    actor: Actor,
    now: datetime,
) -> None:
    transfer = initiating.outgoing
    assert transfer is not None
    transfer.transfer_failed_reason = _REASONS.get(status, _WITHDRAWN)
    record_transfer_event(
        EventType.TASK_TRANSFER_ATTEMPT_FAILED, initiating, task=task, actor=actor, now=now
    )
    if (reason := _find_failure(transfer, status, now)) is not None:
        end_transfer(
            initiating, TransferStatus.FAILED, reason=reason, task=task, actor=actor, now=now
        )
    else:
        transfer.transfer_failed_reason = None
        mark_searching(transfer, True, now=now)


def mark_searching(transfer: models.Transfer, seeking: bool, *, now: datetime) -> None:
    """Set whether the router must find a worker; raises `StaleState` when the transfer is over."""
    _write_transfer(transfer, now, seeking=seeking)


def end_transfer(
    initiating: models.Reservation,
    status: TransferStatus,
    *,
    reason: str | None = None,
    task: models.Task,
    actor: Actor,
    now: datetime,
) -> None:
    """End the transfer of a reservation; the caller updates the task's status afterwards.

    Raises `StaleState` when it is over already.
    """
    transfer = initiating.outgoing
    assert transfer is not None
    _write_transfer(
        transfer,
        now,
        seeking=False,
        transfer_status=status.value,
        transfer_failed_reason=reason,
    )
    record_transfer_event(TRANSFER_EVENTS[status], initiating, task=task, actor=actor, now=now)
    if status != TransferStatus.COMPLETE:
        initiating.outgoing = None
        models.Reservation.objects.filter(pk=initiating.pk).update(outgoing=None)


def _write_transfer(transfer: models.Transfer, now: datetime, **values: object) -> None:
    current = TransferStatus.INITIATED.value
    changed = models.Transfer.objects.filter(pk=transfer.pk, transfer_status=current).update(
        date_updated=now, **values
    )
    if not changed:
        raise StaleState(f"transfer {transfer.sid} is over")
    for name, value in values.items():
        setattr(transfer, name, value)
    transfer.date_updated = now


def record_transfer_event(
    event_type: EventType,
    initiating: models.Reservation,
    *,
    task: models.Task,
    actor: Actor,
    now: datetime,
) -> None:
    """Record an event about the transfer of a reservation."""
    assert initiating.outgoing is not None
    data = (
        payloads.describe_task(task)
        | payloads.describe_worker(initiating.current_worker)
        | payloads.describe_transfer(initiating.outgoing)
    )
    recorder.record(
        event_type,
        workspace=task.workspace,
        resource_sid=task.sid,
        data=data,
        actor=actor,
        now=now,
        task=task,
    )
