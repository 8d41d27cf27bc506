"""Evaluate eligibility for all workers of a pass at once, with integers as bitsets.

Bit i is the worker at place i in order of idle time, so the lowest bit of a set is the longest idle
worker. The sets are always current. When the pass assigns a slot to a worker, only the conditions
that depend on load are evaluated again, and only for that worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        self.everyone = (1 << len(self.workers)) - 1
        self.clock = clock
        self.multi_task = multi_task
        self.touched = 0
        """The workers with a slot from this pass, as a bitset."""
        self.given = 0
        """The number of slots that this pass has assigned."""
        self._order: dict[int, int] = {}  # place -> assignment number, longest ago first
        self._hands: dict[int, Candidate] = {}
        self._members: dict[int, int] = {}
        self._room: dict[int, _Room] = {}
        self._columns: dict[tuple[Segment, ...], ValueIndex] = {}
        self._met: dict[AtomicCondition, int] = {}
        # Atoms that read load: by channel and figure where they read one figure; all others below.
        self._figures: dict[Segment, dict[Segment, list[AtomicCondition]]] = {}
        self._loads: list[AtomicCondition] = []

    def candidate(self, place: int) -> Candidate:
        """Return the worker at a place, with the slots that the pass has assigned to them."""
        hand = self._hands.get(place)
        if hand is None:
            hand = self._hands[place] = Candidate(self.workers[place])
        return hand

    def _look(self, place: int) -> Candidate:
        """Return the worker at a place for reading only, without storing a new `Candidate`."""
        return self._hands.get(place) or Candidate(self.workers[place])

    def take(self, place: int, channel_id: int, *, now: int) -> None:
        """Assign one slot of a channel to the worker at a place."""
        self.given += 1
        hand = self.candidate(place)
        # Later assignments of a pass get later times, one microsecond apart.
        hand.take(channel_id, at=now + self.given)
        bit = 1 << place
        self.touched |= bit
        self._order.pop(place, None)
        self._order[place] = self.given
        channel = hand.worker.channels.get(channel_id)
        if not self.multi_task:
            for known in self._room.values():
                known.found &= ~bit
        elif (room := self._room.get(channel_id)) and not self._has_room(hand, room.lane):
            room.found &= ~bit
        if channel is not None and channel.unique_name in self._figures:
            self._recount(place, hand, channel)
        for atom in self._loads:
            self._correct(atom, place)

    def _recount(self, place: int, hand: Candidate, channel: WorkerChannel) -> None:
        """Evaluate the atoms that read one worker's figures on one channel again."""
        bit = 1 << place
        used = hand.consumed(channel)
        for name, asked in self._figures[channel.unique_name].items():
            value = CHANNEL_FIGURES[str(name)](channel, used)
            for atom in asked:
                if atom.says(value):
                    self._met[atom] |= bit
                else:
                    self._met[atom] &= ~bit

    def longest_ago(self, among: int) -> int:
        """Return which of these workers got a slot from this pass longest ago, as a place."""
        if among.bit_count() * 4 < len(self._order):
            return min(places(among), key=self._order.__getitem__)
        return next(place for place in self._order if among >> place & 1)

    def serving(self, queue: TaskQueue | None) -> int:
        """Return the workers that a queue admits; None as queue admits all workers."""
        if queue is None:
            return self.everyone
        if queue.id not in self._members:
            found = 0 if queue.target_workers is None else self.everyone
            if queue.target_workers is not None:
                asked = split_condition(queue.target_workers)
                for condition in asked.fixed + asked.of_load:
                    found &= self.meeting(condition)
            self._members[queue.id] = found
        return self._members[queue.id]

    def named(self, lane: Lane) -> int:
        """Return the workers who match a lane's known worker."""
        found = self.everyone
        if lane.known_worker_sid is not None:
            found &= self._by_sid.get(lane.known_worker_sid, 0)
        if lane.known_worker_name is not None:
            found &= self._by_name.get(lane.known_worker_name, 0)
        return found

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

    def with_room(self, lane: Lane, among: int) -> int:
        """Return which of a set are available and have a free slot for a task of this lane."""
        room = self._room.setdefault(lane.task_channel_id, _Room(lane))
        unasked = among & ~room.asked
        if unasked.bit_count() * 8 > len(self.workers):
            backwards = range(len(self.workers) - 1, -1, -1)
            digits = ["1" if self._has_room(self._look(p), lane) else "0" for p in backwards]
            room.found = int("".join(digits) or "0", 2)
            room.asked = self.everyone
        elif unasked:
            for place in places(unasked):
                if self._has_room(self._look(place), lane):
                    room.found |= 1 << place
            room.asked |= unasked
        return room.found & among

    def _has_room(self, hand: Candidate, lane: Lane) -> bool:
        return (
            room_refusal(hand, lane, multi_task=self.multi_task) is None
            and manual_refusal(hand, lane, multi_task=self.multi_task) is None
        )

    def meeting(self, condition: Condition) -> int:
        """Return the workers who meet a condition on the worker and the time of day."""
        if isinstance(condition, AtomicCondition):
            met = self._met.get(condition)
            return self._ask(condition) if met is None else met
        if isinstance(condition, AllOf):
            found = self.everyone
            for part in condition:
                found &= self.meeting(part)
                if not found:
                    break
            return found
        found = 0
        for part in condition:
            found |= self.meeting(part)
        return found

    def _ask(self, atom: AtomicCondition) -> int:
        if atom.timed:
            self._met[atom] = self.everyone if self._answer(atom, NOTHING) else 0
        elif atom.segments is not None:
            self._met[atom] = self._column(atom.segments).meeting(atom.comparison)
        else:
            self._met[atom] = 0
            for place in range(len(self.workers)):
                self._correct(atom, place)
        if atom.of_load:
            if atom.figure is not None and atom.figure[1] in CHANNEL_FIGURES and not self._shadowed:
                channel, name = atom.figure
                self._figures.setdefault(channel, {}).setdefault(name, []).append(atom)
            else:
                self._loads.append(atom)
            for place in self._order:
                self._correct(atom, place)
        return self._met[atom]

    def _correct(self, atom: AtomicCondition, place: int) -> None:
        """Evaluate an atom again for one worker, with their current load."""
        bit = 1 << place
        if self._answer(atom, self.candidate(place).view()):
            self._met[atom] |= bit
        else:
            self._met[atom] &= ~bit

    def _answer(self, atom: AtomicCondition, worker: View) -> bool:
        return atom.function(worker, NOTHING, self.clock, None)

    def _column(self, segments: tuple[Segment, ...]) -> ValueIndex:
        column = self._columns.get(segments)
        if column is None:
            column = self._columns[segments] = ValueIndex(segments, self.workers)
        return column


class _Room:
    """Workers with a free slot on a channel (`found`), of those already checked (`asked`)."""

    __slots__ = ("asked", "found", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane  # any lane of the channel: free slots do not depend on the lane
        self.asked = 0
        self.found = 0


def places(bits: int) -> Iterator[int]:
    """Yield the places in a bitset, lowest first."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
