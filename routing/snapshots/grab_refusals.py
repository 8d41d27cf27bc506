"""Find why a worker may not grab a waiting task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.core import eligibility, workflow_position
from routing.core.clock import microseconds
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, Refusal
from routing.snapshots import lanes, tasks
from workflows.expressions import NOTHING

READ_WITH: Final = (
    "workspace",
    "workflow",
    "task_channel",
    "task_queue",
    "lane__task_queue",
    "lane__task_channel",
)
"""Relations of a task that `find_grab_refusals` reads: to be selected with it."""


def find_grab_refusal(
    task: models.Task, candidate: eligibility.Candidate, *, now: datetime
) -> Refusal | None:
    """Return why this worker may not grab this task now, or None."""
    status = AssignmentStatus(task.assignment_status)
    offered = status == AssignmentStatus.RESERVED and (
        models.Reservation.objects.filter(task=task, worker_id=candidate.worker.id).open().exists()
    )
    if refusal := eligibility.status_refusal(status, offered=offered):
        return refusal
    return _waiting_refusal(task, candidate, rank=count_older_tasks(task), now=now)


def find_grab_refusals(
    tasks: Iterable[models.Task], candidate: eligibility.Candidate, *, now: datetime
) -> list[Refusal | None]:
    """Return for each task why the worker may not grab it: `find_grab_refusal` in bulk.

    Arguments:
        tasks: pending tasks selected with `READ_WITH`: the oldest of their queues, oldest first.
    """
    older: Counter[int | None] = Counter()
    answers = []
    for task in tasks:
        rank = older[task.task_queue_id]
        answers.append(_waiting_refusal(task, candidate, rank=rank, now=now))
        older[task.task_queue_id] += 1
    return answers


def _waiting_refusal(
    task: models.Task, candidate: eligibility.Candidate, *, rank: int, now: datetime
) -> Refusal | None:
    assert task.lane is not None
    return eligibility.grab_refusal(
        candidate, lanes.lane(task.lane), **load_grab_terms(task, rank=rank, now=now)
    )


def load_grab_terms(task: models.Task, *, rank: int, now: datetime) -> eligibility.GrabTerms:
    """Return the terms for grabbing a waiting task, which was selected with `READ_WITH`."""
    step = tasks.step(task)
    expression = None
    if step is not None and task.revision_id is not None:
        expression = workflow_position.target_of(
            configurations.load_configuration(task.revision_id), step
        ).grab_expression
    return {
        "multi_task": task.workspace.multi_task_enabled,
        "rank": rank,
        "waited": int((now - (task.task_queue_entered_date or task.date_created)).total_seconds()),
        "expression": expression,
        "task": NOTHING if expression is None else tasks.view(task, now=now),
        "clock": workflow_position.time_of_day(microseconds(now)),
    }


def count_older_tasks(task: models.Task) -> int:
    """Return how many waiting tasks of the queue are older, as far as its policy needs to know."""
    queue = task.task_queue
    if queue is None or queue.grab_policy != GrabPolicy.OLDEST:
        return 0
    waiting = models.Task.objects.pending().filter(task_queue=queue).order_by("date_created", "pk")
    oldest = list(waiting.values_list("pk", flat=True)[: queue.grab_limit])
    return 0 if task.pk in oldest else queue.grab_limit
