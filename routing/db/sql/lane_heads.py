"""First waiting tasks, in the order of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routing.core.vocabulary import QueueOrder

WORKSPACE_HEAD: Final = """
    SELECT id, sid, lane_id, version, priority, virtual_start_us, date_created
    FROM tasks {tasks_served}
    WHERE workspace_id = %s AND assignment_status = 'pending'
    ORDER BY priority DESC, virtual_start_us, id LIMIT %s
"""
"""Return the first waiting tasks of a workspace whose queues are all FIFO, by `tasks_served`."""

LANE_HAS_TASKS: Final = """
    SELECT id FROM tasks {tasks_lane_fifo} WHERE lane_id = %s AND assignment_status = 'pending'
    ORDER BY priority DESC, virtual_start_us, id LIMIT 1
"""
"""Return a waiting task of a lane, if there is one, by `tasks_lane_fifo`."""

_POSTGRESQL: Final = """
    SELECT task.* FROM unnest(%s::bigint[]) AS lane (id) CROSS JOIN LATERAL (
        SELECT id, sid, lane_id, version, priority, virtual_start_us, date_created FROM tasks
        WHERE lane_id = lane.id AND assignment_status = 'pending' {after} {order} LIMIT %s
    ) AS task
"""
_SQLITE: Final = """
    SELECT id, sid, lane_id, version, priority, virtual_start_us, date_created
    FROM tasks WHERE id IN (
        SELECT task.id FROM json_each(%s) AS lane JOIN tasks AS task ON task.id IN (
            SELECT id FROM tasks INDEXED BY {index}
            WHERE lane_id = lane.value AND assignment_status = 'pending' {after} {order} LIMIT %s
        )
    )
"""
_INDEX: Final = {QueueOrder.FIFO: "tasks_lane_fifo", QueueOrder.LIFO: "tasks_lane_lifo"}
_ORDER: Final = {
    QueueOrder.FIFO: "ORDER BY priority DESC, virtual_start_us, id",
    QueueOrder.LIFO: "ORDER BY virtual_start_us DESC, id DESC",
}
_AFTER: Final = {
    QueueOrder.FIFO: (
        "AND priority <= %s AND (priority < %s OR virtual_start_us > %s"
        " OR (virtual_start_us = %s AND id > %s))"
    ),
    QueueOrder.LIFO: "AND virtual_start_us <= %s AND (virtual_start_us < %s OR id < %s)",
}


def _lane_heads(text: str) -> Mapping[tuple[QueueOrder, bool], str]:
    return {
        (order, is_later): text.format(
            index=_INDEX[order], order=_ORDER[order], after=_AFTER[order] if is_later else ""
        )
        for order in QueueOrder
        for is_later in (False, True)
    }


LANE_HEADS: Final[Mapping[str, Mapping[tuple[QueueOrder, bool], str]]] = {
    "postgresql": _lane_heads(_POSTGRESQL),
    "sqlite": _lane_heads(_SQLITE),
}
"""Return the first waiting tasks of each of some lanes, by `tasks_lane_fifo` or `tasks_lane_lifo`.

The texts are keyed by the database, then by the order of service and whether tasks up to a given
one are skipped. Django has no lateral join, and SQLite has none either: its correlated subquery
runs once for each lane.
"""
