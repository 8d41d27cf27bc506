"""Lock the rows of offers, and claim slots and tasks by conditional updates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from django.db.models import F, Model, QuerySet
from django.db.models.functions import Coalesce, Greatest

from routing import models, sids
from routing.actions.support.errors import StaleState
from routing.core.clock import SECOND, microseconds
from routing.core.decisions import ReserveWorkers
from routing.core.vocabulary import AssignmentStatus, ReservationOrigin
from routing.db.compiled import (
    BIG_INTEGER,
    INTEGER,
    MAX_PREPARED_LENGTH,
    MOMENT,
    SEQUENCE,
    CompiledQuery,
    CompiledUpdate,
    Parameter,
)
from routing.db.pipeline import Pending, pipeline
from routing.db.related import attach_related

_Row = TypeVar("_Row", bound=Model)
_PENDING: Final = AssignmentStatus.PENDING.value
DEFAULT_TIMEOUT: Final = 120
"""Seconds until an offer expires, for tasks without a workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A waiting task and the slots in which it is offered, all read under lock."""

    task: models.Task
    slots: Sequence[models.WorkerChannel]
    within_capacity: bool = True
    origin: ReservationOrigin = ReservationOrigin.PUSH


def _lock_workers(pks: Sequence[int]) -> QuerySet[models.Worker]:
    rows = models.Worker.objects.filter(pk__in=pks).order_by("pk")
    return rows.select_for_update(no_key=True, of=("self",))


def _lock_tasks(pks: Sequence[int]) -> QuerySet[models.Task]:
    rows = models.Task.objects.filter(pk__in=pks).order_by("pk")
    return rows.select_for_update(no_key=True, of=("self",))


_WORKER_RELATIONS: Final = {"workspace": models.Workspace, "activity": models.Activity}
_TASK_RELATIONS: Final = {
    "workspace": models.Workspace,
    "task_channel": models.TaskChannel,
    "task_queue": models.TaskQueue,
    "workflow": models.Workflow,
}
_FEW_WORKERS: Final = CompiledQuery(
    lambda pks=SEQUENCE: _lock_workers(pks).select_related(*_WORKER_RELATIONS)
)
_FEW_TASKS: Final = CompiledQuery(
    lambda pks=SEQUENCE: _lock_tasks(pks).select_related(*_TASK_RELATIONS)
)
_SLOTS: Final = CompiledQuery(
    lambda workers=SEQUENCE, tasks=SEQUENCE: models.WorkerChannel.objects.filter(
        worker__in=workers,
        task_channel__in=models.Task.objects.filter(pk__in=tasks).values("task_channel"),
    )
)


class OfferedRows(NamedTuple):
    """Locked workers and tasks by id, and the workers' slots by the ids of worker and channel."""

    workers: Mapping[int, models.Worker]
    tasks: Mapping[int, models.Task]
    slots: Mapping[tuple[int, int], models.WorkerChannel]


def lock_offered_rows(decisions: Sequence[ReserveWorkers]) -> OfferedRows:
    """Lock the workers in the lock order that every action keeps, then the tasks; load the slots.

    For few decisions this is one round trip.
    """
    people = sorted({seen.id for decision in decisions for seen, _ in decision.workers})
    tasks = [decision.task.id for decision in decisions]
    if len(people) > MAX_PREPARED_LENGTH or len(tasks) > MAX_PREPARED_LENGTH:
        workers = _load_by_id(_lock_workers(people), _WORKER_RELATIONS)
        waiting = _load_by_id(_lock_tasks(tasks), _TASK_RELATIONS)
        channels = {task.task_channel_id for task in waiting.values()}
        rows = [*models.WorkerChannel.objects.filter(worker__in=workers, task_channel__in=channels)]
    else:
        with pipeline():
            sent_workers, sent_tasks = _FEW_WORKERS.send(people), _FEW_TASKS.send(tasks)
            sent_slots = _SLOTS.send(people, tasks)
        workers = {row.pk: row for row in sent_workers.result()}
        waiting = {row.pk: row for row in sent_tasks.result()}
        rows = sent_slots.result()
    slots = {}
    for row in rows:
        # A worker who is added now has slots, but was not locked.
        if row.worker_id in workers:
            row.worker = workers[row.worker_id]
            slots[row.worker_id, row.task_channel_id] = row
    return OfferedRows(workers, waiting, slots)


def _load_by_id(rows: QuerySet[_Row], related: Mapping[str, type[Model]]) -> dict[int, _Row]:
    """Load many rows by id; load each related row once."""
    read = {row.pk: row for row in rows}
    attach_related(read.values(), related)
    return read


def _latest_offer_time(reserved_us: Parameter) -> Greatest:
    """Return the new time of the last offer; never earlier than the stored one.

    The caller read the clock before it waited for the lock.
    """
    return Greatest(Coalesce(F("last_reserved_us"), reserved_us), reserved_us)


_CLAIM_WORKERS: Final = CompiledUpdate(
    lambda pks=SEQUENCE, count=INTEGER, us=BIG_INTEGER: (
        models.Worker.objects.filter(pk__in=pks),
        # The version counts offers too: clients count the offers they receive and stay in step.
        {
            "version": F("version") + count,
            "workload_version": F("workload_version") + count,
            "last_reserved_us": _latest_offer_time(us),
        },
    )
)
_CLAIM_ROOM: Final = CompiledUpdate(
    lambda pks=SEQUENCE, count=INTEGER, us=BIG_INTEGER: (
        models.WorkerChannel.objects.filter(
            pk__in=pks, available=True, consumed__lte=F("configured_capacity") - count
        ),
        {"consumed": F("consumed") + count, "last_reserved_us": _latest_offer_time(us)},
    )
)
_CLAIM_REGARDLESS: Final = CompiledUpdate(
    lambda pks=SEQUENCE, count=INTEGER, us=BIG_INTEGER: (
        models.WorkerChannel.objects.filter(pk__in=pks),
        {"consumed": F("consumed") + count, "last_reserved_us": _latest_offer_time(us)},
    )
)


def claim_slots(offers: Sequence[Offer], reserved_us: int) -> Pending[None]:
    """Claim the slots, with one statement per number of slots claimed of one worker or channel.

    The result raises `StaleState` unless all were free.
    """
    per_worker = Counter(slot.worker_id for offer in offers for slot in offer.slots)
    for count, workers in _group_by_count(per_worker).items():
        _CLAIM_WORKERS.send(workers, count, reserved_us)
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
    claimed = []
    for count, slots in _group_by_count(per_slot).items():
        bounded = [pk for pk in slots if pk not in unbounded]
        regardless = [pk for pk in slots if pk in unbounded]
        claimed.append(_CLAIM_ROOM.send(bounded, count, reserved_us))
        claimed.append(_CLAIM_REGARDLESS.send(regardless, count, reserved_us))

    def check_claimed() -> None:
        if sum(each.result() for each in claimed) != len(per_slot):
            raise StaleState("a worker has no free slot any more")

    return Pending(check_claimed)


def _group_by_count(counted: Mapping[int, int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for key, count in counted.items():
        groups[count].append(key)
    return groups


_RESERVE: Final = CompiledUpdate(
    lambda pks=SEQUENCE, now=MOMENT: (
        models.Task.objects.filter(pk__in=pks, assignment_status=_PENDING),
        {
            "assignment_status": AssignmentStatus.RESERVED.value,
            "assignments": F("assignments") + 1,
            "version": F("version") + 1,
            "date_updated": now,
        },
    )
)


def reserve_tasks(tasks: Sequence[models.Task], now: datetime) -> Pending[None]:
    """Reserve the tasks; the result raises `StaleState` unless all were waiting."""
    reserved = _RESERVE.send([task.pk for task in tasks], now)

    def check_reserved() -> None:
        if reserved.result() != len(tasks):
            raise StaleState("a task is no longer waiting")

    for task in tasks:
        task.assignment_status = AssignmentStatus.RESERVED.value
        task.assignments += 1
        task.version += 1
        task.date_updated = now
    return Pending(check_reserved)


def find_offer_timeout(task: models.Task) -> int:
    """Return for how many seconds an offer of this task is open."""
    return DEFAULT_TIMEOUT if task.workflow is None else task.workflow.task_reservation_timeout


def build_reservation(
    offer: Offer, slot: models.WorkerChannel, now: datetime
) -> models.Reservation:
    """Return the reservation of an offer in one of its slots, not yet written."""
    task = offer.task
    timeout = find_offer_timeout(task)
    return models.Reservation(
        sid=sids.new_sid("WR"),
        workspace=task.workspace,
        task=task,
        worker=slot.worker,
        worker_channel=slot,
        origin=offer.origin.value,
        reservation_timeout=timeout,
        deadline_us=microseconds(now) + timeout * SECOND,
        worker_previous_activity=slot.worker.activity,
        date_created=now,
        date_updated=now,
    )
