"""Offer tasks to workers, many at once, and give a task to a worker by hand."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from routing import models
from routing.actions import reservations
from routing.actions.support import activity_moves, claiming, locking
from routing.actions.support.claiming import Offer
from routing.actions.support.errors import NotEligible, StaleState
from routing.actions.support.versions import check_version
from routing.actors import SYSTEM, Actor
from routing.core import snapshot
from routing.core.clock import SECOND, microseconds
from routing.core.decisions import ReserveWorkers
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationOrigin, ReservationStatus
from routing.db import bulk_insert
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.snapshots import grab_places, requirements
from routing.snapshots import workers as worker_snapshots
from routing.webhooks import outbox, queue

_SLOT: Final = CompiledQuery(
    lambda worker, channel: models.WorkerChannel.objects.filter(
        worker_id=worker, task_channel_id=channel
    ).select_related("worker__activity", "worker__workspace")
)


@transaction.atomic
def reserve_workers(decisions: Sequence[ReserveWorkers], *, now: datetime) -> int:
    """Offer waiting tasks to the workers that one pass of the router chose for them.

    The number of statements is the same for one decision as for hundreds. A decision is dropped if
    its task or a worker has changed since the snapshot. Later decisions about the same workers are
    dropped too, because they build on it. Returns how many decisions were applied.
    """
    rows = claiming.lock_offered_rows(decisions)
    offers: list[Offer] = []
    doubtful: set[int] = set()
    offered: dict[int, tuple[snapshot.Worker, Counter[int]]] = {}
    for decision in decisions:
        found = _check_decision(decision, rows)
        if found is None or not doubtful.isdisjoint(seen.id for seen, _ in decision.workers):
            doubtful.update(seen.id for seen, _ in decision.workers)
            continue
        offers.append(found)
        for seen, _ in decision.workers:
            offered.setdefault(seen.id, (seen, Counter()))[1][found.task.task_channel_id] += 1
    made = make_offers(offers, actor=SYSTEM, now=now)
    _ask_callbacks(made, now)
    if offers:
        advance = worker_snapshots.record_offers
        transaction.on_commit(
            functools.partial(advance, offered.values(), reserved_us=microseconds(now))
        )
    return len(offers)


def _check_decision(decision: ReserveWorkers, rows: claiming.OfferedRows) -> Offer | None:
    """Return the offer for a decision, or None if a row has changed since the snapshot."""
    task = rows.tasks.get(decision.task.id)
    waits = (decision.task.version, AssignmentStatus.PENDING)
    if task is None or (task.version, task.assignment_status) != waits:
        return None
    found = []
    for seen, _ in decision.workers:
        worker = rows.workers.get(seen.id)
        slot = rows.slots.get((seen.id, task.task_channel_id))
        if worker is None or slot is None:
            return None
        if (worker.version, worker.workload_version) != (seen.version, seen.workload_version):
            return None
        found.append(slot)
    return Offer(
        task=task,
        slots=found,
        within_capacity=not decision.ignore_capacity,
        origin=_find_origin(task),
    )


def _find_origin(task: models.Task) -> ReservationOrigin:
    """Return the origin of an offer that the router makes."""
    is_direct = (task.routing_target or "").startswith("WK")
    return ReservationOrigin.DIRECT if is_direct else ReservationOrigin.PUSH


@locking.retry_on_conflict
def grab_task(
    *, task: models.Task, worker: models.Worker, actor: Actor, now: datetime
) -> models.Reservation:
    """Assign a waiting task to a worker who asks for it: offer and accept in one transaction.

    The target's automatic expression is not evaluated. The queue's expression, availability,
    capacity, the queue's grab policy and the target's `grab_expression` are. Of two workers who
    grab the same task, one gets `NotEligible`.

    Raises `StaleState` when the task or the worker has been deleted.
    """
    locked, grabber = _lock_task_for(task, worker, now)
    if refusal := requirements.find_grab_refusal(locked.task, grabber, now=now):
        raise NotEligible(refusal)
    with pipeline():
        slots = _SLOT.send(worker.pk, locked.task.task_channel_id)
        ahead, older = grab_places.send_ahead(locked.task), grab_places.send_older(locked.task)
    place = _describe_place(ahead.result(), older.result())
    made = _make_offer_by_hand(locked, slots.result(), ReservationOrigin.GRAB, actor=actor, now=now)
    reservations.move_reservation_and_task(
        locked, made, ReservationStatus.ACCEPTED, more=place, actor=actor, now=now
    )
    return made


def _describe_place(ahead: grab_places.Ahead, older: int) -> EventData:
    """Return what the event of a grab says of the tasks that waited before it."""
    place: EventData = {"grab_ahead": str(ahead.number), "grab_older": str(older)}
    if ahead.sids:
        place["grab_passed_over"] = " ".join(ahead.sids)
    return place


@locking.retry_on_conflict
def assign_task(
    *,
    task: models.Task,
    worker: models.Worker,
    hand_over: bool = False,
    ignore_capacity: bool = False,
    ignore_expressions: bool = False,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Give a waiting task to the worker that a supervisor names.

    Arguments:
        hand_over: accept it for the worker at once; without it, they answer an offer.
        ignore_capacity, ignore_expressions: see `eligibility.assign_refusal`.
        if_version: refuse with `StaleState` unless the task still has this version.

    Raises `NotEligible`, or `StaleState` when the task or the worker has been deleted.
    """
    locked, receiver = _lock_task_for(task, worker, now)
    check_version(locked.task, if_version)
    refusal = requirements.find_assign_refusal(
        locked.task,
        receiver,
        ignore_capacity=ignore_capacity,
        ignore_expressions=ignore_expressions,
        now=now,
    )
    if refusal is not None:
        raise NotEligible(refusal)
    made = _make_offer_by_hand(
        locked,
        _SLOT(worker.pk, locked.task.task_channel_id),
        ReservationOrigin.ASSIGNED,
        within_capacity=not ignore_capacity,
        actor=actor,
        now=now,
    )
    if hand_over:
        reservations.move_reservation_and_task(
            locked, made, ReservationStatus.ACCEPTED, actor=actor, now=now
        )
    else:
        _ask_callbacks([made], now)
    return made


def _lock_task_for(
    task: models.Task, worker: models.Worker, now: datetime
) -> tuple[locking.TaskWithReservations, snapshot.Worker]:
    """Lock a task and the worker who is to get it; return both as they are now."""
    locked = locking.lock_task_and_workers(task.pk, joining=[worker.pk])
    if locked.task.workspace_id != worker.workspace_id:
        raise NotEligible(Refusal.NOT_IN_QUEUE)
    if locked.task.expires_us <= microseconds(now):
        # Its lifetime is over, though no cycle has ended it yet.
        raise NotEligible(Refusal.TASK_NOT_PENDING)
    try:
        return locked, worker_snapshots.load_worker(worker.pk)
    except models.Worker.DoesNotExist:
        raise _worker_gone() from None


def _worker_gone() -> StaleState:
    return StaleState("the worker no longer exists; it was deleted")


def _make_offer_by_hand(
    locked: locking.TaskWithReservations,
    slots: Sequence[models.WorkerChannel],
    origin: ReservationOrigin,
    *,
    within_capacity: bool = True,
    actor: Actor,
    now: datetime,
) -> models.Reservation:
    """Offer a locked task in a worker's slot; raises `NotEligible` when it is not free."""
    if not slots:
        raise _worker_gone()
    offer = Offer(task=locked.task, slots=slots, within_capacity=within_capacity, origin=origin)
    try:
        made = make_offers([offer], actor=actor, now=now)
    except StaleState:
        raise NotEligible(Refusal.NO_CAPACITY) from None
    locked.reservations.extend(made)
    (reservation,) = made
    return reservation


def _ask_callbacks(made: Sequence[models.Reservation], now: datetime) -> None:
    """Owe the assignment callbacks of these offers, and send them after the commit."""
    for workflow_sid in outbox.owe_questions(made, now=now):
        transaction.on_commit(functools.partial(queue.enqueue, workflow_sid))


def make_offers(
    offers: Sequence[Offer], *, actor: Actor, now: datetime
) -> list[models.Reservation]:
    """Claim the slots of these offers and write their reservations; the tasks become reserved.

    Raises `StaleState` when a slot is no longer free or a task no longer waits. The updates are
    conditional whatever was read before, and the caller must roll back.
    """
    if not offers:
        return []
    made = [
        claiming.build_reservation(offer, slot, now) for offer in offers for slot in offer.slots
    ]
    with pipeline():
        claimed = claiming.claim_slots(offers, microseconds(now))
        reserved = claiming.reserve_tasks([offer.task for offer in offers], now)
        inserted = bulk_insert.insert_later(made)
        _record_offers(made, actor=actor, now=now)
    claimed.result()
    reserved.result()
    inserted.result()
    _move_workers(made, actor=actor, now=now)
    return made


def make_transfer_offer(
    offer: Offer, transfer: models.Transfer, *, actor: Actor, now: datetime
) -> models.Reservation:
    """Offer a task that is being transferred, in the slot that the offer names.

    Raises `StaleState` when the slot is not free.
    """
    us = microseconds(now)
    claiming.claim_slots([offer], us).result()
    made = claiming.build_reservation(offer, offer.slots[0], now)
    made.incoming = transfer
    if transfer.deadline_us < made.deadline_us:
        # An offer may not outlast the transfer, however many workers the queue has.
        made.deadline_us = transfer.deadline_us
        made.reservation_timeout = max(-(-(transfer.deadline_us - us) // SECOND), 1)
    bulk_insert.insert([made])
    _record_offers([made], actor=actor, now=now)
    _move_workers([made], actor=actor, now=now)
    return made


def _record_offers(made: Sequence[models.Reservation], *, actor: Actor, now: datetime) -> None:
    recorder.record_all(
        [
            recorder.Draft(
                EventType.RESERVATION_CREATED,
                reservation.sid,
                payloads.describe_reservation(reservation),
            )
            for reservation in made
        ],
        workspace=made[0].workspace,
        actor=actor,
        now=now,
    )


def _move_workers(made: Sequence[models.Reservation], *, actor: Actor, now: datetime) -> None:
    for reservation in made:
        activity_moves.move_worker_for_reservation(
            reservation, ReservationStatus.PENDING, actor=actor, now=now
        )
