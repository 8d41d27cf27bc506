"""Drive a matching pass from a list of tasks, as the router drives it from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.core.matching.matching_pass import (
    MOST_OFFERS,
    MatchingResult,
    NeedTasks,
    NeedWorkspaceTasks,
    match_tasks,
    service_key,
)
from routing.core.snapshot import Task, Workspace


def match_list(
    workspace: Workspace,
    tasks: Iterable[Task],
    *,
    now: int,
    limit: int = MOST_OFFERS,
    requests: list[NeedTasks] | None = None,
) -> MatchingResult:
    """Run a pass over a snapshot and these waiting tasks, which may come in any order.

    Arguments:
        requests: a list to which the requests of the pass are added.
    """
    first = workspace.prioritize_queue_order
    waiting = sorted(
        tasks, key=lambda task: service_key(task, workspace.lanes[task.lane_id], first=first)
    )
    matching = match_tasks(workspace, now=now, limit=limit)
    try:
        request = next(matching)
        while True:
            if requests is not None:
                requests.append(request)
            request = matching.send(answer(request, waiting))
    except StopIteration as finished:
        result: MatchingResult = finished.value
        return result


def answer(request: NeedTasks, waiting: Sequence[Task]) -> list[Task]:
    """Return the tasks that a pass requests, of those that wait, in the order of service."""
    if isinstance(request, NeedWorkspaceTasks):
        return list(waiting[: request.size])
    found = []
    for lane in request.lanes:
        of_lane = [task for task in waiting if task.lane_id == lane.id]
        # The task before these may be of another lane.
        start = 0
        if request.after is not None:
            after = service_key(request.after, lane, first=lane.order)
            start = sum(service_key(task, lane, first=lane.order) <= after for task in of_lane)
        found += of_lane[start : start + request.size]
    return found
