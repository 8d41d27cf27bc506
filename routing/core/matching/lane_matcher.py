"""Match the tasks of one lane to workers during a pass."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from routing.core.eligibility import build_age_view, rank_key
from routing.core.lanes import may_open
from routing.core.matching.conditions import (
    NO_CONDITIONS,
    AtomicCondition,
    condition_holds,
    split_condition,
)
from routing.core.matching.worker_set import Selection, WorkerSet, list_places
from routing.core.snapshot import Lane, Task, Worker

_NONE: Final[Mapping[int, Collection[int]]] = {}


class LaneMatcher:
    """A lane and its eligible workers, the best first.

    The lane's expression is split once. Fixed conditions are evaluated when the pass begins.
    Conditions on load are looked up for each task. Conditions that still read the task (its age)
    are evaluated per task for the remaining workers.
    """

    def __init__(
        self,
        lane: Lane,
        worker_set: WorkerSet,
        *,
        passed_over: Mapping[int, Collection[int]] = _NONE,
        now: int,
    ) -> None:
        self.lane = lane
        self._passed_over = passed_over
        self.closed = False
        self._worker_set = worker_set
        self._now = now
        # The default order is by idle time, which is the order of the worker set's bits.
        self._by_idle_time = lane.order_by is None and not lane.optimized
        self._by_rank: list[int] | None = None
        self._fixed = worker_set.select_serving(lane.task_queue)
        if self._fixed and (lane.known_worker_sid, lane.known_worker_name) != (None, None):
            self._fixed &= worker_set.select_named(lane)
        self._ranks: dict[int, tuple[int, tuple[Any, ...]]] = {}
        self.may_open = lane.expression is not None and may_open(lane.expression)
        conditions = NO_CONDITIONS if lane.expression is None else split_condition(lane.expression)
        self._load_atoms = [one for one in conditions.of_load if isinstance(one, AtomicCondition)]
        self._compound_loads = [
            one for one in conditions.of_load if not isinstance(one, AtomicCondition)
        ]
        self._varying: list[Selection] = []
        self._task_conditions = conditions.of_task
        queue = lane.task_queue
        # The next task goes to the longest idle eligible worker, whatever the task is.
        self._takes_first = (
            self._by_idle_time
            and not self._task_conditions
            and (queue is None or queue.max_reserved_workers == 1)
        )
        for condition in conditions.fixed:
            if not self._fixed:
                break
            self._fixed &= worker_set.select_meeting(condition)

    @property
    def per_task(self) -> bool:
        """Return whether eligibility may differ from task to task of this lane."""
        return bool(self._task_conditions)

    def select_eligible(self) -> int:
        """Return who may take a task of this lane now, before the conditions that read the task.

        Without such conditions these are exactly the workers that `router_refusal` accepts.
        """
        found = self._fixed
        if not found:
            return 0
        for selection in self._varying or self._find_varying():
            found &= selection.bits
        for condition in self._compound_loads:
            if not found:
                break
            found &= self._worker_set.select_meeting(condition)
        return found

    def _find_varying(self) -> list[Selection]:
        """Return the selections that narrow the fixed one, and keep them."""
        worker_set = self._worker_set
        self._varying = [worker_set.select_atom(atom) for atom in self._load_atoms]
        if not self.lane.ignore_capacity:
            self._varying.append(worker_set.select_with_free_slot(self.lane, self._fixed))
        return self._varying

    def choose_workers(self, task: Task) -> tuple[tuple[Worker, int], ...]:
        """Choose the workers for the next task of this lane, and count the slot to them at once.

        Returns each worker with the number of slots that the pass had assigned to them before.
        """
        if self._takes_first and not (self._passed_over and task.id in self._passed_over):
            return self._choose_first()
        queue = self.lane.task_queue
        wanted = 1 if queue is None else queue.max_reserved_workers
        others = self.select_eligible()
        eligible = others & ~self._worker_set.select_ids(self._passed_over.get(task.id, ()))
        has_passed_over = eligible != others
        chosen: list[int] = []
        while eligible and len(chosen) < wanted:
            place = self._best(eligible, task)
            if place is None:
                break
            chosen.append(place)
            eligible &= ~(1 << place)
        assigned = tuple(self._assign(place) for place in chosen)
        if not chosen and not self.per_task and not has_passed_over:
            self.closed = True
        return assigned

    def _choose_first(self) -> tuple[tuple[Worker, int], ...]:
        """Choose the longest idle eligible worker, or close the lane."""
        eligible = self.select_eligible()
        if not eligible:
            self.closed = True
            return ()
        worker_set = self._worker_set
        fresh = eligible & worker_set.unassigned
        if fresh:
            place = (fresh & -fresh).bit_length() - 1
        else:
            place = worker_set.find_longest_idle(eligible)
        return (worker_set.assign_slot(place, self.lane.task_channel_id, now=self._now),)

    def _assign(self, place: int) -> tuple[Worker, int]:
        """Assign a slot to a worker; return them with the number of slots they got before."""
        return self._worker_set.assign_slot(place, self.lane.task_channel_id, now=self._now)

    def _best(self, eligible: int, task: Task) -> int | None:
        if not self._task_conditions:
            if self._by_idle_time and (fresh := eligible & self._worker_set.unassigned):
                return (fresh & -fresh).bit_length() - 1
            return next(self._in_order(eligible))
        view = build_age_view(task.created_us, now=self._now)
        for place in self._in_order(eligible):
            worker = self._worker_set.candidate(place).view()
            clock = self._worker_set.clock
            if all(condition_holds(each, worker, view, clock) for each in self._task_conditions):
                return place
        return None

    def _in_order(self, eligible: int) -> Iterator[int]:
        """Yield the places in a bitset, the best first."""
        worker_set = self._worker_set
        fresh = eligible & worker_set.unassigned
        assigned = eligible & ~worker_set.unassigned
        if self._by_idle_time:
            while fresh:
                lowest = fresh & -fresh
                yield lowest.bit_length() - 1
                fresh ^= lowest
            # Workers with a slot from this pass have the latest times, so they come last.
            while assigned:
                place = worker_set.find_longest_idle(assigned)
                yield place
                assigned ^= 1 << place
            return
        ranked = sorted((self._rank(place), place) for place in list_places(assigned))
        waiting = iter(self._fresh_by_rank(eligible))
        best = next(waiting, None)
        for key, place in ranked:
            while best is not None and self._rank(best) < key:
                yield best
                best = next(waiting, None)
            yield place
        while best is not None:
            yield best
            best = next(waiting, None)

    def _fresh_by_rank(self, eligible: int) -> Iterator[int]:
        """Yield the workers of a set without a slot from this pass, the best first."""
        if self._by_rank is None:
            fresh = self.select_eligible() & self._worker_set.unassigned
            self._by_rank = sorted(list_places(fresh), key=self._rank, reverse=True)
        order = self._by_rank
        # A worker who got a slot in this pass stays out of this list.
        while order and not self._worker_set.unassigned >> order[-1] & 1:
            order.pop()
        fresh = eligible & self._worker_set.unassigned
        return (place for place in reversed(order) if fresh >> place & 1)

    def _rank(self, place: int) -> tuple[Any, ...]:
        candidate = self._worker_set.candidate(place)
        slots, key = self._ranks.get(place, (-1, ()))
        if slots != candidate.assigned_slots:
            key = rank_key(candidate, self.lane)
            self._ranks[place] = candidate.assigned_slots, key
        return key
