"""Load the first waiting tasks: of some lanes, or of a whole workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from routing import models
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.vocabulary import QueueOrder
from routing.db import compiled
from routing.snapshots.lanes import indexed

FEWEST: Final = 2
"""Fewest tasks to load of each lane."""

_WANTED = "id, sid, lane_id, version, priority, virtual_start_us, date_created"

_WINDOW = """
    SELECT {wanted} FROM tasks {by_service}
    WHERE workspace_id = %s AND assignment_status = 'pending'
    ORDER BY priority DESC, virtual_start_us, id LIMIT %s
"""

# Django has no lateral join, so this is SQL. SQLite has none either; its correlated subquery runs
# once per lane.
_OF_LANES = {
    "postgresql": """
        SELECT task.* FROM unnest(%s::bigint[]) AS lane (id) CROSS JOIN LATERAL (
            SELECT {wanted} FROM tasks
            WHERE lane_id = lane.id AND assignment_status = 'pending' {later} LIMIT %s
        ) AS task
    """,
    "sqlite": """
        SELECT {wanted} FROM tasks WHERE id IN (
            SELECT task.id FROM json_each(%s) AS lane JOIN tasks AS task ON task.id IN (
                SELECT id FROM tasks {by_order}
                WHERE lane_id = lane.value AND assignment_status = 'pending' {later} LIMIT %s
            )
        )
    """,
}

_SERVED_FIRST = {
    QueueOrder.FIFO: "ORDER BY priority DESC, virtual_start_us, id",
    QueueOrder.LIFO: "ORDER BY virtual_start_us DESC, id DESC",
}

_LATER = {
    QueueOrder.FIFO: (
        "AND priority <= %s AND (priority < %s OR virtual_start_us > %s"
        " OR (virtual_start_us = %s AND id > %s))"
    ),
    QueueOrder.LIFO: "AND virtual_start_us <= %s AND (virtual_start_us < %s OR id < %s)",
}

Heads = dict[int, list[snapshot.Task]]
"""Tasks by lane id, in the order of service."""


def window(workspace: models.Workspace, *, size: int) -> list[snapshot.Task]:
    """Return the first waiting tasks of a workspace whose queues are all FIFO."""
    with compiled.cursor() as cursor:
        cursor.execute(_WINDOW.format(wanted=_WANTED, **indexed()), [workspace.pk, size])
        return _tasks(cursor.fetchall())


def of_lanes(
    lanes: Collection[snapshot.Lane], *, size: int, after: snapshot.Task | None = None
) -> tuple[Heads, frozenset[int]]:
    """Return these lanes' first tasks in service order, and which lanes may have more.

    One query for each order in use; the more lanes, the fewer tasks are loaded of each.

    Arguments:
        size: how many tasks to load, over all lanes.
        after: skip this task and all that are served before it.
    """
    depth = max(size // max(len(lanes), 1), FEWEST)
    by_order: dict[QueueOrder, list[int]] = defaultdict(list)
    for lane in lanes:
        by_order[order_of(lane)].append(lane.id)
    heads: Heads = {}
    for order, lane_ids in by_order.items():
        heads |= by_lane(_read(order, lane_ids, depth, after))
    return heads, frozenset(lane_id for lane_id, tasks in heads.items() if len(tasks) == depth)


def by_lane(tasks: Iterable[snapshot.Task]) -> Heads:
    """Group tasks by lane."""
    found: Heads = defaultdict(list)
    for task in tasks:
        found[task.lane_id].append(task)
    return dict(found)


def order_of(lane: snapshot.Lane) -> QueueOrder:
    """Return the order in which a lane's tasks are served."""
    return QueueOrder.FIFO if lane.task_queue is None else lane.task_queue.task_order


def _read(
    order: QueueOrder, lane_ids: list[int], depth: int, after: snapshot.Task | None
) -> list[snapshot.Task]:
    """Load lane heads through the partial index of this order, without scanning past them."""
    parameters: list[Any] = []
    if after is not None:
        us = after.virtual_start_us
        fifo = [after.priority, after.priority, us, us, after.id]
        parameters = fifo if order == QueueOrder.FIFO else [us, us, after.id]
    sql = _OF_LANES[connection.vendor].format(
        wanted=_WANTED,
        later=f"{_LATER[order] if parameters else ''} {_SERVED_FIRST[order]}",
        by_order=indexed()["by_lane" if order == QueueOrder.FIFO else "by_lane_lifo"],
    )
    asked: Any = lane_ids if connection.vendor == "postgresql" else str(lane_ids)
    with compiled.cursor() as cursor:
        cursor.execute(sql, [asked, *parameters, depth])
        tasks = _tasks(cursor.fetchall())
    # A join does not keep the order of its subqueries.
    if order == QueueOrder.FIFO:
        return sorted(tasks, key=lambda t: (-t.priority, t.virtual_start_us, t.id))
    return sorted(tasks, key=lambda t: (-t.virtual_start_us, -t.id))


def _tasks(rows: Sequence[tuple[Any, ...]]) -> list[snapshot.Task]:
    return [
        snapshot.Task(
            id=pk,
            sid=sid,
            lane_id=lane_id,
            version=version,
            priority=priority,
            virtual_start_us=start,
            created_us=_microseconds(created),
        )
        for pk, sid, lane_id, version, priority, start, created in rows
    ]


def _microseconds(created: datetime) -> int:
    """Return a database moment in microseconds; SQLite stores it without its zone, which is UTC."""
    return microseconds(created if created.tzinfo else created.replace(tzinfo=UTC))
