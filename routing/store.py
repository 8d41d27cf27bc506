"""Read what a cycle needs into plain values: a fixed number of queries, whatever waits."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from routing import configurations, models
from routing.core import cycle, matcher, snapshot
from routing.core.clock import microseconds
from routing.core.vocabulary import QueueOrder
from routing.seen import lanes as seen_lanes
from routing.seen import tasks as seen_tasks
from routing.seen import workers as seen_workers

BATCH = 500
"""How many overdue things, or heads over all lanes, one pass looks at."""

MOST_READS: Final = 20
"""How often one pass reads on in a lane whose tasks nobody takes, though the next one might do."""


def load_floor(workspace: models.Workspace) -> snapshot.Workspace:
    """Return the workers who may take something now and the lanes on which something waits."""
    seen = functools.partial(
        snapshot.Workspace,
        id=workspace.pk,
        sid=workspace.sid,
        multi_task_enabled=workspace.multi_task_enabled,
        prioritize_queue_order=QueueOrder(workspace.prioritize_queue_order),
    )
    workers = seen_workers.load_workers(_candidates(workspace))
    if not workers:
        return seen()
    waiting = models.Task.objects.pending().filter(lane=OuterRef("pk"))
    lanes = models.Lane.objects.filter(Exists(waiting), workspace=workspace).select_related(
        "task_queue", "task_channel"
    )
    return seen(workers=workers, lanes={lane.pk: seen_lanes.lane(lane) for lane in lanes})


def look(workspace: models.Workspace, *, now: datetime, limit: int = BATCH) -> cycle.Pass:
    """Look over a workspace once, and return what the router decides: so many offers at most."""
    looking = cycle.Pass(load_floor(workspace), now=microseconds(now))
    open_lanes = {lane.id: lane for lane in looking.open_lanes()}
    heads, deep = load_heads(open_lanes.values())
    looking.feed(heads, deep=deep)
    read: Counter[int] = Counter()
    while (short := looking.serve(limit=limit)) is not None:
        read[short] += 1
        if read[short] <= MOST_READS:
            heads, deep = load_heads([open_lanes[short]], after=looking.last(short))
            looking.feed(heads, deep=deep)
    return looking


def _candidates(workspace: models.Workspace) -> QuerySet[models.Worker]:
    """Return the workers who may have a free slot, and those whom a task names directly."""
    free = models.WorkerChannel.objects.filter(
        worker=OuterRef("pk"), available=True, consumed__lt=F("configured_capacity")
    )
    named = models.Lane.objects.filter(
        workspace=workspace, ignore_capacity=True, known_worker_sid=OuterRef("sid")
    )
    here = models.Worker.objects.filter(workspace=workspace)
    if not workspace.multi_task_enabled:
        return here.filter(Q(activity__available=True) | Exists(named))
    return here.filter(Q(Exists(free), activity__available=True) | Exists(named))


_HEAD_COLUMNS = (
    "task.id, task.sid, task.lane_id, task.version, task.priority, task.virtual_start_us,"
    " task.date_created"
)

_LATERAL = """
    SELECT {columns} FROM lanes CROSS JOIN LATERAL (
        SELECT * FROM tasks WHERE lane_id = lanes.id AND assignment_status = 'pending' {one}
    ) AS task WHERE lanes.id IN ({lanes})
"""
_CORRELATED = """
    SELECT {columns} FROM lanes JOIN tasks AS task ON task.id IN (
        SELECT id FROM tasks WHERE lane_id = lanes.id AND assignment_status = 'pending' {one}
    ) WHERE lanes.id IN ({lanes})
"""

_SERVED_FIRST = {
    QueueOrder.FIFO: "priority DESC, virtual_start_us, id",
    QueueOrder.LIFO: "virtual_start_us DESC, id DESC",
}


Heads = dict[int, list[snapshot.Task]]


def load_heads(
    lanes: Collection[snapshot.Lane], *, after: snapshot.Task | None = None
) -> tuple[Heads, frozenset[int]]:
    """Return these lanes' first tasks in service order, and which lanes have more than that.

    One query for each order in use; the more lanes, the less is read of each.

    Arguments:
        after: leave out what is served before this task, and the task itself.
    """
    depth = max(BATCH // max(len(lanes), 1), 4)
    by_order: dict[QueueOrder, list[int]] = defaultdict(list)
    for lane in lanes:
        queue = lane.task_queue
        by_order[QueueOrder.FIFO if queue is None else queue.task_order].append(lane.id)
    heads: Heads = defaultdict(list)
    for order, lane_ids in by_order.items():
        for task in _heads(order, lane_ids, depth, after):
            heads[task.lane_id].append(task)
    deep = frozenset(lane_id for lane_id, tasks in heads.items() if len(tasks) == depth)
    return dict(heads), deep


_LATER = {
    QueueOrder.FIFO: (
        "AND priority <= %s AND (priority < %s OR virtual_start_us > %s"
        " OR (virtual_start_us = %s AND id > %s))"
    ),
    QueueOrder.LIFO: "AND virtual_start_us <= %s AND (virtual_start_us < %s OR id < %s)",
}


def _heads(
    order: QueueOrder, lane_ids: list[int], depth: int, after: snapshot.Task | None
) -> Iterable[snapshot.Task]:
    """Read lane heads through the partial index of this order, never past them.

    Django has no lateral join, so this is SQL; SQLite has none either, and says it by a correlated
    subquery, which its planner runs once per lane.
    """
    later: list[int] = []
    if after is not None:
        us = after.virtual_start_us
        fifo = [after.priority, after.priority, us, us, after.id]
        later = fifo if order == QueueOrder.FIFO else [us, us, after.id]
    one = f"{_LATER[order] if later else ''} ORDER BY {_SERVED_FIRST[order]} LIMIT %s"
    marks = ", ".join(["%s"] * len(lane_ids))
    template = _LATERAL if connection.vendor == "postgresql" else _CORRELATED
    sql = template.format(columns=_HEAD_COLUMNS, one=one, lanes=marks)
    rows = models.Task.objects.raw(sql, [*later, depth, *lane_ids])
    tasks = [
        snapshot.Task(
            id=row.pk,
            sid=row.sid,
            lane_id=row.lane_id or 0,
            version=row.version,
            priority=row.priority,
            virtual_start_us=row.virtual_start_us,
            created_us=microseconds(row.date_created),
        )
        for row in rows
    ]
    # A join keeps no order of its own.
    if order == QueueOrder.FIFO:
        return sorted(tasks, key=lambda t: (-t.priority, t.virtual_start_us, t.id))
    return sorted(tasks, key=lambda t: (-t.virtual_start_us, -t.id))


def load_overdue_offers(workspace: models.Workspace, *, now: datetime) -> list[str]:
    """Return the sids of pending reservations whose deadline has passed, oldest first."""
    return list(
        models.Reservation.objects.pending()
        .filter(workspace=workspace, deadline_us__lte=microseconds(now))
        .order_by("deadline_us")
        .values_list("sid", flat=True)[:BATCH]
    )


def load_overdue_tasks(workspace: models.Workspace, *, now: datetime) -> list[cycle.WaitingTask]:
    """Return tasks past the end of their life, and pending ones past that of their step."""
    us = microseconds(now)
    here = models.Task.objects.filter(workspace=workspace)
    expired = here.expiring().filter(expires_us__lte=us)
    stepped = here.pending().filter(step_deadline_us__lte=us, expires_us__gt=us)
    return [
        *_waiting(expired.order_by("expires_us"), now),
        *_waiting(stepped.order_by("step_deadline_us"), now),
    ]


def load_skippable_tasks(
    workspace: models.Workspace, *, now: datetime
) -> list[tuple[cycle.WaitingTask, int]]:
    """Return pending tasks whose step has a skip_if not yet asked, each with its queue's id."""
    rows = models.Task.objects.pending().filter(workspace=workspace, skip_unasked=True)
    chosen = rows.order_by("workspace", "pk").select_related("workflow", "task_channel")[:BATCH]
    return [(_waiting_task(row, now), row.task_queue_id or 0) for row in chosen]


def _waiting(rows: QuerySet[models.Task], now: datetime) -> list[cycle.WaitingTask]:
    chosen = rows.select_related("workflow", "task_channel")[:BATCH]
    return [_waiting_task(row, now) for row in chosen]


def _waiting_task(row: models.Task, now: datetime) -> cycle.WaitingTask:
    return cycle.WaitingTask(
        sid=row.sid,
        version=row.version,
        view=seen_tasks.view(row, now=now),
        expires_us=row.expires_us,
        configuration=None if row.revision_id is None else configurations.of(row.revision_id),
        step=seen_tasks.step(row),
    )


def count_workers(queue_id: int) -> Mapping[str, int]:
    """Return what `workers.…` reads for a queue: its workers by availability and by activity."""
    queue = models.TaskQueue.objects.get(pk=queue_id)
    seen = seen_lanes.task_queue(queue)
    everyone = seen_workers.load_workers(
        models.Worker.objects.filter(workspace_id=queue.workspace_id)
    )
    counts: Counter[str] = Counter(available=0, unavailable=0)
    for sid in models.Activity.objects.filter(workspace_id=queue.workspace_id).values_list("sid"):
        counts[sid[0]] = 0
    for worker in everyone:
        if matcher.membership_refusal(matcher.Hand(worker), seen) is None:
            counts["available" if worker.available else "unavailable"] += 1
            counts[worker.activity_sid] += 1
    return counts
