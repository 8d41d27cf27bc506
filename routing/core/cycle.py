"""Run one pass of the router over a snapshot: who is offered what, best task first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """A task whose time or whose step is in question, with what is needed to answer."""

    sid: str
    version: int
    view: View
    expires_us: int
    configuration: Configuration | None
    step: Step | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What a pass decided; `unfinished` says that another pass may find more."""

    decisions: list[ReserveWorkers]
    unfinished: bool


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
        return (kind, -task.virtual_start_us, -task.created_us, -task.id)
    return (kind, -task.priority, task.virtual_start_us, task.created_us, task.id)


class Pass:
    """One look over a floor: which lanes somebody may serve, and who is offered what.

    What the pass gives a worker is counted at once, so that expressions see fresh counters for
    every task.
    """

    def __init__(self, workspace: Workspace, *, now: int) -> None:
        self._workspace = workspace
        floor = Floor(
            workspace.workers, multi_task=workspace.multi_task_enabled, clock=time_of_day(now)
        )
        self._lines = {
            lane.id: Line(lane, floor, now=now) for lane in workspace.lanes.values() if floor.hands
        }

    def open_lanes(self) -> list[Lane]:
        """Return the lanes whose tasks somebody may take: those whose heads are worth reading."""
        return [line.lane for line in self._lines.values() if line.open]

    def match(self, heads: Mapping[int, Sequence[Task]], *, windows: frozenset[int]) -> Matching:
        """Offer waiting tasks to workers: the best task first, each to whoever has waited longest.

        A task that nobody may take never blocks those behind it.

        Arguments:
            heads: for each lane id the tasks at its head, in the order in which they are served.
            windows: lane ids whose heads are not all there is.
        """
        decisions: list[ReserveWorkers] = []
        for task in self._in_service_order(heads):
            line = self._lines[task.lane_id]
            if chosen := line.choose(task):
                decisions.append(
                    ReserveWorkers(
                        task=task, workers=chosen, ignore_capacity=line.lane.ignore_capacity
                    )
                )
        return Matching(
            decisions=decisions, unfinished=bool(decisions) and self._left_over(heads, windows)
        )

    def _left_over(self, heads: Mapping[int, Sequence[Task]], windows: frozenset[int]) -> bool:
        """Tell whether another pass may find more than this one saw."""
        for lane_id, line in self._lines.items():
            # A slot given in this pass may have made true what was false for this lane before.
            if line.may_open and (line.closed or not line.open):
                return True
            if lane_id in windows and lane_id in heads and not line.closed:
                return True
        return False

    def _in_service_order(self, heads: Mapping[int, Sequence[Task]]) -> Iterator[Task]:
        first = self._workspace.prioritize_queue_order
        queue: list[tuple[tuple[int, ...], int, int]] = []

        def push(lane_id: int, position: int) -> None:
            line = self._lines[lane_id]
            if position < len(heads[lane_id]) and not line.closed:
                order = service_order(heads[lane_id][position], line.lane, first=first)
                heapq.heappush(queue, (order, lane_id, position))

        for lane_id in heads:
            if lane_id in self._lines:
                push(lane_id, 0)
        while queue:
            _, lane_id, position = heapq.heappop(queue)
            yield heads[lane_id][position]
            push(lane_id, position + 1)


def match(workspace: Workspace, *, now: int) -> Matching:
    """Run one pass over a snapshot that has its lanes' heads; see `Pass.match`."""
    return Pass(workspace, now=now).match(workspace.heads, windows=workspace.windows)
