"""Load the first waiting tasks: of some lanes, or of a whole workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from routing import models
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.vocabulary import QueueOrder
from routing.db.pipeline import Pending, open_cursor
from routing.db.sql import lane_heads as sql
from routing.db.sql.index_hints import fill_slots


def load_workspace_tasks(workspace: models.Workspace, *, size: int) -> list[snapshot.Task]:
    """Return the first waiting tasks of a workspace whose queues are all FIFO."""
    with open_cursor() as cursor:
        cursor.execute(fill_slots(sql.WORKSPACE_HEAD), [workspace.pk, size])
        return _read_tasks(cursor.fetchall())


def load_lane_tasks(
    lanes: Iterable[snapshot.Lane], *, size: int, after: snapshot.Task | None = None
) -> list[snapshot.Task]:
    """Return the first waiting tasks of these lanes, each lane's in its order of service.

    There is one query for each order in use.

    Arguments:
        size: how many tasks to load of each lane.
        after: leave out this task and all that are served before it.
    """
    by_order: dict[QueueOrder, list[int]] = defaultdict(list)
    for lane in lanes:
        by_order[lane.order].append(lane.id)
    return [
        task for order, lane_ids in by_order.items() for task in _load(order, lane_ids, size, after)
    ]


def send_has_tasks(lane_id: int) -> Pending[bool]:
    """Send the question whether any task waits in a lane; see `pipeline`."""
    cursor = open_cursor()
    cursor.execute(fill_slots(sql.LANE_HAS_TASKS), [lane_id])

    def read() -> bool:
        with cursor:
            return cursor.fetchone() is not None

    return Pending(read)


def _load(
    order: QueueOrder, lane_ids: list[int], size: int, after: snapshot.Task | None
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
        cursor.execute(text, [asked, *parameters, size])
        tasks = _read_tasks(cursor.fetchall())
    # A join does not keep the order of its subqueries.
    if order == QueueOrder.FIFO:
        return sorted(tasks, key=lambda t: (-t.priority, t.virtual_start_us, t.id))
    return sorted(tasks, key=lambda t: (-t.virtual_start_us, -t.id))


def _read_tasks(rows: Sequence[tuple[Any, ...]]) -> list[snapshot.Task]:
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
