"""Load snapshots for the router, and run one matching pass over them."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from routing import configurations, models
from routing.core import eligibility, snapshot
from routing.core.clock import microseconds
from routing.core.matching import lane_keys, matching_pass
from routing.core.vocabulary import QueueOrder
from routing.db.pipeline import cursor as open_cursor
from routing.db.related import attach_related
from routing.db.sql import due_work as due_work_sql
from routing.db.sql import workers as workers_sql
from routing.db.sql.index_hints import fill_slots
from routing.snapshots import lane_heads, skill_index
from routing.snapshots import lanes as lane_snapshots
from routing.snapshots import tasks as task_snapshots
from routing.snapshots import workers as worker_snapshots

BATCH = 500
"""Most overdue rows, or offers, of one pass."""

MANY_LANES: Final = 50
"""Number of lanes from which a pass begins with the first waiting tasks of the workspace."""

MOST_READS: Final = 24
"""How often one pass loads more of a lane whose tasks no worker takes, although the next may."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Kinds of due work in a workspace; what is absent need not be loaded."""

    offers_due: bool
    tasks_due: bool
    skips_unasked: bool
    somebody_free: bool
    transfers_seek: bool


def load_due_work(workspace: models.Workspace, *, now: datetime) -> DueWork:
    """Return which kinds of work are due, with one statement that reads the heads of indexes."""
    pk, us = workspace.pk, microseconds(now)
    capacity = workers_sql.WITHIN_CAPACITY if workspace.multi_task_enabled else ""
    sql = fill_slots(due_work_sql.DUE_WORK, capacity=capacity)
    with open_cursor() as cursor:
        cursor.execute(sql, [pk, us, pk, us, pk, us, pk, pk, pk])
        return DueWork(*map(bool, cursor.fetchone()))


def load_snapshot(workspace: models.Workspace) -> snapshot.Workspace:
    """Return a snapshot of the workers with free slots and the lanes that they might serve."""
    seen = functools.partial(
        snapshot.Workspace,
        id=workspace.pk,
        sid=workspace.sid,
        multi_task_enabled=workspace.multi_task_enabled,
        prioritize_queue_order=QueueOrder(workspace.prioritize_queue_order),
    )
    kinds = lane_snapshots.kinds(workspace)
    if not kinds:
        return seen()
    known = skill_index.load_skill_index(workspace)
    sought = None if known is None else known.find_lane_keys(kinds)
    if known is not None and sought is not None:
        lanes, asked = lane_snapshots.waiting(sought)
        workers = _candidates(workspace, kinds, among=known.find_workers(asked)) if lanes else []
    else:
        workers = _candidates(workspace, kinds)
        skill_index.record_free_workers(workspace, len(workers))
        lanes, workers = lane_snapshots.waiting_for(kinds, workers=workers) if workers else ({}, [])
    return seen(workers=workers, lanes=lanes) if workers else seen()


def run_pass(
    workspace: models.Workspace, *, now: datetime, limit: int = BATCH
) -> matching_pass.Pass:
    """Run one matching pass over a workspace and return it; `limit` bounds its offers."""
    floor = load_snapshot(workspace)
    looking = matching_pass.Pass(floor, now=microseconds(now))
    after = None
    open_lanes = looking.open_lanes()
    if len(open_lanes) > MANY_LANES and _all_fifo(open_lanes):
        # The workspace's first tasks are then loaded faster than the first tasks of every lane.
        wanted = min(limit, _room(floor))
        size = max(wanted * 3 // 2, MANY_LANES)
        tasks = lane_heads.window(workspace, size=size)
        looking.feed(lane_heads.by_lane(tasks))
        looking.serve(limit=limit)
        if len(tasks) < size:
            return looking
        after = tasks[-1]
        if len(looking.decisions) > wanted // 2:
            looking.more_waits = True
            return looking
        open_lanes = looking.open_lanes()
    by_id = {lane.id: lane for lane in open_lanes}
    first, deep = lane_heads.of_lanes(open_lanes, size=BATCH, after=after)
    looking.feed(first, deep=deep)
    read: Counter[int] = Counter()
    while (short := looking.serve(limit=limit)) is not None:
        read[short] += 1
        if read[short] <= MOST_READS:
            # Double the size each time: few rows are wasted, and a deep lane needs few queries.
            size = min(lane_heads.FEWEST << read[short], BATCH)
            more = lane_heads.of_lanes([by_id[short]], size=size, after=looking.last(short))
            looking.feed(more[0], deep=more[1])
    return looking


def _room(floor: snapshot.Workspace) -> int:
    """Return an upper bound of the offers that the workers of a snapshot have slots for."""
    if any(lane.ignore_capacity for lane in floor.lanes.values()):
        return BATCH
    if not floor.multi_task_enabled:
        return len(floor.workers)
    slots = (slot for worker in floor.workers for slot in worker.channels.values())
    return sum(max(slot.configured_capacity - slot.consumed, 0) for slot in slots)


def _all_fifo(lanes: Collection[snapshot.Lane]) -> bool:
    return all(lane_heads.order_of(lane) == QueueOrder.FIFO for lane in lanes)


def _candidates(
    workspace: models.Workspace,
    kinds: Collection[lane_snapshots.Kind],
    *,
    among: Sequence[int] | None = None,
) -> list[snapshot.Worker]:
    """Return workers who may have a free slot on these channels, or are named regardless of it.

    Arguments:
        among: the ids of workers who may match at all; None for all.
    """
    channels = list(dict.fromkeys(channel for channel, _ in kinds))
    marks = ", ".join(["%s"] * len(channels))
    # Without multitasking the capacity does not count, only whether the worker has a task.
    sql = workers_sql.FREE_WORKERS.format(
        distinct="DISTINCT" if len(channels) > 1 else "",
        channels=marks,
        capacity=workers_sql.WITHIN_CAPACITY if workspace.multi_task_enabled else "",
        among="" if among is None else workers_sql.AMONG_WORKERS[connection.vendor],
    )
    parameters: list[Any] = list(channels)
    if among is not None:
        parameters.append(list(among) if connection.vendor == "postgresql" else str(list(among)))
    if any(path == lane_keys.REGARDLESS for _, path in kinds):
        sql += workers_sql.NAMED_WORKERS.format(channels=marks)
        parameters += channels
    with open_cursor() as cursor:
        cursor.execute(sql, parameters)
        return worker_snapshots.load_known(cursor.fetchall())


def load_overdue_offers(workspace: models.Workspace, *, now: datetime) -> list[str]:
    """Return the sids of pending reservations whose deadline has passed, oldest first."""
    return list(
        models.Reservation.objects.pending()
        .filter(workspace=workspace, deadline_us__lte=microseconds(now))
        .order_by("deadline_us")
        .values_list("sid", flat=True)[:BATCH]
    )


def load_overdue_tasks(
    workspace: models.Workspace, *, now: datetime
) -> list[matching_pass.WaitingTask]:
    """Return tasks past their lifetime, and pending ones past their step's deadline."""
    us = microseconds(now)
    here = models.Task.objects.filter(workspace=workspace)
    expired = here.expiring().filter(expires_us__lte=us)
    stepped = here.pending().filter(step_deadline_us__lte=us, expires_us__gt=us)
    over = expired.order_by("expires_us").values_list("sid", "version", "expires_us")[:BATCH]
    return [
        *(matching_pass.WaitingTask(sid=sid, version=v, expires_us=end) for sid, v, end in over),
        *_waiting(stepped.order_by("step_deadline_us"), now),
    ]


def load_skippable_tasks(
    workspace: models.Workspace, *, now: datetime
) -> list[tuple[matching_pass.WaitingTask, int]]:
    """Return pending tasks whose skip_if is not evaluated yet, each with its queue's id."""
    rows = models.Task.objects.pending().filter(workspace=workspace, skip_unasked=True)
    chosen = rows.order_by("workspace", "pk").select_related("workflow", "task_channel")[:BATCH]
    return [(_waiting_task(row, now), row.task_queue_id or 0) for row in chosen]


def _waiting(rows: QuerySet[models.Task], now: datetime) -> list[matching_pass.WaitingTask]:
    chosen = list(rows[:BATCH])
    attach_related(chosen, {"workflow": models.Workflow, "task_channel": models.TaskChannel})
    return [_waiting_task(row, now) for row in chosen]


def _waiting_task(row: models.Task, now: datetime) -> matching_pass.WaitingTask:
    return matching_pass.WaitingTask(
        sid=row.sid,
        version=row.version,
        view=task_snapshots.view(row, now=now),
        expires_us=row.expires_us,
        configuration=None
        if row.revision_id is None
        else configurations.load_configuration(row.revision_id),
        step=task_snapshots.step(row),
    )


def count_workers(queue_id: int) -> Mapping[str, int]:
    """Return the values of `workers.…` for a queue: its workers by availability and activity."""
    queue = models.TaskQueue.objects.get(pk=queue_id)
    seen = lane_snapshots.task_queue(queue)
    everyone = worker_snapshots.load_workers(
        models.Worker.objects.filter(workspace_id=queue.workspace_id)
    )
    counts: Counter[str] = Counter(available=0, unavailable=0)
    for sid in models.Activity.objects.filter(workspace_id=queue.workspace_id).values_list("sid"):
        counts[sid[0]] = 0
    for worker in everyone:
        if eligibility.membership_refusal(eligibility.Candidate(worker), seen) is None:
            counts["available" if worker.available else "unavailable"] += 1
            counts[worker.activity_sid] += 1
    return counts
