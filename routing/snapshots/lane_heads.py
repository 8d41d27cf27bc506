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
from routing.db.pipeline import cursor as open_cursor
from routing.db.sql import lane_heads as sql
from routing.db.sql.index_hints import fill_slots

FEWEST: Final = 2
"""Fewest tasks to load of each lane."""

Heads = dict[int, list[snapshot.Task]]
"""Tasks by lane id, in the order of service."""


def window(workspace: models.Workspace, *, size: int) -> list[snapshot.Task]:
    """Return the first waiting tasks of a workspace whose queues are all FIFO."""
    with open_cursor() as cursor:
        cursor.execute(fill_slots(sql.WORKSPACE_HEAD), [workspace.pk, size])
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
    text = sql.LANE_HEADS[connection.vendor][order, after is not None]
    asked: Any = lane_ids if connection.vendor == "postgresql" else str(lane_ids)
    with open_cursor() as cursor:
        cursor.execute(text, [asked, *parameters, depth])
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
