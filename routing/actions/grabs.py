"""Grab a waiting task for a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.actions import offers, reservations
from routing.actions.support import claiming, locking
from routing.actions.support.errors import NotEligible, StaleState
from routing.actors import Actor
from routing.core import eligibility, workflow_position
from routing.core.clock import microseconds
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, Refusal, ReservationStatus
from routing.snapshots import lanes, tasks, workers
from workflows.expressions import NOTHING

READ_WITH: Final = (
    "workspace",
    "workflow",
    "task_channel",
    "task_queue",
    "lane__task_queue",
    "lane__task_channel",
)
"""Relations of a task that `refusals` reads: to be selected with it."""


@locking.retry_on_conflict
def grab_task(
    *, task: models.Task, worker: models.Worker, actor: Actor, now: datetime
) -> models.Reservation:
    """Assign a waiting task to a worker who asks for it: offer and accept in one transaction.

    The target's automatic expression is not evaluated. The queue's expression, availability,
    capacity, the queue's grab policy and the target's `grab_expression` are. Of two workers who
    grab the same task, one gets `NotEligible`.

    Raises `StaleState` when the task or the worker has been deleted.
    """
    story = locking.lock_task_and_workers(task.pk, joining=[worker.pk])
    if story.task.workspace_id != worker.workspace_id:
        raise NotEligible(Refusal.NOT_IN_QUEUE)
    if story.task.expires_us <= microseconds(now):
        # Its lifetime is over, though no cycle has ended it yet.
        raise NotEligible(Refusal.TASK_NOT_PENDING)
    gone = StaleState("the worker no longer exists; it was deleted")
    try:
        hand = eligibility.Candidate(workers.load_worker(worker.pk))
    except models.Worker.DoesNotExist:
        raise gone from None
    if refusal := refusal_of(story.task, hand, now=now):
        raise NotEligible(refusal)
    slots = models.WorkerChannel.objects.select_related("worker__activity", "worker__workspace")
    slot = slots.filter(worker=worker, task_channel=story.task.task_channel_id).first()
    if slot is None:
        raise gone
    try:
        made = offers.make_offers(
            [claiming.Offer(task=story.task, slots=[slot])], actor=actor, now=now
        )
    except StaleState:
        raise NotEligible(Refusal.NO_CAPACITY) from None
    story.reservations.extend(made)
    (reservation,) = made
    reservations.move_reservation_and_task(
        story, reservation, ReservationStatus.ACCEPTED, actor=actor, now=now
    )
    return reservation


def refusal_of(task: models.Task, hand: eligibility.Candidate, *, now: datetime) -> Refusal | None:
    """Return why this worker may not grab this task now, or None."""
    status = AssignmentStatus(task.assignment_status)
    offered = status == AssignmentStatus.RESERVED and (
        models.Reservation.objects.filter(task=task, worker_id=hand.worker.id).open().exists()
    )
    if refusal := eligibility.status_refusal(status, offered=offered):
        return refusal
    return _waiting_refusal(task, hand, rank=rank_of(task), now=now)


def refusals(
    tasks: Iterable[models.Task], hand: eligibility.Candidate, *, now: datetime
) -> list[Refusal | None]:
    """Return for each task why the worker may not grab it: `refusal_of` in bulk.

    Arguments:
        tasks: pending tasks selected with `READ_WITH`: the oldest of their queues, oldest first.
    """
    older: Counter[int | None] = Counter()
    answers = []
    for task in tasks:
        rank = older[task.task_queue_id]
        answers.append(_waiting_refusal(task, hand, rank=rank, now=now))
        older[task.task_queue_id] += 1
    return answers


def _waiting_refusal(
    task: models.Task, hand: eligibility.Candidate, *, rank: int, now: datetime
) -> Refusal | None:
    assert task.lane is not None
    return eligibility.grab_refusal(hand, lanes.lane(task.lane), **terms(task, rank=rank, now=now))


def terms(task: models.Task, *, rank: int, now: datetime) -> eligibility.GrabTerms:
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


def rank_of(task: models.Task) -> int:
    """Return how many waiting tasks of the queue are older, as far as its policy needs to know."""
    queue = task.task_queue
    if queue is None or queue.grab_policy != GrabPolicy.OLDEST:
        return 0
    waiting = models.Task.objects.pending().filter(task_queue=queue).order_by("date_created", "pk")
    oldest = list(waiting.values_list("pk", flat=True)[: queue.grab_limit])
    return 0 if task.pk in oldest else queue.grab_limit
