"""Run one matching pass: answer the core's requests for tasks from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from routing import models
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.matching import matching_pass
from routing.core.matching.supposition import Supposition
from routing.router.failures import leave_out_failed
from routing.snapshots import due_work, lane_heads, rejections


def match_workspace(
    workspace: models.Workspace,
    *,
    now: datetime,
    limit: int = matching_pass.MOST_OFFERS,
    supposition: Supposition | None = None,
) -> matching_pass.MatchingResult:
    """Match the waiting tasks of a workspace with its free workers; nothing is changed.

    Arguments:
        limit: the largest number of offers.
        supposition: a task to match as if it waited too.
    """
    us = microseconds(now)
    seen = due_work.load_snapshot(workspace)
    if supposition is not None:
        seen = supposition.add_to_snapshot(seen, now=us)
    passed_over = rejections.load_passed_over(workspace, seen, now=now)
    if passed_over:
        seen = replace(seen, passed_over=passed_over)
    seen = leave_out_failed(seen, now=now)
    matching = matching_pass.match_tasks(seen, now=us, limit=limit)
    try:
        request = next(matching)
        while True:
            request = matching.send(_answer_request(workspace, request, supposition))
    except StopIteration as finished:
        result: matching_pass.MatchingResult = finished.value
        return result


def _answer_request(
    workspace: models.Workspace,
    request: matching_pass.NeedTasks,
    supposition: Supposition | None,
) -> Sequence[snapshot.Task]:
    if supposition is None:
        return _load_tasks(workspace, request)
    more = replace(request, size=request.size + supposition.count_missing())
    return supposition.complete_answer(request, _load_tasks(workspace, more))


def _load_tasks(
    workspace: models.Workspace, request: matching_pass.NeedTasks
) -> Sequence[snapshot.Task]:
    match request:
        case matching_pass.NeedWorkspaceTasks():
            return lane_heads.load_workspace_tasks(workspace, size=request.size)
        case matching_pass.NeedLaneTasks():
            return lane_heads.load_lane_tasks(request.lanes, size=request.size, after=request.after)
