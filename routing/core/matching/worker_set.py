"""Evaluate eligibility for all workers of a pass at once, with integers as bitsets.

Bit i is the worker at place i in order of idle time, so the lowest bit of a set is the longest idle
worker. The sets are always current. When the pass assigns a slot to a worker, only the conditions
that depend on load are evaluated again, and only for that worker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from operator import attrgetter

from routing.core.eligibility import CHANNEL_FIGURES, Candidate, manual_refusal, room_refusal
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
        self.assigned = 0
        """The workers with a slot from this pass, as a bitset."""
        self.assigned_slots = 0
        """The number of slots that this pass has assigned."""
        self._assignments: dict[int, int] = {}  # place -> assignment number, longest ago first
        self._candidates: dict[int, Candidate] = {}
        self._members: dict[int, int] = {}
        self._free_slots: dict[int, _FreeSlots] = {}
        self._indexes: dict[tuple[Segment, ...], ValueIndex] = {}
        self._selected: dict[AtomicCondition, int] = {}
        # Atoms that read load: by channel and figure where they read one figure; all others below.
        self._figures: dict[Segment, dict[Segment, list[AtomicCondition]]] = {}
        self._loads: list[AtomicCondition] = []

    def candidate(self, place: int) -> Candidate:
        """Return the worker at a place, with the slots that the pass has assigned to them."""
        candidate = self._candidates.get(place)
        if candidate is None:
            candidate = self._candidates[place] = Candidate(self.workers[place])
        return candidate

    def _peek_candidate(self, place: int) -> Candidate:
        """Return the worker at a place for reading only, without storing a new `Candidate`."""
        return self._candidates.get(place) or Candidate(self.workers[place])

    def assign_slot(self, place: int, channel_id: int, *, now: int) -> None:
        """Assign one slot of a channel to the worker at a place."""
        self.assigned_slots += 1
        candidate = self.candidate(place)
        # Later assignments of a pass get later times, one microsecond apart.
        candidate.assign(channel_id, at=now + self.assigned_slots)
        bit = 1 << place
        self.assigned |= bit
        self._assignments.pop(place, None)
        self._assignments[place] = self.assigned_slots
        channel = candidate.worker.channels.get(channel_id)
        if not self.multi_task:
            for known in self._free_slots.values():
                known.found &= ~bit
        elif (checked := self._free_slots.get(channel_id)) and not self._has_free_slot(
            candidate, checked.lane
        ):
            checked.found &= ~bit
        if channel is not None and channel.unique_name in self._figures:
            self._reselect_by_figures(place, candidate, channel)
        for atom in self._loads:
            self._reselect(atom, place)

    def _reselect_by_figures(
        self, place: int, candidate: Candidate, channel: WorkerChannel
    ) -> None:
        """Evaluate the atoms that read one worker's figures on one channel again."""
        bit = 1 << place
        used = candidate.consumed(channel)
        for name, asked in self._figures[channel.unique_name].items():
            value = CHANNEL_FIGURES[str(name)](channel, used)
            for atom in asked:
                if atom.holds_for(value):
                    self._selected[atom] |= bit
                else:
                    self._selected[atom] &= ~bit

    def find_longest_idle(self, among: int) -> int:
        """Return which of these workers got a slot from this pass longest ago, as a place."""
        if among.bit_count() * 4 < len(self._assignments):
            return min(list_places(among), key=self._assignments.__getitem__)
        return next(place for place in self._assignments if among >> place & 1)

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

    def select_with_free_slot(self, lane: Lane, among: int) -> int:
        """Return which of a set are available and have a free slot for a task of this lane."""
        free_slots = self._free_slots.setdefault(lane.task_channel_id, _FreeSlots(lane))
        unchecked = among & ~free_slots.checked
        if unchecked.bit_count() * 8 > len(self.workers):
            backwards = range(len(self.workers) - 1, -1, -1)
            digits = [
                "1" if self._has_free_slot(self._peek_candidate(place), lane) else "0"
                for place in backwards
            ]
            free_slots.found = int("".join(digits) or "0", 2)
            free_slots.checked = self.all_workers
        elif unchecked:
            for place in list_places(unchecked):
                if self._has_free_slot(self._peek_candidate(place), lane):
                    free_slots.found |= 1 << place
            free_slots.checked |= unchecked
        return free_slots.found & among

    def _has_free_slot(self, candidate: Candidate, lane: Lane) -> bool:
        return (
            room_refusal(candidate, lane, multi_task=self.multi_task) is None
            and manual_refusal(candidate, lane, multi_task=self.multi_task) is None
        )

    def select_meeting(self, condition: Condition) -> int:
        """Return the workers who meet a condition on the worker and the time of day."""
        if isinstance(condition, AtomicCondition):
            selected = self._selected.get(condition)
            return self._select(condition) if selected is None else selected
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

    def _select(self, atom: AtomicCondition) -> int:
        if atom.timed:
            self._selected[atom] = self.all_workers if self._is_met(atom, NOTHING) else 0
        elif atom.segments is not None:
            self._selected[atom] = self._index_path(atom.segments).select_workers(atom.comparison)
        else:
            self._selected[atom] = 0
            for place in range(len(self.workers)):
                self._reselect(atom, place)
        if atom.of_load:
            if atom.figure is not None and atom.figure[1] in CHANNEL_FIGURES and not self._shadowed:
                channel, name = atom.figure
                self._figures.setdefault(channel, {}).setdefault(name, []).append(atom)
            else:
                self._loads.append(atom)
            for place in self._assignments:
                self._reselect(atom, place)
        return self._selected[atom]

    def _reselect(self, atom: AtomicCondition, place: int) -> None:
        """Evaluate an atom again for one worker, with their current load."""
        bit = 1 << place
        if self._is_met(atom, self.candidate(place).view()):
            self._selected[atom] |= bit
        else:
            self._selected[atom] &= ~bit

    def _is_met(self, atom: AtomicCondition, worker: View) -> bool:
        return atom.function(worker, NOTHING, self.clock, None)

    def _index_path(self, segments: tuple[Segment, ...]) -> ValueIndex:
        index = self._indexes.get(segments)
        if index is None:
            index = self._indexes[segments] = ValueIndex(segments, self.workers)
        return index


class _FreeSlots:
    """Workers with a free slot on a channel (`found`), of those already checked (`checked`)."""

    __slots__ = ("checked", "found", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane  # any lane of the channel: free slots do not depend on the lane
        self.checked = 0
        self.found = 0


def list_places(bits: int) -> Iterator[int]:
    """Yield the places in a bitset, lowest first."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
