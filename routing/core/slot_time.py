"""Time of a worker's slots, added up while the worker's history is walked back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

QUARTER_MS: Final = 15 * 60 * 1000
WORKER: Final = 0
"""The channel key of the row about the worker."""


@dataclass(slots=True)
class SlotTime:
    """Milliseconds of slots; of the row about a worker, of their time."""

    busy: int = 0
    free: int = 0
    offered: int = 0
    closed: int = 0
    effort: float = 0.0

    @property
    def is_shown(self) -> bool:
        """Return whether there was anything but closed slots."""
        return bool(self.busy or self.free or self.offered)


@dataclass(slots=True)
class ChannelState:
    """A worker's slots on a channel at a moment."""

    capacity: int = 0
    available: bool = True
    busy: int = 0
    offered: int = 0


SlotTimes = dict[tuple[int, int], SlotTime]
"""By the quarter's number since 1970, and the channel's key."""


@dataclass(slots=True)
class WorkerHistory:
    """A worker as they were at the moment `until_ms`, and the time that was added up after it.

    Arguments:
        is_one_slot: whether multitasking is off, so that channels have no free slots of their own.
        start_ms, end_ms: the time that counts; both at the edges of quarters.
    """

    start_ms: int
    end_ms: int
    until_ms: int
    exists: bool = True
    activity: int = 0
    takes_work: bool = False
    is_one_slot: bool = False
    channels: dict[int, ChannelState] = field(default_factory=dict)
    slots: SlotTimes = field(default_factory=lambda: defaultdict(SlotTime))
    activities: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))

    def go_back(self, to_ms: int) -> None:
        """Add up the time since a moment, in which nothing changed, and go to that moment."""
        if to_ms >= self.until_ms:
            return
        if self.exists:
            for quarter, span in self._split(to_ms, self.until_ms):
                self._add(quarter, span)
        self.until_ms = to_ms

    def _split(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """Yield each quarter within a time that counts, and how long it lasts there."""
        from_ms, to_ms = max(from_ms, self.start_ms), min(to_ms, self.end_ms)
        while from_ms < to_ms:
            quarter = from_ms // QUARTER_MS
            edge = min((quarter + 1) * QUARTER_MS, to_ms)
            yield quarter, edge - from_ms
            from_ms = edge

    def _add(self, quarter: int, span: int) -> None:
        self.activities[quarter, self.activity] += span
        in_hand = sum(state.busy for state in self.channels.values())
        if in_hand:
            self.slots[quarter, WORKER].busy += span
        elif self.takes_work:
            self.slots[quarter, WORKER].free += span
        for channel, state in self.channels.items():
            time = self.slots[quarter, channel]
            time.busy += span * state.busy
            time.offered += span * state.offered
            if in_hand:
                time.effort += span * state.busy / in_hand
            if self.is_one_slot:
                continue
            left = max(state.capacity - state.busy - state.offered, 0)
            if self.takes_work and state.available:
                time.free += span * left
            else:
                time.closed += span * left
