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
from routing.core.matcher import Hand, rank, refusal, waiting_view
from routing.core.snapshot import Lane, Task, Workspace
from routing.core.steps import Step, advance, skip, target_of, time_of_day
from routing.core.vocabulary import QueueOrder
from workflows.configuration import Configuration
from workflows.expressions import View

_NO_TASK = View({}, {})


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


def match(workspace: Workspace, *, now: int) -> Matching:
    """Offer waiting tasks to workers: the best task first, each to whoever has waited longest.

    A task that nobody may take never blocks those behind it. What this pass gives a worker is
    counted at once, so that expressions see fresh counters for every task.
    """
    clock = time_of_day(now)
    hands = [Hand(worker) for worker in workspace.workers]
    lines = {
        lane_id: _Line(workspace, workspace.lanes[lane_id], hands, clock=clock, now=now)
        for lane_id, heads in workspace.heads.items()
        if heads
    }
    decisions: list[ReserveWorkers] = []
    unfinished = False
    for task in _in_service_order(workspace, lines):
        line = lines[task.lane_id]
        chosen = line.choose(task)
        if chosen:
            decisions.append(
                ReserveWorkers(task=task, workers=chosen, ignore_capacity=line.lane.ignore_capacity)
            )
    for lane_id, line in lines.items():
        exhausted = not line.closed and lane_id in workspace.windows
        # A slot given later in the pass may have made true what was false for this lane.
        unfinished = unfinished or exhausted or (line.closed and line.reads_load)
    return Matching(decisions=decisions, unfinished=unfinished and bool(decisions))


def _in_service_order(workspace: Workspace, lines: Mapping[int, _Line]) -> Iterator[Task]:
    first = workspace.prioritize_queue_order
    queue: list[tuple[tuple[int, ...], int, int]] = []

    def push(lane_id: int, position: int) -> None:
        heads = workspace.heads[lane_id]
        if position < len(heads) and not lines[lane_id].closed:
            order = service_order(heads[position], workspace.lanes[lane_id], first=first)
            heapq.heappush(queue, (order, lane_id, position))

    for lane_id in lines:
        push(lane_id, 0)
    while queue:
        _, lane_id, position = heapq.heappop(queue)
        yield workspace.heads[lane_id][position]
        push(lane_id, position + 1)


class _Line:
    """One lane during a pass: those who may take its tasks, best first."""

    def __init__(
        self, workspace: Workspace, lane: Lane, hands: Sequence[Hand], *, clock: View, now: int
    ) -> None:
        self.lane = lane
        self.closed = False
        self.reads_load = lane.expression is not None and any(
            path[:1] == ("channel",) for path in lane.expression.paths("worker")
        )
        # An expression that still reads the task (its age) is asked anew for each task.
        self._per_task = lane.expression is not None and "task" in lane.expression.roots
        self._multi_task = workspace.multi_task_enabled
        self._hands = hands
        self._clock = clock
        self._now = now
        self._heap: list[tuple[tuple[Any, ...], int, Hand]] | None = None

    def choose(self, task: Task) -> tuple[tuple[Any, int], ...]:
        """Pick who is offered the next task of this lane, and count it to them at once."""
        if self._per_task or self._heap is None:
            self._heap = self._candidates(task)
        queue = self.lane.task_queue
        wanted = 1 if queue is None else queue.max_reserved_workers
        chosen: list[Hand] = []
        while self._heap and len(chosen) < wanted:
            _, stamp, hand = heapq.heappop(self._heap)
            if stamp == hand.taken:
                chosen.append(hand)
            elif self._admits(hand, task):
                self._push(self._heap, hand)
        if not chosen and not self._per_task:
            self.closed = True
        given = tuple((hand.worker, hand.taken) for hand in chosen)
        for hand in chosen:
            hand.take(self.lane.task_channel_id, now=self._now)
            if self._admits(hand, task):
                self._push(self._heap, hand)
        return given

    def _candidates(self, task: Task) -> list[tuple[tuple[Any, ...], int, Hand]]:
        heap: list[tuple[tuple[Any, ...], int, Hand]] = []
        for hand in self._hands:
            if self._admits(hand, task):
                self._push(heap, hand)
        return heap

    def _push(self, heap: list[tuple[tuple[Any, ...], int, Hand]], hand: Hand) -> None:
        heapq.heappush(heap, (rank(hand, self.lane), hand.taken, hand))

    def _admits(self, hand: Hand, task: Task) -> bool:
        view = waiting_view(task, now=self._now) if self._per_task else _NO_TASK
        why = refusal(hand, self.lane, multi_task=self._multi_task, clock=self._clock, task=view)
        return why is None
