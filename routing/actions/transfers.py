"""Transfer a task to another worker or to a queue, and cancel transfers.

The task stays with its worker until another worker has accepted it. Until then there are two
reservations, each in a slot of its own worker.
"""

from __future__ import annotations

import functools
import json
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from routing import models, sids
from routing.actions import offers, task_transitions
from routing.actions.support import claiming, inputs, locking, transfer_progress
from routing.actions.support.errors import InvalidInput, NotNow, StaleState
from routing.actions.support.reservation_moves import move_reservation
from routing.actions.support.task_changes import check_priority, set_task_status
from routing.actions.support.task_events import list_holders, record_task_event
from routing.actors import SYSTEM, Actor
from routing.core import eligibility
from routing.core.clock import SECOND, microseconds
from routing.core.event_catalog import EventType
from routing.core.vocabulary import (
    AssignmentStatus,
    ReservationOrigin,
    ReservationStatus,
    TransferMode,
    TransferStatus,
    TransferType,
)
from routing.fields.tasks import TASK
from routing.snapshots import transfers as transfer_snapshots
from routing.snapshots import workers as worker_snapshots
from routing.webhooks import outbox
from routing.webhooks.queue import enqueue

CALLS: Final = "voice"
"""The task channel of telephone calls."""
LONGEST_NOTE: Final = 500
"""Characters of a note to the receiver."""


class NeedsTelephone(NotNow):
    """A call can only be transferred by a telephone network, which this server does not have."""


def is_call(task: models.Task) -> bool:
    """Return whether a task, loaded with its channel, is a telephone call."""
    return task.task_channel.unique_name == CALLS


@locking.retry_on_conflict
def begin_transfer(
    *,
    reservation: models.Reservation,
    to: str,
    mode: TransferMode = TransferMode.WARM,
    attributes: str | None = None,
    priority: int | None = None,
    note: str | None = None,
    actor: Actor,
    now: datetime,
) -> models.Transfer:
    """Begin to transfer a task that a worker has accepted.

    A worker gets the offer at once, whatever their capacity. For a queue the router offers it to
    one worker after the other, until the workflow's reservation timeout has passed.

    Arguments:
        reservation: the accepted one, with its workspace.
        to: the sid of a worker or a queue of the workspace.
        attributes: a JSON object whose keys are added to the task's own.
        note: what the receiver reads on the offer, at most `LONGEST_NOTE` characters; its white
            space becomes single spaces.

    Raises `InvalidInput`, `NotNow`, or `NeedsTelephone` for a call.
    """
    workspace = reservation.workspace
    worker = workspace.workers.filter(sid=to).first() if to[:2] == "WK" else None
    queue = workspace.task_queues.filter(sid=to).first() if to[:2] == "WQ" else None
    if worker is None and queue is None:
        raise InvalidInput(f"to {to[:40]!r} is not a worker or queue of this workspace", field="to")
    if worker is not None and worker.pk == reservation.worker_id:
        raise InvalidInput("to is the worker who has the task already", field="to")
    note = inputs.check_text(" ".join((note or "").split()), field="note", limit=LONGEST_NOTE)
    locked = locking.lock_task_and_workers(
        reservation.task_id, joining=[] if worker is None else [worker.pk]
    )
    initiating = locked.open_reservation(reservation.sid)
    _check_may_begin(locked, initiating, reservation)
    assert initiating is not None
    if worker is not None:
        worker = locking.reread(worker, "activity", "workspace")
        if not worker.activity.available:
            raise NotNow(
                f"Worker {worker.friendly_name} is in {worker.activity.friendly_name!r}, which"
                " takes no work"
            )
    task = locked.task
    made = _create_transfer(
        initiating, to, to_queue=worker is None, mode=mode, note=note or None, now=now
    )
    before = TASK.values(task)
    fields = _change_task(task, made, attributes, priority)
    set_task_status(task, AssignmentStatus.RESERVED, fields=fields, now=now)
    started = EventType.TASK_TRANSFER_INITIATED
    transfer_progress.record_transfer_event(started, initiating, task=task, actor=actor, now=now)
    more = list_holders(locked) | TASK.describe_changes(before, task)
    record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now, more=more)
    if worker is not None:
        _offer_to(task, worker, made, within_capacity=False, actor=actor, now=now)
    return made


def _check_may_begin(
    locked: locking.TaskWithReservations,
    initiating: models.Reservation | None,
    asked: models.Reservation,
) -> None:
    transfer_progress.refuse_during_transfer(locked.task, locked.reservations)
    if initiating is None or initiating.reservation_status != ReservationStatus.ACCEPTED:
        status = locking.reread(asked).reservation_status
        raise NotNow(
            f"Reservation {asked.sid} is in state [{status}]; only an accepted one can be"
            " transferred"
        )
    if is_call(locked.task):
        raise NeedsTelephone(
            f"Task {locked.task.sid} is a call; transferring calls is not supported by this server:"
            " there is no telephone network here"
        )
    if transfer_progress.find_initiating_reservation(locked.reservations) is not None:
        raise NotNow(
            f"Task {locked.task.sid} has been transferred, and both workers are with it still;"
            " the first must leave before it is transferred again"
        )


def _create_transfer(
    initiating: models.Reservation,
    to: str,
    *,
    to_queue: bool,
    mode: TransferMode,
    note: str | None,
    now: datetime,
) -> models.Transfer:
    task = initiating.task
    timeout = claiming.find_offer_timeout(task)
    made = models.Transfer(
        sid=sids.new_sid("TT"),
        workspace=task.workspace,
        task=task,
        initiating_reservation_sid=initiating.sid,
        initiating_worker_sid=initiating.worker_sid,
        initiating_queue_sid=None if task.task_queue is None else task.task_queue.sid,
        initiating_workflow_sid=None if task.workflow is None else task.workflow.sid,
        transfer_mode=mode.value,
        transfer_type=(TransferType.QUEUE if to_queue else TransferType.WORKER).value,
        transfer_to=to,
        note=note,
        deadline_us=microseconds(now) + timeout * SECOND,
        seeking=to_queue,
        date_created=now,
        date_updated=now,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise StaleState(f"task {task.sid} is being transferred already") from None
    initiating.outgoing = made
    models.Reservation.objects.filter(pk=initiating.pk).update(outgoing=made)
    return made


def _change_task(
    task: models.Task, made: models.Transfer, attributes: str | None, priority: int | None
) -> list[str]:
    """Apply a transfer's attributes and priority to the task; return the columns to store."""
    # An accepted task must not expire during a transfer.
    task.expires_us = max(task.expires_us, made.deadline_us + SECOND)
    fields = ["expires_us"]
    if attributes is not None:
        own, sent = json.loads(task.attributes), inputs.parse_attributes(attributes)
        task.attributes = inputs.check_attributes(json.dumps(own | sent, ensure_ascii=False))
        fields.append("attributes")
    if priority is not None:
        task.priority = check_priority(priority)
        fields.append("priority")
    return fields


def _offer_to(
    task: models.Task,
    worker: models.Worker,
    transfer: models.Transfer,
    *,
    within_capacity: bool,
    actor: Actor,
    now: datetime,
) -> None:
    slots = models.WorkerChannel.objects.filter(worker=worker)
    slot = slots.filter(task_channel=task.task_channel_id).first()
    if slot is None:
        raise StaleState("the worker no longer exists; it was deleted")
    slot.worker = worker
    offer = claiming.Offer(
        task=task,
        slots=[slot],
        within_capacity=within_capacity,
        origin=ReservationOrigin.TRANSFER,
    )
    made = offers.make_transfer_offer(offer, transfer, actor=actor, now=now)
    for workflow_sid in outbox.owe_questions([made], now=now):
        transaction.on_commit(functools.partial(enqueue, workflow_sid))


@locking.retry_on_conflict
def cancel_transfer(*, transfer: models.Transfer, actor: Actor, now: datetime) -> models.Transfer:
    """Cancel a transfer: its offer is withdrawn, and the task stays with its worker.

    Raises `NotNow` when it is over.
    """
    locked = locking.lock_task_and_workers(transfer.task_id)
    initiating = transfer_progress.find_initiating_reservation(locked.reservations)
    current = transfer_progress.find_current_transfer(locked.reservations)
    if initiating is None or current is None or current.pk != transfer.pk:
        status = locking.reread(transfer).transfer_status
        # TaskRouter's wording, which clients match on, including the blank.
        raise NotNow(f"Transfer {transfer.sid} is already {status} . Cannot cancel transfer.")
    current.transfer_status = TransferStatus.CANCELED.value  # the offer's event shows this
    for offer in locked.reservations:
        if offer.incoming_id == current.pk:
            move_reservation(offer, ReservationStatus.CANCELED, actor=actor, now=now)
    _return_task(locked, initiating, TransferStatus.CANCELED, actor=actor, now=now)
    return current


def offer_to_next_worker(*, transfer: models.Transfer, now: datetime) -> None:
    """Offer a task in transfer to the next worker of the queue, or end the transfer in time.

    The worker is chosen without locks and checked again under lock. Raises `StaleState` when the
    choice is no longer valid.
    """
    if transfer.deadline_us <= microseconds(now):
        _fail_in_time(transfer, now=now)
        return
    asked = transfer_snapshots.list_asked_workers(transfer)
    if (worker_id := transfer_snapshots.find_next_worker(transfer, but=asked, now=now)) is not None:
        _offer_to_worker(transfer, worker_id, now=now)


@locking.retry_on_conflict
def _fail_in_time(transfer: models.Transfer, *, now: datetime) -> None:
    locked, initiating, _ = _lock_searching(transfer)
    reason = transfer_progress.NOT_ACCEPTED
    _return_task(locked, initiating, TransferStatus.FAILED, reason, actor=SYSTEM, now=now)


def _return_task(
    locked: locking.TaskWithReservations,
    initiating: models.Reservation,
    status: TransferStatus,
    reason: str | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """End a transfer that no worker accepted; the task stays with its worker."""
    task = locked.task
    transfer_progress.end_transfer(
        initiating, status, reason=reason, task=task, actor=actor, now=now
    )
    task_transitions.derive_task_status(locked, actor=actor, now=now)
    record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now, more=list_holders(locked))


@locking.retry_on_conflict
def _offer_to_worker(transfer: models.Transfer, worker_id: int, *, now: datetime) -> None:
    locked, _, current = _lock_searching(transfer, joining=worker_id)
    worker = (
        models.Worker.objects.filter(pk=worker_id).select_related("activity", "workspace").first()
    )
    if worker is None:
        raise StaleState("the worker no longer exists; it was deleted")
    if worker_id in transfer_snapshots.list_asked_workers(current):
        raise StaleState(f"worker {worker.sid} has already been offered the transfer")
    candidate = eligibility.Candidate(worker_snapshots.load_worker(worker_id))
    required = transfer_snapshots.load_transfer_requirements(current, now=now)
    if required is None or eligibility.router_refusal(candidate, required) is not None:
        raise StaleState(f"worker {worker.sid} has changed and is no longer eligible")
    transfer_progress.mark_searching(current, False, now=now)
    _offer_to(locked.task, worker, current, within_capacity=True, actor=SYSTEM, now=now)


def _lock_searching(
    transfer: models.Transfer, *, joining: int | None = None
) -> tuple[locking.TaskWithReservations, models.Reservation, models.Transfer]:
    locked = locking.lock_task_and_workers(
        transfer.task_id, joining=[] if joining is None else [joining]
    )
    initiating = transfer_progress.find_initiating_reservation(locked.reservations)
    current = transfer_progress.find_current_transfer(locked.reservations)
    if initiating is None or current is None or current.pk != transfer.pk or not current.seeking:
        raise StaleState(f"transfer {transfer.sid} has changed and no longer seeks a worker")
    current.task, current.workspace = locked.task, locked.task.workspace
    return locked, initiating, current
