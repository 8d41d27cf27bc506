"""Run one pass of the router over a snapshot: who is offered what, best task first."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.core.decisions import (
    CancelTask,
    Decision,
    EnterTarget,
    KeepWaiting,
    Reason,
    ReserveWorkers,
    TimeOutReservation,
)
from routing.core.matching.lane_matcher import LaneMatcher
from routing.core.matching.worker_set import WorkerSet
from routing.core.snapshot import Lane, Task, Workspace
from routing.core.vocabulary import QueueOrder
from routing.core.workflow_position import Step, advance, skip, target_of, time_of_day
from workflows.configuration import Configuration
from workflows.expressions import View


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A task whose deadline or step must be decided, with the values the decision needs.

    A task whose lifetime is over needs only `sid`, `version` and `expires_us`.
    """

    sid: str
    version: int
    expires_us: int
    view: View = field(default_factory=lambda: View({}, {}))
    configuration: Configuration | None = None
    step: Step | None = None


def expire(
    reservations: Iterable[str], *, tasks: Iterable[WaitingTask], now: int
) -> list[Decision]:
    """Decide what becomes of offers and of waiting tasks whose time is up.

    Arguments:
        reservations: sids of pending reservations past their deadline. They come first, because
            ending an offer may make its task due too.
    """
    decisions: list[Decision] = [TimeOutReservation(reservation_sid=sid) for sid in reservations]
    decisions.extend(_overdue(task, now) for task in tasks)
    return decisions


def _overdue(task: WaitingTask, now: int) -> Decision:
    if task.expires_us <= now or task.configuration is None or task.step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.EXPIRED)
    step = advance(task.configuration, task.view, task.step, now=now)
    if step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.WORKFLOW_TIMEOUT)
    return EnterTarget(task_sid=task.sid, version=task.version, step=step, timed_out=True)


def ask_to_skip(task: WaitingTask, *, workers: Mapping[str, Any], now: int) -> Decision:
    """Decide whether a task that got no offer on entering a step waits there or skips the step.

    Arguments:
        workers: the values of `workers.…`: how many workers of the step's queue are available,
            unavailable, and in each activity by sid (behaviour.md §6.4).
    """
    assert task.configuration is not None
    assert task.step is not None
    skip_if = target_of(task.configuration, task.step).skip_if
    if skip_if is None or not skip_if.matches(workers=View(workers, {})):
        return KeepWaiting(task_sid=task.sid, version=task.version)
    step = skip(task.configuration, task.view, task.step, now=now)
    if step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.WORKFLOW_SKIPPED)
    return EnterTarget(task_sid=task.sid, version=task.version, step=step, timed_out=False)


def service_order(task: Task, lane: Lane, *, first: QueueOrder) -> tuple[int, ...]:
    """Return a task's place among all waiting tasks: smallest first (behaviour.md §8.1)."""
    order = QueueOrder.FIFO if lane.task_queue is None else lane.task_queue.task_order
    kind = 0 if order == first else 1
    if order == QueueOrder.LIFO:
        return (kind, -task.virtual_start_us, -task.id)
    return (kind, -task.priority, task.virtual_start_us, task.id)


class Pass:
    """One matching pass over a workspace: which lanes have eligible workers, and who gets what.

    The load that the pass adds to a worker is counted at once, so that expressions see current
    figures for every task. The caller feeds it the head tasks of lanes, and it asks for more when a
    lane runs out of loaded tasks.
    """

    def __init__(self, workspace: Workspace, *, now: int) -> None:
        self.decisions: list[ReserveWorkers] = []
        """The reservations decided so far, in the order of service."""
        self.more_waits = False
        """Whether lanes outside this pass have waiting tasks too."""
        self._first = workspace.prioritize_queue_order
        floor = WorkerSet(
            workspace.workers, multi_task=workspace.multi_task_enabled, clock=time_of_day(now)
        )
        self._lines = {
            lane.id: LaneMatcher(lane, floor, now=now)
            for lane in workspace.lanes.values()
            if floor.workers
        }
        self._heads: dict[int, list[Task]] = {}
        self._deep: set[int] = set()
        self._queue: list[tuple[tuple[int, ...], int, int]] = []

    def open_lanes(self) -> list[Lane]:
        """Return the lanes that an eligible worker can serve: only their head tasks are loaded."""
        return [line.lane for line in self._lines.values() if not line.closed and line.admitted()]

    def feed(self, heads: Mapping[int, Sequence[Task]], *, deep: Collection[int] = ()) -> None:
        """Add tasks to match: the next ones of their lanes, in each lane's order of service.

        Arguments:
            deep: ids of lanes that have more tasks in the database than are loaded after this.
        """
        for lane_id, tasks in heads.items():
            if tasks and lane_id in self._lines:
                known = self._heads.setdefault(lane_id, [])
                known.extend(tasks)
                self._push(lane_id, len(known) - len(tasks))
        self._deep.difference_update(heads)
        self._deep.update(deep)

    def last(self, lane_id: int) -> Task | None:
        """Return the last loaded task of a lane."""
        known = self._heads.get(lane_id)
        return known[-1] if known else None

    def serve(self, *, limit: int) -> int | None:
        """Offer tasks to workers: the best task first, each to the longest idle eligible worker.

        A task that no worker may take never blocks the tasks behind it.

        Arguments:
            limit: the largest number of decisions of the whole pass.

        Returns the id of the lane whose next tasks must be loaded before matching can continue.
        None means that the limit is reached, or that no task is left that a worker could take.
        """
        while self._queue and len(self.decisions) < limit:
            _, lane_id, position = heapq.heappop(self._queue)
            line = self._lines[lane_id]
            task = self._heads[lane_id][position]
            if not line.closed and (chosen := line.choose(task)):
                self.decisions.append(
                    ReserveWorkers(
                        task=task, workers=chosen, ignore_capacity=line.lane.ignore_capacity
                    )
                )
            self._push(lane_id, position + 1)
            ran_out = position + 1 == len(self._heads[lane_id])
            if ran_out and lane_id in self._deep and not line.closed:
                return lane_id
        return None

    def ahead_of(self, task: Task, lane: Lane) -> int:
        """Return how many of the decisions are about tasks that come before this one."""
        place = service_order(task, lane, first=self._first)
        return sum(
            service_order(each.task, self._lines[each.task.lane_id].lane, first=self._first) < place
            for each in self.decisions
        )

    @property
    def unfinished(self) -> bool:
        """Return whether another pass may find more than this one did."""
        if not self.decisions:
            return False
        waiting = {lane_id for _, lane_id, _ in self._queue} | self._deep
        return any(
            # A slot assigned in this pass may have turned a lane's condition true.
            line.may_open
            if line.closed or not line.admitted()
            else self.more_waits or lane_id in waiting
            for lane_id, line in self._lines.items()
        )

    def _push(self, lane_id: int, position: int) -> None:
        line, known = self._lines[lane_id], self._heads[lane_id]
        if position < len(known) and not line.closed:
            order = service_order(known[position], line.lane, first=self._first)
            heapq.heappush(self._queue, (order, lane_id, position))


def match(workspace: Workspace, *, now: int) -> Pass:
    """Run a pass over a snapshot that contains all tasks of its lanes; return the finished pass."""
    looking = Pass(workspace, now=now)
    looking.feed(workspace.heads)
    looking.serve(limit=sum(map(len, workspace.heads.values())))
    return looking
