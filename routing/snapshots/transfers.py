"""Choose the next worker for a task that is being transferred to a queue."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from routing import models
from routing.core import eligibility, snapshot, workflow_position
from routing.core.clock import microseconds
from routing.snapshots import lanes, workers


def list_asked_workers(transfer: models.Transfer) -> set[int]:
    """Return the ids of workers who had the transfer on offer or have a reservation of its task."""
    # Deleted workers have no id any more.
    offered = models.Reservation.objects.filter(incoming=transfer, worker__isnull=False)
    part = models.Reservation.objects.filter(task=transfer.task_id).open()
    return {*offered.values_list("worker", flat=True), *part.values_list("worker", flat=True)}


def find_next_worker(
    transfer: models.Transfer, *, but: Collection[int], now: datetime
) -> int | None:
    """Return the id of the next worker: of the queue's workers with a free slot the longest idle.

    Arguments:
        transfer: loaded with its workspace, its task and the task's channel.
        but: ids of workers to leave out.
    """
    required = load_transfer_requirements(transfer, now=now)
    if required is None:
        return None
    lane = required.lane
    free = models.WorkerChannel.objects.filter(
        task_channel=lane.task_channel_id, worker_available=True
    )
    if transfer.workspace.multi_task_enabled:
        free = free.filter(available=True, consumed__lt=F("configured_capacity"))
    rows = models.Worker.objects.filter(pk__in=free.values("worker")).exclude(pk__in=but)
    candidates = (eligibility.Candidate(worker) for worker in workers.load_workers(rows))
    eligible = [each for each in candidates if eligibility.router_refusal(each, required) is None]
    best = min(eligible, key=lambda each: eligibility.rank_key(each, lane), default=None)
    return None if best is None else best.worker.id


def load_transfer_requirements(
    transfer: models.Transfer, *, now: datetime
) -> eligibility.TaskRequirements | None:
    """Return what a task in transfer requires of a worker; None when the queue is gone.

    The target's expression does not apply: any worker of the queue may have the task.
    """
    queue = models.TaskQueue.objects.filter(
        workspace=transfer.workspace_id, sid=transfer.transfer_to
    ).first()
    if queue is None:
        return None
    channel = transfer.task.task_channel
    return eligibility.TaskRequirements(
        lane=snapshot.Lane(
            id=0,
            task_queue=lanes.build_queue(queue),
            task_channel_id=channel.pk,
            optimized=channel.channel_optimized_routing,
        ),
        multi_task=transfer.workspace.multi_task_enabled,
        clock=workflow_position.time_of_day(microseconds(now)),
    )
