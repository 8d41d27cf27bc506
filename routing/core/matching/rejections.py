"""Decide which workers are passed over for a task because they have rejected it a moment ago.

A worker who rejects a task is not offered it again for the workspace's pause, unless no other
worker may ever take it.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.core.eligibility import Candidate
from routing.core.matching.conditions import condition_holds, reads_clock, split_condition
from routing.core.snapshot import Lane, Rejection, Worker
from workflows.expressions import NOTHING, Expression

ENOUGH_TAKERS = 2
"""Number of workers who may take a task from which no worker is the only one."""


def find_takers(lane: Lane, workers: Iterable[Worker], *, multi_task: bool) -> frozenset[int]:
    """Return the ids of workers who may ever take a task of this lane: two at most."""
    found: set[int] = set()
    for worker in workers:
        if may_ever_take(worker, lane, multi_task=multi_task):
            found.add(worker.id)
            if len(found) == ENOUGH_TAKERS:
                break
    return frozenset(found)


def may_ever_take(worker: Worker, lane: Lane, *, multi_task: bool) -> bool:
    """Return whether a worker may take a task of this lane now or later, as they are configured.

    Their activity, their load and the time of day do not count, because these change by themselves.
    """
    if not (worker.readable and lane.readable):
        return False
    if lane.known_worker_sid is not None and lane.known_worker_sid != worker.sid:
        return False
    name = lane.known_worker_name
    if name is not None and name != worker.friendly_name.casefold():
        return False
    if multi_task and not lane.ignore_capacity:
        channel = worker.channels.get(lane.task_channel_id)
        if channel is None or channel.configured_capacity <= channel.reserved_for_manual:
            return False
    queue = lane.task_queue
    if queue is not None and (
        queue.target_workers is None or not _may_meet(worker, queue.target_workers)
    ):
        return False
    return lane.expression is None or _may_meet(worker, lane.expression)


def choose_rejections(
    rejections: Iterable[Rejection], *, takers: frozenset[int], now: int
) -> dict[int, Rejection]:
    """Return the rejections of a task, by worker, for which their workers are passed over now.

    Arguments:
        takers: what `find_takers` returns for the task's lane and all workers.
    """
    return {
        each.worker_id: each
        for each in rejections
        if each.until_us > now and takers - {each.worker_id}
    }


def _may_meet(worker: Worker, expression: Expression) -> bool:
    view = Candidate(worker).view()
    return all(
        reads_clock(condition) or condition_holds(condition, view, NOTHING, NOTHING)
        for condition in split_condition(expression).fixed
    )
