"""Choose the next worker for a task that is being transferred to a queue."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from routing import models
from routing.core import eligibility, snapshot, workflow_position
from routing.core.clock import microseconds
from routing.core.vocabulary import Refusal
from routing.snapshots import lanes, workers


def asked(transfer: models.Transfer) -> set[int]:
    """Return the ids of workers who had the transfer on offer or have a reservation of its task."""
    # Deleted workers have no id any more.
    offered = models.Reservation.objects.filter(incoming=transfer, worker__isnull=False)
    part = models.Reservation.objects.filter(task=transfer.task_id).open()
    return {*offered.values_list("worker", flat=True), *part.values_list("worker", flat=True)}


def next_worker(transfer: models.Transfer, *, but: Collection[int], now: datetime) -> int | None:
    """Return the id of the next worker: of the queue's workers with a free slot the longest idle.

    Arguments:
        transfer: loaded with its workspace, its task and the task's channel.
        but: ids of workers to leave out.
    """
    lane = _lane(transfer)
    if lane is None:
        return None
    free = models.WorkerChannel.objects.filter(
        task_channel=lane.task_channel_id, worker_available=True
    )
    if transfer.workspace.multi_task_enabled:
        free = free.filter(available=True, consumed__lt=F("configured_capacity"))
    candidates = models.Worker.objects.filter(pk__in=free.values("worker")).exclude(pk__in=but)
    hands = (eligibility.Candidate(worker) for worker in workers.load_workers(candidates))
    fit = [hand for hand in hands if _refusal(transfer, lane, hand, now) is None]
    best = min(fit, key=lambda hand: eligibility.rank(hand, lane), default=None)
    return None if best is None else best.worker.id


def refusal(
    transfer: models.Transfer, hand: eligibility.Candidate, *, now: datetime
) -> Refusal | None:
    """Return why a worker may not be offered the transfer, or None."""
    lane = _lane(transfer)
    return Refusal.NOT_IN_QUEUE if lane is None else _refusal(transfer, lane, hand, now)


def _refusal(
    transfer: models.Transfer, lane: snapshot.Lane, hand: eligibility.Candidate, now: datetime
) -> Refusal | None:
    return eligibility.router_refusal(
        hand,
        lane,
        multi_task=transfer.workspace.multi_task_enabled,
        clock=workflow_position.time_of_day(microseconds(now)),
    )


def _lane(transfer: models.Transfer) -> snapshot.Lane | None:
    """Return a lane for the task in the queue; None when the queue is gone."""
    queue = models.TaskQueue.objects.filter(
        workspace=transfer.workspace_id, sid=transfer.transfer_to
    ).first()
    if queue is None:
        return None
    channel = transfer.task.task_channel
    return snapshot.Lane(
        id=0,
        task_queue=lanes.task_queue(queue),
        task_channel_id=channel.pk,
        optimized=channel.channel_optimized_routing,
    )
