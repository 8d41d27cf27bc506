"""Evaluate eligibility for all workers of a pass at once, with integers as bitsets.

Bit i is the worker at place i in order of idle time, so the lowest bit of a set is the longest idle
worker. The sets are always current. When the pass assigns a slot to a worker, only the conditions
that depend on load are evaluated again, and only for that worker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from operator import attrgetter

from routing.core.eligibility import (
    CHANNEL_FIGURES,
    LOAD_FIGURES,
    Candidate,
    has_slot_for_router,
    manual_refusal,
    room_refusal,
)
from routing.core.matching.assignment_order import AssignmentOrder
from routing.core.matching.conditions import AllOf, AtomicCondition, Condition, split_condition
from routing.core.matching.value_index import ValueIndex
from routing.core.snapshot import Lane, TaskQueue, Worker, WorkerChannel
from workflows.expressions import NOTHING, View
from workflows.expressions.nodes import Segment

_IDLE = attrgetter("last_reserved_us", "id")


class WorkerSet:
    """The workers of one pass, and the slots that it has assigned to them so far."""

    def __init__(self, workers: Sequence[Worker], *, multi_task: bool, clock: View) -> None:
        self.workers = sorted((worker for worker in workers if worker.readable), key=_IDLE)
        self.all_workers = (1 << len(self.workers)) - 1
        self.clock = clock
        self.multi_task = multi_task
        self.unassigned = self.all_workers
        """The workers without a slot from this pass, as a bitset."""
        self.assigned_slots = 0
        """The number of slots that this pass has assigned."""
        self._assignments = AssignmentOrder()
        self._candidates: dict[int, Candidate] = {}
        self._members: dict[int, int] = {}
        self._free_slots: dict[int, _FreeSlots] = {}
        self._indexes: dict[tuple[Segment, ...], ValueIndex] = {}
        self._selected: dict[AtomicCondition, Selection] = {}
        # Atoms that read load: by channel and figure where they read one figure; all others below.
        self._figures: dict[Segment, dict[Segment, list[AtomicCondition]]] = {}
        self._loads: list[AtomicCondition] = []
        # By channel, capacity and slots in use: the selections that one slot more changes.
        self._turns: dict[tuple[Segment, int, int], list[Selection]] = {}

    def candidate(self, place: int) -> Candidate:
        """Return the worker at a place, with the slots that the pass has assigned to them."""
        candidate = self._candidates.get(place)
        if candidate is None:
            candidate = self._candidates[place] = Candidate(self.workers[place])
        return candidate

    def _peek_candidate(self, place: int) -> Candidate:
        """Return the worker at a place for reading only, without storing a new `Candidate`."""
        return self._candidates.get(place) or Candidate(self.workers[place])

    def assign_slot(self, place: int, channel_id: int, *, now: int) -> tuple[Worker, int]:
        """Assign one slot of a channel to the worker at a place.

        Returns the worker, and the number of slots that the pass had assigned to them before.
        """
        self.assigned_slots += 1
        candidate = self._candidates.get(place) or self.candidate(place)
        before, worker, bit = candidate.assigned_slots, candidate.worker, 1 << place
        # Later assignments of a pass get later times, one microsecond apart.
        on_channel = candidate.assign(channel_id, at=now + self.assigned_slots)
        if not before:
            self.unassigned ^= bit
        self._assignments.append(place, bit)
        channel = worker.channels.get(channel_id)
        if channel is not None:
            used = channel.consumed + on_channel
            if self.multi_task and not has_slot_for_router(channel, used):
                checked = self._free_slots.get(channel_id)
                if checked is not None:
                    checked.found.bits &= ~bit
            if self._figures:
                key = channel.unique_name, channel.configured_capacity, used
                turns = self._turns.get(key)
                for selection in self._find_turns(key, channel) if turns is None else turns:
                    selection.bits ^= bit
        if not self.multi_task:
            for known in self._free_slots.values():
                known.found.bits &= ~bit
        for atom in self._loads:
            self._reselect(atom, place)
        return worker, before

    def _find_turns(self, key: tuple[Segment, int, int], channel: WorkerChannel) -> list[Selection]:
        """Return the selections that a worker enters or leaves with the last slot; cached."""
        used, found = key[2], []
        for name, atoms in self._figures.get(channel.unique_name, {}).items():
            if name in LOAD_FIGURES:
                figure = CHANNEL_FIGURES[str(name)]
                before, after = figure(channel, used - 1), figure(channel, used)
                found += [
                    self._selected[atom]
                    for atom in atoms
                    if atom.holds_for(before) != atom.holds_for(after)
                ]
        self._turns[key] = found
        return found

    def find_longest_idle(self, among: int) -> int:
        """Return which of these workers got a slot from this pass longest ago, as a place."""
        return self._assignments.find_first(among)

    def select_serving(self, queue: TaskQueue | None) -> int:
        """Return the workers that a queue admits; None as queue admits all workers."""
        if queue is None:
            return self.all_workers
        if queue.id not in self._members:
            found = 0 if queue.target_workers is None else self.all_workers
            if queue.target_workers is not None:
                asked = split_condition(queue.target_workers)
                for condition in asked.fixed + asked.of_load:
                    found &= self.select_meeting(condition)
            self._members[queue.id] = found
        return self._members[queue.id]

    def select_named(self, lane: Lane) -> int:
        """Return the workers who match a lane's known worker."""
        found = self.all_workers
        if lane.known_worker_sid is not None:
            found &= self._by_sid.get(lane.known_worker_sid, 0)
        if lane.known_worker_name is not None:
            found &= self._by_name.get(lane.known_worker_name, 0)
        return found

    def select_ids(self, ids: Collection[int]) -> int:
        """Return the workers with these ids."""
        found = 0
        for worker_id in ids:
            found |= self._by_id.get(worker_id, 0)
        return found

    @cached_property
    def _by_id(self) -> dict[int, int]:
        return {worker.id: 1 << place for place, worker in enumerate(self.workers)}

    @cached_property
    def _shadowed(self) -> bool:
        """Return whether any worker has an attribute `channel`, which hides the channel figures."""
        return any("channel" in worker.attributes for worker in self.workers)

    @cached_property
    def _by_sid(self) -> dict[str, int]:
        return {worker.sid: 1 << place for place, worker in enumerate(self.workers)}

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {
            worker.friendly_name.casefold(): 1 << place for place, worker in enumerate(self.workers)
        }

    def select_with_free_slot(self, lane: Lane, among: int) -> Selection:
        """Return who is available and has a free slot for a task of this lane.

        Arguments:
            among: the workers to check; the answer may be wrong for others.
        """
        free_slots = self._free_slots.get(lane.task_channel_id)
        if free_slots is None:
            free_slots = self._free_slots[lane.task_channel_id] = _FreeSlots(lane)
        unchecked = among & ~free_slots.checked
        if unchecked.bit_count() * 8 > len(self.workers):
            backwards = range(len(self.workers) - 1, -1, -1)
            digits = [
                "1" if self._has_free_slot(self._peek_candidate(place), lane) else "0"
                for place in backwards
            ]
            free_slots.found.bits = int("".join(digits) or "0", 2)
            free_slots.checked = self.all_workers
        elif unchecked:
            for place in list_places(unchecked):
                if self._has_free_slot(self._peek_candidate(place), lane):
                    free_slots.found.bits |= 1 << place
            free_slots.checked |= unchecked
        return free_slots.found

    def _has_free_slot(self, candidate: Candidate, lane: Lane) -> bool:
        return (
            room_refusal(candidate, lane, multi_task=self.multi_task) is None
            and manual_refusal(candidate, lane, multi_task=self.multi_task) is None
        )

    def select_meeting(self, condition: Condition) -> int:
        """Return the workers who meet a condition on the worker and the time of day."""
        if isinstance(condition, AtomicCondition):
            return self.select_atom(condition).bits
        if isinstance(condition, AllOf):
            found = self.all_workers
            for part in condition:
                found &= self.select_meeting(part)
                if not found:
                    break
            return found
        found = 0
        for part in condition:
            found |= self.select_meeting(part)
        return found

    def select_atom(self, atom: AtomicCondition) -> Selection:
        """Return the workers who meet one comparison; the pass keeps the selection current."""
        selected = self._selected.get(atom)
        if selected is None:
            selected = self._selected[atom] = Selection(self._find_meeting(atom))
            if atom.of_load:
                self._watch_load(atom)
        return selected

    def _find_meeting(self, atom: AtomicCondition) -> int:
        """Return the workers who met a comparison when the pass began."""
        if atom.timed:
            return self.all_workers if self._is_met(atom, NOTHING) else 0
        if atom.segments is not None:
            return self._index_path(atom.segments).select_workers(atom.comparison)
        found = 0
        for place in range(len(self.workers)):
            if self._is_met(atom, self._peek_candidate(place).view()):
                found |= 1 << place
        return found

    def _watch_load(self, atom: AtomicCondition) -> None:
        """Evaluate an atom again for each worker who gets a slot."""
        if atom.figure is not None and atom.figure[1] in CHANNEL_FIGURES and not self._shadowed:
            channel, name = atom.figure
            self._figures.setdefault(channel, {}).setdefault(name, []).append(atom)
            self._turns.clear()
        else:
            self._loads.append(atom)
        for place in list_places(self.all_workers & ~self.unassigned):
            self._reselect(atom, place)

    def _reselect(self, atom: AtomicCondition, place: int) -> None:
        """Evaluate an atom again for one worker, with their current load."""
        bit = 1 << place
        if self._is_met(atom, self.candidate(place).view()):
            self._selected[atom].bits |= bit
        else:
            self._selected[atom].bits &= ~bit

    def _is_met(self, atom: AtomicCondition, worker: View) -> bool:
        return atom.function(worker, NOTHING, self.clock, None)

    def _index_path(self, segments: tuple[Segment, ...]) -> ValueIndex:
        index = self._indexes.get(segments)
        if index is None:
            index = self._indexes[segments] = ValueIndex(segments, self.workers)
        return index


class Selection:
    """A bitset of workers that changes during the pass (`bits`)."""

    __slots__ = ("bits",)

    def __init__(self, bits: int = 0) -> None:
        self.bits = bits


class _FreeSlots:
    """Workers with a free slot on a channel (`found`), of those already checked (`checked`)."""

    __slots__ = ("checked", "found", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane  # any lane of the channel: free slots do not depend on the lane
        self.checked = 0
        self.found = Selection()


def list_places(bits: int) -> Iterator[int]:
    """Yield the places in a bitset, lowest first."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
