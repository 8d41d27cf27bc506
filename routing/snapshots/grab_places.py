"""The place of a task that is grabbed: what waits before it, up to limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import connection

from routing import models
from routing.core.vocabulary import QueueOrder
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import Pending, open_cursor
from routing.db.sql.grab_places import COUNT_OLDER

MOST_COUNTED: Final = 100
"""Number up to which tasks before the grabbed one are counted, and those of its lane named."""
MOST_READ: Final = 1_000
"""Tasks of a queue, from the oldest, among which older ones are counted."""


class Ahead(NamedTuple):
    """What would have been served before a task: their number, and the sids of those counted."""

    number: int
    sids: Sequence[str]


def send_ahead(task: models.Task) -> Pending[Ahead]:
    """Find the tasks of the same lane that would be served before a waiting task.

    Tasks of one lane are alike for every worker, so each of them was certainly passed over.
    """
    is_lifo = task.task_queue is not None and task.task_queue.task_order == QueueOrder.LIFO
    sent = (_LIFO if is_lifo else _FIFO).send(task.lane_id)

    def read() -> Ahead:
        found = [sid for (sid,) in sent.result()]
        count = found.index(task.sid) if task.sid in found else MOST_COUNTED
        return Ahead(count, found[:count])

    return Pending(read)


def send_older(task: models.Task) -> Pending[int]:
    """Count the older tasks of the queue with at least the priority of a waiting task."""
    cursor = open_cursor()
    cursor.execute(
        COUNT_OLDER,
        [
            task.task_queue_id,
            connection.ops.adapt_datetimefield_value(task.date_created),
            task.pk,
            MOST_READ,
            task.priority,
            MOST_COUNTED,
        ],
    )

    def read() -> int:
        with cursor:
            return int(cursor.fetchone()[0])

    return Pending(read)


_FIFO: Final = CompiledQuery(
    lambda lane: (
        models.Task.objects.pending()
        .filter(lane_id=lane)
        .order_by("-priority", "virtual_start_us", "pk")
        .values_list("sid")[:MOST_COUNTED]
    )
)
_LIFO: Final = CompiledQuery(
    lambda lane: (
        models.Task.objects.pending()
        .filter(lane_id=lane)
        .order_by("-virtual_start_us", "-pk")
        .values_list("sid")[:MOST_COUNTED]
    )
)
