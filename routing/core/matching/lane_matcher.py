"""Match the tasks of one lane to workers during a pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from routing.core.eligibility import age_view, rank
from routing.core.lanes import may_open
from routing.core.matching.conditions import (
    NO_CONDITIONS,
    AllOf,
    AtomicCondition,
    Condition,
    split_condition,
)
from routing.core.matching.worker_set import WorkerSet, places
from routing.core.snapshot import Lane, Task, Worker
from workflows.expressions import View


class LaneMatcher:
    """A lane and its eligible workers, the best first.

    The lane's expression is split once. Fixed conditions are evaluated when the pass begins.
    Conditions on load are looked up for each task. Conditions that still read the task (its age)
    are evaluated per task for the remaining workers.
    """

    def __init__(self, lane: Lane, floor: WorkerSet, *, now: int) -> None:
        self.lane = lane
        self.closed = False
        self._floor = floor
        self._now = now
        # The default order is by idle time, which is the order of the floor's bits.
        self._plain = lane.order_by is None and not lane.optimized
        self._by_rank: list[int] | None = None
        self._fixed = floor.serving(lane.task_queue)
        if self._fixed and (lane.known_worker_sid, lane.known_worker_name) != (None, None):
            self._fixed &= floor.named(lane)
        self._ranks: dict[int, tuple[int, tuple[Any, ...]]] = {}
        self.may_open = lane.expression is not None and may_open(lane.expression)
        asked = NO_CONDITIONS if lane.expression is None else split_condition(lane.expression)
        self._loads = asked.of_load
        self._asked = asked.of_task
        for condition in asked.fixed:
            if not self._fixed:
                break
            self._fixed &= floor.meeting(condition)

    @property
    def per_task(self) -> bool:
        """Return whether eligibility may differ from task to task of this lane."""
        return bool(self._asked)

    def admitted(self) -> int:
        """Return who may take a task of this lane now, before the conditions that read the task.

        Without such conditions these are exactly the workers that `router_refusal` accepts.
        """
        found = self._fixed
        if found and not self.lane.ignore_capacity:
            found = self._floor.with_room(self.lane, found)
        for condition in self._loads:
            if not found:
                break
            found &= self._floor.meeting(condition)
        return found

    def choose(self, task: Task) -> tuple[tuple[Worker, int], ...]:
        """Choose the workers for the next task of this lane, and count the slot to them at once.

        Returns each worker with the number of slots that the pass had assigned to them before.
        """
        queue = self.lane.task_queue
        wanted = 1 if queue is None else queue.max_reserved_workers
        admitted = self.admitted()
        chosen: list[int] = []
        while admitted and len(chosen) < wanted:
            place = self._best(admitted, task)
            if place is None:
                break
            chosen.append(place)
            admitted &= ~(1 << place)
        floor = self._floor
        given = tuple((floor.workers[place], floor.candidate(place).taken) for place in chosen)
        for place in chosen:
            floor.take(place, self.lane.task_channel_id, now=self._now)
        if not chosen and not self.per_task:
            self.closed = True
        return given

    def _best(self, admitted: int, task: Task) -> int | None:
        if not self._asked:
            if self._plain and (fresh := admitted & ~self._floor.touched):
                return (fresh & -fresh).bit_length() - 1
            return next(self._in_order(admitted))
        view = age_view(task.created_us, now=self._now)
        for place in self._in_order(admitted):
            worker = self._floor.candidate(place).view()
            if all(_holds(each, worker, view, self._floor.clock) for each in self._asked):
                return place
        return None

    def _in_order(self, admitted: int) -> Iterator[int]:
        """Yield the places in a bitset, the best first."""
        floor = self._floor
        fresh = admitted & ~floor.touched
        again = admitted & floor.touched
        if self._plain:
            while fresh:
                lowest = fresh & -fresh
                yield lowest.bit_length() - 1
                fresh ^= lowest
            # Workers with a slot from this pass have the latest times, so they come last.
            while again:
                place = floor.longest_ago(again)
                yield place
                again ^= 1 << place
            return
        ranked = sorted((self._rank(place), place) for place in places(again))
        waiting = iter(self._fresh_by_rank(admitted))
        best = next(waiting, None)
        for key, place in ranked:
            while best is not None and self._rank(best) < key:
                yield best
                best = next(waiting, None)
            yield place
        while best is not None:
            yield best
            best = next(waiting, None)

    def _fresh_by_rank(self, admitted: int) -> Iterator[int]:
        """Yield the workers of a set without a slot from this pass, the best first."""
        if self._by_rank is None:
            fresh = self.admitted() & ~self._floor.touched
            self._by_rank = sorted(places(fresh), key=self._rank, reverse=True)
        order = self._by_rank
        # A worker who got a slot in this pass stays out of this list.
        while order and self._floor.touched >> order[-1] & 1:
            order.pop()
        fresh = admitted & ~self._floor.touched
        return (place for place in reversed(order) if fresh >> place & 1)

    def _rank(self, place: int) -> tuple[Any, ...]:
        hand = self._floor.candidate(place)
        taken, known = self._ranks.get(place, (-1, ()))
        if taken != hand.taken:
            known = rank(hand, self.lane)
            self._ranks[place] = hand.taken, known
        return known


def _holds(condition: Condition, worker: View, task: View, clock: View) -> bool:
    if isinstance(condition, AtomicCondition):
        return condition.function(worker, task, clock, None)
    kind = all if isinstance(condition, AllOf) else any
    return kind(_holds(part, worker, task, clock) for part in condition)
