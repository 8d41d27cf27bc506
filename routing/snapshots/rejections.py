"""Load which workers are passed over for tasks that they have rejected a moment ago."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from routing import models
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.matching import rejections
from routing.core.vocabulary import AssignmentStatus
from routing.db.compiled import BIG_INTEGER, CompiledQuery
from routing.snapshots import workers as worker_snapshots

MOST_REJECTIONS: Final = 5_000
"""Most rejections to load for a pass; the others pass over no worker."""

_Row = tuple[int, int, int, datetime, int | None]


def load_passed_over(
    workspace: models.Workspace, seen: snapshot.Workspace, *, now: datetime
) -> Mapping[int, Collection[int]]:
    """Return by task id which workers a pass must not offer the task, as they have rejected it.

    Without a pause in the workspace's settings there is no query. Workers who are not free are
    loaded only where none of the free ones shows that another worker may take the task.

    Arguments:
        seen: the free workers and the lanes of the pass.
    """
    if not workspace.rejection_pause or not seen.lanes:
        return {}
    us = microseconds(now)
    by_task: dict[int, list[snapshot.Rejection]] = defaultdict(list)
    lane_of: dict[int, snapshot.Lane] = {}
    free = {worker.id for worker in seen.workers}
    for task_id, lane_id, worker_id, rejected, until_us in _PAUSED(workspace.pk, us):
        if worker_id in free and lane_id in seen.lanes:
            by_task[task_id].append(_build_rejection(worker_id, rejected, until_us))
            lane_of[task_id] = seen.lanes[lane_id]
    if not by_task:
        return {}
    takers = _find_takers(workspace, lane_of.values(), seen.workers)
    return {
        task_id: found
        for task_id, rejected in by_task.items()
        if (
            found := rejections.choose_rejections(
                rejected, takers=takers[lane_of[task_id].id], now=us
            )
        )
    }


def load_rejections(
    task: models.Task,
    lane: snapshot.Lane,
    workers: Iterable[snapshot.Worker],
    *,
    now: datetime,
) -> Mapping[int, snapshot.Rejection]:
    """Return by worker id the rejections for which workers are passed over for a waiting task.

    Arguments:
        workers: all workers of the workspace.
    """
    workspace = task.workspace
    if not workspace.rejection_pause or task.assignment_status != AssignmentStatus.PENDING:
        return {}
    rows = models.Reservation.objects.filter(
        task=task, paused_until_us__gt=microseconds(now), worker__isnull=False
    )
    found = rows.order_by("paused_until_us").values_list(
        "worker_id", "date_updated", "paused_until_us"
    )
    takers = rejections.find_takers(lane, workers, multi_task=workspace.multi_task_enabled)
    return rejections.choose_rejections(
        (_build_rejection(*row) for row in found), takers=takers, now=microseconds(now)
    )


def _find_takers(
    workspace: models.Workspace,
    lanes: Iterable[snapshot.Lane],
    free: Collection[snapshot.Worker],
) -> dict[int, frozenset[int]]:
    """Return by lane id the workers who may ever take a task of it; see `find_takers`."""
    multi_task = workspace.multi_task_enabled
    found = {
        lane.id: (lane, rejections.find_takers(lane, free, multi_task=multi_task)) for lane in lanes
    }
    if any(len(takers) < rejections.ENOUGH_TAKERS for _, takers in found.values()):
        everyone = worker_snapshots.load_workers(
            models.Worker.objects.filter(workspace_id=workspace.pk)
        )
        for lane, takers in list(found.values()):
            if len(takers) < rejections.ENOUGH_TAKERS:
                takers = rejections.find_takers(lane, everyone, multi_task=multi_task)
                found[lane.id] = (lane, takers)
    return {lane_id: takers for lane_id, (_, takers) in found.items()}


def _build_rejection(
    worker_id: int, rejected: datetime, until_us: int | None
) -> snapshot.Rejection:
    assert until_us is not None, "the query compares it with a moment"
    return snapshot.Rejection(
        worker_id=worker_id, rejected_us=microseconds(rejected), until_us=until_us
    )


_PAUSED: Final[CompiledQuery[_Row]] = CompiledQuery(
    lambda workspace, now=BIG_INTEGER: (
        models.Reservation.objects.filter(
            workspace_id=workspace,
            paused_until_us__gt=now,
            task__assignment_status__spelled=[AssignmentStatus.PENDING],
        )
        .order_by("-paused_until_us")
        .values_list("task_id", "task__lane_id", "worker_id", "date_updated", "paused_until_us")[
            :MOST_REJECTIONS
        ]
    )
)
