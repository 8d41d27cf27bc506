"""Serve one lane during a pass: who is asked next for its tasks."""

from __future__ import annotations

import heapq
from typing import Any

from routing.core.floor import Floor, places
from routing.core.lanes import may_open
from routing.core.matcher import Hand, rank, refusal, waiting_view
from routing.core.snapshot import Lane, Task, Worker
from workflows.expressions import NOTHING


class Line:
    """A lane and those who may take its tasks, the best first.

    Of workers whom the pass has given nothing yet, the floor knows at once who is next. Those whom
    it has given something are asked anew, after each time, by the one function `refusal`.
    """

    def __init__(self, lane: Lane, floor: Floor, *, now: int) -> None:
        self.lane = lane
        self.closed = False
        expression = lane.expression
        self.may_open = expression is not None and may_open(expression)
        # An expression that still reads the task (its age) is asked anew for each task.
        self.per_task = expression is not None and "task" in expression.roots
        # By default the longest idle comes first, which is the order of the floor's bits.
        self._plain = lane.order_by is None and not lane.optimized
        self._floor = floor
        self._now = now
        self._admitted = floor.everyone if self.per_task else floor.admits(lane)
        self._sorted: list[tuple[tuple[Any, ...], int]] | None = None
        self._again: list[tuple[tuple[Any, ...], int, Hand]] = []
        self._read = 0

    @property
    def open(self) -> bool:
        """Tell whether anybody may take a task of this lane, for all that is known beforehand."""
        return self._admitted != 0

    def choose(self, task: Task) -> tuple[tuple[Worker, int], ...]:
        """Pick who is offered the next task of this lane, and count it to them at once.

        Returns each worker with the number of tasks that the pass gave them before.
        """
        queue = self.lane.task_queue
        wanted = 1 if queue is None else queue.max_reserved_workers
        chosen = self._asked(task, wanted) if self.per_task else self._next(task, wanted)
        given = tuple((hand.worker, hand.taken) for hand in chosen)
        for hand in chosen:
            self._floor.take(hand, self.lane.task_channel_id, now=self._now)
        if not chosen and not self.per_task:
            self.closed = True
        return given

    def _asked(self, task: Task, wanted: int) -> list[Hand]:
        admitted = (hand for hand in self._floor.hands if self._admits(hand, task))
        return heapq.nsmallest(wanted, admitted, key=lambda hand: rank(hand, self.lane))

    def _next(self, task: Task, wanted: int) -> list[Hand]:
        chosen: list[Hand] = []
        taken = 0
        while len(chosen) < wanted:
            hand = self._best(task, taken)
            if hand is None:
                break
            chosen.append(hand)
            taken |= self._floor.bit(hand)
        return chosen

    def _best(self, task: Task, taken: int) -> Hand | None:
        """Return the best who is left, of the untouched and of those asked again."""
        fresh = self._fresh(taken)
        if fresh is not None and self._plain:
            # Whoever got something in this pass got it later than anybody else.
            return fresh
        self._catch_up(task)
        while self._again and self._again[0][1] != self._again[0][2].taken:
            heapq.heappop(self._again)  # given something since: a later entry speaks for them
        if not self._again:
            return fresh
        if fresh is not None and rank(fresh, self.lane) < self._again[0][0]:
            return fresh
        return heapq.heappop(self._again)[2]

    def _fresh(self, taken: int) -> Hand | None:
        left = self._admitted & ~self._floor.touched & ~taken
        if not left:
            return None
        if self._plain:
            return self._floor.hands[(left & -left).bit_length() - 1]
        if self._sorted is None:
            hands = self._floor.hands
            self._sorted = sorted(
                ((rank(hands[place], self.lane), place) for place in places(self._admitted)),
                reverse=True,
            )
        while not left >> self._sorted[-1][1] & 1 and not taken >> self._sorted[-1][1] & 1:
            self._sorted.pop()
        place = next(place for _, place in reversed(self._sorted) if left >> place & 1)
        return self._floor.hands[place]

    def _catch_up(self, task: Task) -> None:
        """Ask those anew whom the pass has given something since this lane last looked."""
        log = self._floor.log
        for hand in dict.fromkeys(log[self._read :]):
            # Who was not admitted with less work is admitted with more only where work opens.
            if not self.may_open and not self._admitted & self._floor.bit(hand):
                continue
            if self._admits(hand, task):
                heapq.heappush(self._again, (rank(hand, self.lane), hand.taken, hand))
        self._read = len(log)

    def _admits(self, hand: Hand, task: Task) -> bool:
        view = waiting_view(task, now=self._now) if self.per_task else NOTHING
        floor = self._floor
        why = refusal(hand, self.lane, multi_task=floor.multi_task, clock=floor.clock, task=view)
        return why is None
