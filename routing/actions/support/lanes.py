"""Find the lane of a waiting task, or create it for the first such task."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.core import lanes, workflow_position
from routing.core.matching import lane_keys
from routing.db.compiled import CompiledQuery
from routing.db.guarded import GuardedQuery
from routing.models.lanes import SEEN_TO_WITHIN
from routing.snapshots import tasks
from workflows import expressions


def find_or_create_lane(task: models.Task, *, now: datetime) -> models.Lane:
    """Return the lane for a task's present attributes, step and channel, with its queue."""
    return _find_or_create(task, find_lane_identity(task, now=now), now)


class LaneCache:
    """Lanes of the tasks of one transaction, each found or created once."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, lanes.Identity], models.Lane] = {}

    def find_or_create_lane(self, task: models.Task, *, now: datetime) -> models.Lane:
        """Return the lane for a task, see `find_or_create_lane`."""
        identity = find_lane_identity(task, now=now)
        key = (task.workspace_id, identity)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _find_or_create(task, identity, now)
        return lane


def find_lane_identity(task: models.Task, *, now: datetime) -> lanes.Identity:
    """Return the identity of the lane in which a task waits."""
    step = tasks.build_step(task)
    if step is None or task.revision_id is None:
        return _direct_identity(task)
    target = workflow_position.find_target(
        configurations.load_configuration(task.revision_id), step
    )
    return lanes.identify_lane(
        target, tasks.build_task_view(task, now=now), task_channel_sid=task.task_channel.sid
    )


def _direct_identity(task: models.Task) -> lanes.Identity:
    to_worker = task.routing_target if (task.routing_target or "").startswith("WK") else None
    return lanes.Identity(
        task_channel_sid=task.task_channel.sid,
        task_queue_sid=None if to_worker or task.task_queue is None else task.task_queue.sid,
        known_worker_sid=to_worker,
        ignore_capacity=bool(task.ignore_capacity),
    )


def _find_or_create(task: models.Task, identity: lanes.Identity, now: datetime) -> models.Lane:
    known = _LANE(task.workspace_id, identity.digest)
    lane = known[0] if known else _create_lane(task, identity, now)
    if now - lane.date_seen > SEEN_TO_WITHIN:
        models.Lane.objects.filter(pk=lane.pk).update(date_seen=now)
    return lane


_LANE: Final = GuardedQuery(
    lambda workspace, digest: models.Lane.objects.filter(
        workspace_id=workspace, digest=digest
    ).select_related("task_queue"),
    related="task_queue",
)
_TASK_QUEUE: Final = CompiledQuery(
    lambda workspace, sid: models.TaskQueue.objects.filter(workspace_id=workspace, sid=sid)
)


def find_lane_key(identity: lanes.Identity) -> lane_keys.LaneKey:
    """Return the index key of a lane with this identity."""
    source = identity.expression
    expression = expressions.compile_expression(source, subject="residual") if source else None
    return lane_keys.choose_lane_key(identity, expression)


def _create_lane(task: models.Task, identity: lanes.Identity, now: datetime) -> models.Lane:
    """Create a lane, or return the one that another transaction has created first."""
    seek = find_lane_key(identity)
    queue = task.task_queue
    if identity.task_queue_sid is None:
        queue = None
    elif queue is None or queue.sid != identity.task_queue_sid:
        (queue,) = _TASK_QUEUE(task.workspace_id, identity.task_queue_sid)
    lane, _ = models.Lane.objects.get_or_create(
        workspace=task.workspace,
        digest=identity.digest,
        defaults={
            "seek_path": seek.path,
            "seek_value": seek.value,
            "task_channel": task.task_channel,
            "task_queue": queue,
            "expression": identity.expression,
            "order_by": identity.order_by,
            "known_worker_sid": identity.known_worker_sid,
            "known_worker_name": identity.known_worker_name,
            "ignore_capacity": identity.ignore_capacity,
            "date_seen": now,
        },
    )
    return lane
