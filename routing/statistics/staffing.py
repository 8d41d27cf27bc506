"""Count workers: by activity, by queue, and the slots on each channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, QuerySet, Sum

from routing.core import eligibility, snapshot
from routing.models import Activity, TaskChannel, TaskQueue, Worker, WorkerChannel, Workspace
from routing.snapshots import lanes
from routing.snapshots.workers import load_workers


@dataclass(slots=True)
class Staff:
    """Workers per activity sid, and how many workers are available."""

    by_activity: Counter[str] = field(default_factory=Counter)
    available: int = 0

    @property
    def total(self) -> int:
        """Return the number of workers."""
        return self.by_activity.total()


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """The number of workers with a free slot on one channel, and all slots there."""

    workers: int = 0
    configured: int = 0
    used: int = 0


def list_activities(workspace: Workspace) -> list[Activity]:
    """Return a workspace's activities, oldest first."""
    return list(workspace.activities.order_by("date_created", "pk"))


def count_by_activity(workers: QuerySet[Worker]) -> Staff:
    """Count workers by activity."""
    counted = workers.order_by().values_list("activity__sid", "activity__available")
    staff = Staff()
    for sid, available, count in counted.annotate(count=Count("pk")):
        staff.by_activity[sid] += count
        staff.available += count if available else 0
    return staff


def count_by_queue(workspace: Workspace, queues: Sequence[TaskQueue]) -> dict[int, Staff]:
    """Count for each queue, by its id, the workers who serve it, whatever their state and load."""
    candidates = [eligibility.Candidate(worker) for worker in load_workers(workspace.workers.all())]
    by_expression: dict[str, Staff] = {}
    for queue in queues:
        expression = queue.target_workers.strip()
        if expression in by_expression:
            continue
        staff = by_expression[expression] = Staff()
        row = lanes.build_queue(queue)
        for candidate in candidates:
            if eligibility.membership_refusal(candidate, row) is None:
                staff.by_activity[candidate.worker.activity_sid] += 1
                staff.available += candidate.worker.available
    return {queue.pk: by_expression[queue.target_workers.strip()] for queue in queues}


def find_available_by_queue(
    workspace: Workspace, queues: Sequence[TaskQueue]
) -> dict[int, list[snapshot.Worker]]:
    """Return for each queue, by its id, the available workers who serve it."""
    if not queues:
        return {}
    available = load_workers(workspace.workers.filter(activity__available=True))
    candidates = [eligibility.Candidate(worker) for worker in available]
    found: dict[str, list[snapshot.Worker]] = {}
    for queue in queues:
        if queue.target_workers not in found:
            row = lanes.build_queue(queue)
            found[queue.target_workers] = [
                each.worker
                for each in candidates
                if eligibility.membership_refusal(each, row) is None
            ]
    return {queue.pk: found[queue.target_workers] for queue in queues}


def filter_serving(workspace: Workspace, queues: Sequence[TaskQueue]) -> QuerySet[Worker]:
    """Return the workers who serve any of these queues."""
    seen = [lanes.build_queue(queue) for queue in queues]
    ids = [
        worker.id
        for worker in load_workers(workspace.workers.all())
        if any(
            eligibility.membership_refusal(eligibility.Candidate(worker), queue) is None
            for queue in seen
        )
    ]
    return workspace.workers.filter(pk__in=ids)


def count_slots(
    channels: Sequence[TaskChannel], *, workers: QuerySet[Worker] | None
) -> dict[int, SlotCounts]:
    """Return the slots on each of these channels, by its id.

    Arguments:
        workers: the workers to count; None for all.
    """
    rows = WorkerChannel.objects.filter(task_channel__in=[channel.pk for channel in channels])
    if workers is not None:
        rows = rows.filter(worker__in=workers.values("pk"))
    ready = Q(available=True, worker__activity__available=True) & Q(
        consumed__lt=F("configured_capacity")
    )
    counted = (
        rows.order_by()
        .values_list("task_channel_id")
        .annotate(
            ready=Count("pk", filter=ready),
            configured=Sum("configured_capacity"),
            used=Sum("consumed"),
        )
    )
    found = {channel: SlotCounts(*figures) for channel, *figures in counted}
    return {channel.pk: found.get(channel.pk, SlotCounts()) for channel in channels}
