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
from routing.core.floor import Floor
from routing.core.lines import Line
from routing.core.snapshot import Lane, Task, Workspace
from routing.core.steps import Step, advance, skip, target_of, time_of_day
from routing.core.vocabulary import QueueOrder
from workflows.configuration import Configuration
from workflows.expressions import View


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A task whose time or whose step is in question, with what is needed to answer.

    Of a task whose lifetime is over no more is needed than that.
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
        reservations: sids of pending reservations past their deadline; they come first, since a
            task whose offer ends here may itself be due.
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
    """Decide whether a task that found nobody on entering a step waits there or skips it.

    Arguments:
        workers: what `workers.…` reads: how many workers of the step's queue are available,
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
    """Return a task's place among all that wait: smallest first (behaviour.md §8.1)."""
    order = QueueOrder.FIFO if lane.task_queue is None else lane.task_queue.task_order
    kind = 0 if order == first else 1
    if order == QueueOrder.LIFO:
        return (kind, -task.virtual_start_us, -task.id)
    return (kind, -task.priority, task.virtual_start_us, task.id)


class Pass:
    """One look over a floor: which lanes somebody may serve, and who is offered what.

    What the pass gives a worker is counted at once, so that expressions see fresh counters for
    every task. It is fed the tasks at the head of lanes, and asks for more where those run out.
    """

    def __init__(self, workspace: Workspace, *, now: int) -> None:
        self.decisions: list[ReserveWorkers] = []
        """Who is offered what so far, in the order of service."""
        self.more_waits = False
        """Whether there is more than the pass has been fed, in lanes that it does not know of."""
        self._first = workspace.prioritize_queue_order
        floor = Floor(
            workspace.workers, multi_task=workspace.multi_task_enabled, clock=time_of_day(now)
        )
        self._lines = {
            lane.id: Line(lane, floor, now=now)
            for lane in workspace.lanes.values()
            if floor.workers
        }
        self._heads: dict[int, list[Task]] = {}
        self._deep: set[int] = set()
        self._queue: list[tuple[tuple[int, ...], int, int]] = []

    def open_lanes(self) -> list[Lane]:
        """Return the lanes whose tasks somebody may take: those whose heads are worth reading."""
        return [line.lane for line in self._lines.values() if not line.closed and line.admitted()]

    def feed(self, heads: Mapping[int, Sequence[Task]], *, deep: Collection[int] = ()) -> None:
        """Let tasks be served: the next of their lanes, each lane's in the order of service.

        Arguments:
            deep: ids of lanes that have more tasks than are known after this.
        """
        for lane_id, tasks in heads.items():
            if tasks and lane_id in self._lines:
                known = self._heads.setdefault(lane_id, [])
                known.extend(tasks)
                self._push(lane_id, len(known) - len(tasks))
        self._deep.difference_update(heads)
        self._deep.update(deep)

    def last(self, lane_id: int) -> Task | None:
        """Return the last task known of a lane."""
        known = self._heads.get(lane_id)
        return known[-1] if known else None

    def serve(self, *, limit: int) -> int | None:
        """Offer tasks to workers: the best task first, each to whoever has waited longest.

        A task that nobody may take never blocks those behind it.

        Arguments:
            limit: how many decisions there may be in all.

        Returns the id of a lane of which more must be known before anything else may be served, or
        None when the limit is reached or nothing is left that anybody might take.
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
        """Return how many of the decisions are about tasks that are served before this one."""
        place = service_order(task, lane, first=self._first)
        return sum(
            service_order(each.task, self._lines[each.task.lane_id].lane, first=self._first) < place
            for each in self.decisions
        )

    @property
    def unfinished(self) -> bool:
        """Tell whether another pass may find more than this one did."""
        if not self.decisions:
            return False
        waiting = {lane_id for _, lane_id, _ in self._queue} | self._deep
        return any(
            # A slot given in this pass may have made true what was false for a lane before.
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
    """Return a pass over a snapshot that has all of its lanes' tasks, with what it decided."""
    looking = Pass(workspace, now=now)
    looking.feed(workspace.heads)
    looking.serve(limit=sum(map(len, workspace.heads.values())))
    return looking
