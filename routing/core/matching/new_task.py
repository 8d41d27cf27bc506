"""Choose the worker for a task that is being created, where no other waiting task may need them.

The choice is what a pass would decide with the task. The workers with a free slot are ordered and
checked by the same `LaneMatcher`. No other waiting task may take the worker chosen, so a pass
would leave them free until the new task's turn. What it assigns to others before moves these
behind the workers who were not assigned anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.core.eligibility import Candidate
from routing.core.matching.lane_matcher import LaneMatcher
from routing.core.matching.worker_set import WorkerSet
from routing.core.snapshot import Lane, Task, Worker
from routing.core.workflow_position import time_of_day


def can_choose(lane: Lane) -> bool:
    """Return whether a task of this lane can be offered to a worker before any pass.

    It cannot if it names its worker, is offered to several, or has an order of its own.
    """
    queue = lane.task_queue
    return (
        lane.readable
        and not lane.ignore_capacity
        and lane.order_by is None
        and (lane.known_worker_sid, lane.known_worker_name) == (None, None)
        and queue is not None
        and queue.max_reserved_workers == 1
    )


def choose_worker(task: Task, lane: Lane, workers: Sequence[Worker], *, now: int) -> Worker | None:
    """Return who is offered a new task if it is the only one that this worker may take, or None.

    The workspace has multitasking.

    Arguments:
        lane: the task's lane, for which `can_choose`.
        workers: all workers with a free slot who might take a task of the lane.
        now: the moment in microseconds.
    """
    matcher = _build_matcher(lane, workers, now=now)
    if matcher.per_task:
        return None
    for worker, _ in matcher.choose_workers(task):
        idle_since = Candidate(worker).idle_since(lane.task_channel_id, optimized=lane.optimized)
        # Another process's clock is ahead: a pass might rank workers with a new slot before.
        return worker if idle_since <= now else None
    return None


def may_take_another(worker: Worker, lanes: Iterable[Lane], *, now: int) -> bool:
    """Return whether a worker may take a task of these lanes now, or after one task more.

    It is also true if that differs from task to task of a lane.

    Arguments:
        lanes: lanes with waiting tasks.
    """
    matchers = (_build_matcher(lane, [worker], now=now) for lane in lanes)
    return any(each.may_open or each.select_eligible() for each in matchers)


def _build_matcher(lane: Lane, workers: Sequence[Worker], *, now: int) -> LaneMatcher:
    return LaneMatcher(lane, WorkerSet(workers, multi_task=True, clock=time_of_day(now)), now=now)
