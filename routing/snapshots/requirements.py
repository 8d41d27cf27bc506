"""Load what a task requires of a worker, for the grab, the grab button and the explanation.

The core computes every refusal from this one value. The router's pass evaluates the same functions
for all workers of a lane at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.eligibility import (
    Candidate,
    GrabTerms,
    TaskRequirements,
    assign_refusal,
    build_age_view,
    grab_refusal,
)
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, Refusal
from routing.core.workflow_position import find_target, time_of_day
from routing.snapshots import lanes, tasks
from workflows.configuration import Target
from workflows.expressions import NOTHING, View

READ_WITH: Final = (
    "workspace",
    "workflow",
    "task_channel",
    "task_queue",
    "lane__task_queue",
    "lane__task_channel",
)
"""Relations of a task that this module reads: to be selected with it."""


def load_requirements(
    task: models.Task, *, reserved_for: Collection[int] | None = None, now: datetime
) -> TaskRequirements:
    """Return what a task requires of a worker, with one query at most if its relations are loaded.

    Arguments:
        reserved_for: ids of the workers with an open reservation of the task; None to load them.
    """
    rank = _load_rank(task) if task.assignment_status == AssignmentStatus.PENDING else 0
    if reserved_for is None:
        reserved_for = _load_reserved_workers(task)
    return _build_requirements(task, rank=rank, reserved_for=reserved_for, now=now)


def build_new_requirements(
    lane: snapshot.Lane,
    *,
    workspace: models.Workspace,
    queue: models.TaskQueue | None,
    target: Target,
    task: View,
    created_us: int,
    now: int,
) -> TaskRequirements:
    """Return what a task that has just come to a target would require of a worker.

    Arguments:
        task: the task as expressions read it.
        created_us: when the task was created, in microseconds.
        now: when it has come to the target, in microseconds.
    """
    return TaskRequirements(
        lane=lane,
        multi_task=workspace.multi_task_enabled,
        clock=time_of_day(now),
        task=build_age_view(created_us, now=now),
        grab=GrabTerms(rank=len(_load_oldest(queue)), expression=target.grab_expression, task=task),
    )


def find_grab_refusal(
    task: models.Task, worker: snapshot.Worker, *, now: datetime
) -> Refusal | None:
    """Return why this worker may not grab this task now, or None."""
    return grab_refusal(Candidate(worker), load_requirements(task, now=now))


def find_assign_refusal(
    task: models.Task,
    worker: snapshot.Worker,
    *,
    ignore_capacity: bool,
    ignore_expressions: bool,
    now: datetime,
) -> Refusal | None:
    """Return why a supervisor may not give this task to this worker now, or None."""
    return assign_refusal(
        Candidate(worker),
        load_requirements(task, now=now),
        ignore_capacity=ignore_capacity,
        ignore_expressions=ignore_expressions,
    )


def list_requirements(oldest: Iterable[models.Task], *, now: datetime) -> list[TaskRequirements]:
    """Return for each task what `load_requirements` returns, without a query for each.

    Arguments:
        oldest: pending tasks selected with `READ_WITH`: the oldest of their queues, oldest first.
    """
    older: Counter[int | None] = Counter()
    found = []
    for task in oldest:
        found.append(_build_requirements(task, rank=older[task.task_queue_id], now=now))
        older[task.task_queue_id] += 1
    return found


def list_some_requirements(
    pending: Sequence[models.Task], *, now: datetime
) -> list[TaskRequirements]:
    """Return for each task what `load_requirements` returns, with a query for each queue at most.

    Arguments:
        pending: any pending tasks, selected with `READ_WITH`.
    """
    oldest: dict[int | None, list[int]] = {}
    found = []
    for task in pending:
        if task.task_queue_id not in oldest:
            oldest[task.task_queue_id] = _load_oldest(task.task_queue)
        found.append(
            _build_requirements(task, rank=_rank(task, oldest[task.task_queue_id]), now=now)
        )
    return found


def _build_requirements(
    task: models.Task, *, rank: int, reserved_for: Collection[int] = (), now: datetime
) -> TaskRequirements:
    pending = task.assignment_status == AssignmentStatus.PENDING
    us = microseconds(now)
    return TaskRequirements(
        lane=_build_lane(task),
        multi_task=task.workspace.multi_task_enabled,
        clock=time_of_day(us),
        task=build_age_view(microseconds(task.date_created), now=us),
        status=AssignmentStatus(task.assignment_status),
        reserved_for=reserved_for,
        grab=_build_grab_terms(task, rank, now) if pending else None,
    )


def _build_lane(task: models.Task) -> snapshot.Lane:
    """Return the lane of a waiting task; for any other a lane with its queue only."""
    if task.lane is not None and task.assignment_status == AssignmentStatus.PENDING:
        # An unreadable lane matches no worker, as in the router.
        return lanes.build_lane_or_none(task.lane) or lanes.build_unreadable_lane(task.lane)
    to_worker = task.routing_target if (task.routing_target or "").startswith("WK") else None
    queue = None if to_worker or task.task_queue is None else lanes.build_queue(task.task_queue)
    return snapshot.Lane(
        id=0, task_queue=queue, task_channel_id=task.task_channel_id, known_worker_sid=to_worker
    )


def _build_grab_terms(task: models.Task, rank: int, now: datetime) -> GrabTerms:
    step = tasks.build_step(task)
    expression = None
    if step is not None and task.revision_id is not None:
        configuration = configurations.load_configuration(task.revision_id)
        expression = find_target(configuration, step).grab_expression
    return GrabTerms(
        rank=rank,
        waited=int((now - (task.task_queue_entered_date or task.date_created)).total_seconds()),
        expression=expression,
        task=NOTHING if expression is None else tasks.build_task_view(task, now=now),
    )


def _load_reserved_workers(task: models.Task) -> set[int]:
    """Return the ids of the workers whose open reservations make a difference: of offered tasks."""
    if task.assignment_status != AssignmentStatus.RESERVED:
        return set()
    reservations = task.reservations.open().filter(worker__isnull=False)
    return set(reservations.values_list("worker_id", flat=True))


def _load_rank(task: models.Task) -> int:
    """Return how many waiting tasks of the queue are older, as far as its policy needs to know."""
    return _rank(task, _load_oldest(task.task_queue))


def _load_oldest(queue: models.TaskQueue | None) -> list[int]:
    """Return the ids of the tasks that a queue's policy lets workers grab, if it needs to know."""
    if queue is None or queue.grab_policy != GrabPolicy.OLDEST:
        return []
    waiting = models.Task.objects.pending().filter(task_queue=queue).order_by("date_created", "pk")
    return list(waiting.values_list("pk", flat=True)[: queue.grab_limit])


def _rank(task: models.Task, oldest: Collection[int]) -> int:
    queue = task.task_queue
    if queue is None or queue.grab_policy != GrabPolicy.OLDEST or task.pk in oldest:
        return 0
    return queue.grab_limit
