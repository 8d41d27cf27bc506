"""Turn lanes and queues into what the router sees of them."""

from __future__ import annotations

from routing import models
from routing.core import snapshot
from routing.core.vocabulary import GrabPolicy, QueueOrder
from workflows import expressions


def lane(row: models.Lane) -> snapshot.Lane:
    """Return a lane as the router sees it."""
    expression = row.expression
    return snapshot.Lane(
        id=row.pk,
        task_queue=None if row.task_queue is None else task_queue(row.task_queue),
        task_channel_id=row.task_channel_id,
        optimized=row.task_channel.channel_optimized_routing,
        expression=expressions.compile(expression, subject="residual") if expression else None,
        order_by=expressions.compile_ordering(row.order_by) if row.order_by else None,
        known_worker_sid=row.known_worker_sid,
        known_worker_name=row.known_worker_name,
        ignore_capacity=row.ignore_capacity,
    )


def task_queue(queue: models.TaskQueue) -> snapshot.TaskQueue:
    """Return a queue as the router sees it."""
    source = queue.target_workers.strip()
    return snapshot.TaskQueue(
        id=queue.pk,
        sid=queue.sid,
        target_workers=expressions.compile(source, subject="worker") if source else None,
        task_order=QueueOrder(queue.task_order),
        max_reserved_workers=queue.max_reserved_workers,
        grab_policy=GrabPolicy(queue.grab_policy),
        grab_limit=queue.grab_limit,
        grab_after=queue.grab_after,
    )
