"""Offer tasks to workers: claim the slots, write the reservations, many at once."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import F, Model, Q, QuerySet

from routing import event_data, events, models, sids
from routing.actions import activity_moves
from routing.actions.errors import StaleState
from routing.actors import SYSTEM, Actor
from routing.callbacks import calls, outbox
from routing.core.clock import SECOND, microseconds
from routing.core.decisions import ReserveWorkers
from routing.core.vocabulary import AssignmentStatus, EventType, ReservationStatus
from routing.models import bulk
from routing.models.prepared import MANY, Prepared

DEFAULT_TIMEOUT: Final = 120
"""Seconds an offer stands when no workflow says otherwise."""

_MANY: Final = 20
_Row = TypeVar("_Row", bound=Model)
_PENDING: Final = AssignmentStatus.PENDING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A waiting task and the slots in which it is offered, all of them read under lock."""

    task: models.Task
    slots: Sequence[models.WorkerChannel]
    within_capacity: bool = True


@transaction.atomic
def reserve_workers(decisions: Sequence[ReserveWorkers], *, now: datetime) -> int:
    """Offer waiting tasks to the workers that one pass of the router chose for them.

    The number of statements is the same for one decision as for hundreds. A decision about a task
    or a worker that is not what the router saw is dropped, and with it the later ones about its
    workers, which counted on it. Returns how many decisions were carried out.
    """
    people = _lock_workers(decisions)
    tasks = _lock_tasks(decisions)
    slots = _slots(people, tasks)
    offers: list[Offer] = []
    doubtful: set[int] = set()
    for decision in decisions:
        found = _still_true(decision, people, tasks, slots)
        if found is None or not doubtful.isdisjoint(seen.id for seen, _ in decision.workers):
            doubtful.update(seen.id for seen, _ in decision.workers)
        else:
            offers.append(found)
    made = make(offers, actor=SYSTEM, now=now)
    for workflow_sid in outbox.owe_questions(made, now=now):
        transaction.on_commit(functools.partial(calls.call, workflow_sid))
    return len(offers)


def _still_true(
    decision: ReserveWorkers,
    people: Mapping[int, models.Worker],
    tasks: Mapping[int, models.Task],
    slots: Mapping[tuple[int, int], models.WorkerChannel],
) -> Offer | None:
    """Return the offer that a decision means, unless something is not what it saw."""
    task = tasks.get(decision.task.id)
    if task is None or (task.version, task.assignment_status) != (decision.task.version, _PENDING):
        return None
    found = []
    for seen, _ in decision.workers:
        worker = people.get(seen.id)
        slot = slots.get((seen.id, task.task_channel_id))
        if worker is None or slot is None:
            return None
        if (worker.version, worker.workload_version) != (seen.version, seen.workload_version):
            return None
        found.append(slot)
    return Offer(task=task, slots=found, within_capacity=not decision.ignore_capacity)


def _workers(pks: Sequence[int]) -> QuerySet[models.Worker]:
    rows = models.Worker.objects.filter(pk__in=pks).order_by("pk")
    return rows.select_for_update(no_key=True, of=("self",))


def _tasks(pks: Sequence[int]) -> QuerySet[models.Task]:
    rows = models.Task.objects.filter(pk__in=pks).order_by("pk")
    return rows.select_for_update(no_key=True, of=("self",))


_OF_WORKERS: Final = {"workspace": models.Workspace, "activity": models.Activity}
_OF_TASKS: Final = {
    "workspace": models.Workspace,
    "task_channel": models.TaskChannel,
    "task_queue": models.TaskQueue,
    "workflow": models.Workflow,
}
_FEW_WORKERS: Final = Prepared(lambda pks: _workers(pks).select_related(*_OF_WORKERS), MANY)
_FEW_TASKS: Final = Prepared(lambda pks: _tasks(pks).select_related(*_OF_TASKS), MANY)
_SLOTS: Final = Prepared(
    lambda workers, channels: models.WorkerChannel.objects.filter(
        worker__in=workers, task_channel__in=channels
    ),
    MANY,
    MANY,
)


def _lock_workers(decisions: Iterable[ReserveWorkers]) -> dict[int, models.Worker]:
    """Lock the workers, in the order in which every action locks them, before any task."""
    wanted = sorted({seen.id for decision in decisions for seen, _ in decision.workers})
    if len(wanted) < _MANY:
        return {row.pk: row for row in _FEW_WORKERS(wanted)}
    return _with(_workers(wanted), _OF_WORKERS)


def _lock_tasks(decisions: Sequence[ReserveWorkers]) -> dict[int, models.Task]:
    wanted = [decision.task.id for decision in decisions]
    if len(wanted) < _MANY:
        return {row.pk: row for row in _FEW_TASKS(wanted)}
    return _with(_tasks(wanted), _OF_TASKS)


def _with(rows: QuerySet[_Row], related: Mapping[str, type[Model]]) -> dict[int, _Row]:
    """Read many rows, by id, with what they refer to, each of that once."""
    read = {row.pk: row for row in rows}
    for name, model in related.items():
        wanted = {getattr(row, f"{name}_id") for row in read.values()} - {None}
        found = model._default_manager.in_bulk(wanted)
        for row in read.values():
            setattr(row, name, found.get(getattr(row, f"{name}_id")))
    return read


def _slots(
    people: Mapping[int, models.Worker], tasks: Mapping[int, models.Task]
) -> dict[tuple[int, int], models.WorkerChannel]:
    channels = {task.task_channel_id for task in tasks.values()}
    found = {}
    for row in _SLOTS(list(people), list(channels)):
        row.worker = people[row.worker_id]
        found[row.worker_id, row.task_channel_id] = row
    return found


def make(offers: Sequence[Offer], *, actor: Actor, now: datetime) -> list[models.Reservation]:
    """Claim the slots of these offers and write their reservations; the tasks become reserved.

    Raises `StaleState`, having changed nothing that the caller keeps, when a slot is not free or
    a task not waiting any more: the updates are conditional, whatever was read before.
    """
    if not offers:
        return []
    _claim(offers, microseconds(now))
    _reserve_tasks([offer.task for offer in offers], now)
    made = [_reservation(offer.task, slot, now) for offer in offers for slot in offer.slots]
    _write(made, actor=actor, now=now)
    return made


def hand_on(
    offer: Offer, transfer: models.Transfer, *, actor: Actor, now: datetime
) -> models.Reservation:
    """Offer a task that is being transferred, in the one slot that the offer names.

    Raises `StaleState` when the slot is not free.
    """
    us = microseconds(now)
    _claim([offer], us)
    made = _reservation(offer.task, offer.slots[0], now)
    made.incoming = transfer
    if transfer.deadline_us < made.deadline_us:
        # A queue's turn is not longer for having many workers.
        made.deadline_us = transfer.deadline_us
        made.reservation_timeout = max(-(-(transfer.deadline_us - us) // SECOND), 1)
    _write([made], actor=actor, now=now)
    return made


def _write(made: Sequence[models.Reservation], *, actor: Actor, now: datetime) -> None:
    bulk.insert(made)
    events.record_all(
        [
            events.Draft(
                EventType.RESERVATION_CREATED,
                reservation.sid,
                event_data.of_reservation(reservation),
            )
            for reservation in made
        ],
        workspace=made[0].workspace,
        actor=actor,
        now=now,
    )
    for reservation in made:
        activity_moves.follow_reservation(
            reservation, ReservationStatus.PENDING, actor=actor, now=now
        )


def _claim(offers: Sequence[Offer], reserved_us: int) -> None:
    """Take the slots: one statement for all that take equally many of one worker or channel."""
    per_worker = Counter(slot.worker_id for offer in offers for slot in offer.slots)
    for count, workers in _by_count(per_worker).items():
        # The version counts offers too: clients that are told of one count along by themselves.
        models.Worker.objects.filter(pk__in=workers).update(
            version=F("version") + count,
            workload_version=F("workload_version") + count,
            last_reserved_us=reserved_us,
        )
    for offer in offers:
        for slot in offer.slots:
            slot.worker.version += 1
    per_slot = Counter(slot.pk for offer in offers for slot in offer.slots)
    unbounded = {
        slot.pk
        for offer in offers
        for slot in offer.slots
        if not (offer.within_capacity and offer.task.workspace.multi_task_enabled)
    }
    for count, slots in _by_count(per_slot).items():
        room = Q(available=True, consumed__lte=F("configured_capacity") - count)
        claimed = models.WorkerChannel.objects.filter(
            room | Q(pk__in=unbounded.intersection(slots)), pk__in=slots
        ).update(consumed=F("consumed") + count, last_reserved_us=reserved_us)
        if claimed != len(slots):
            raise StaleState("a worker has no free slot any more")


def _by_count(counted: Mapping[int, int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for key, count in counted.items():
        groups[count].append(key)
    return groups


def _reserve_tasks(tasks: Sequence[models.Task], now: datetime) -> None:
    changed = models.Task.objects.filter(
        pk__in=[task.pk for task in tasks], assignment_status=_PENDING
    ).update(
        assignment_status=AssignmentStatus.RESERVED.value,
        assignments=F("assignments") + 1,
        version=F("version") + 1,
        date_updated=now,
    )
    if changed != len(tasks):
        raise StaleState("a task is no longer waiting")
    for task in tasks:
        task.assignment_status = AssignmentStatus.RESERVED.value
        task.assignments += 1
        task.version += 1
        task.date_updated = now


def timeout_of(task: models.Task) -> int:
    """Return for how many seconds a task is on offer to a worker."""
    return DEFAULT_TIMEOUT if task.workflow is None else task.workflow.task_reservation_timeout


def _reservation(
    task: models.Task, slot: models.WorkerChannel, now: datetime
) -> models.Reservation:
    timeout = timeout_of(task)
    return models.Reservation(
        sid=sids.new("WR"),
        workspace=task.workspace,
        task=task,
        worker=slot.worker,
        worker_channel=slot,
        reservation_timeout=timeout,
        deadline_us=microseconds(now) + timeout * SECOND,
        worker_previous_activity=slot.worker.activity,
        date_created=now,
        date_updated=now,
    )
