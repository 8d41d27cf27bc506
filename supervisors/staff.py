"""Sums over the workers who serve a queue, kept up to date one worker at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

SLOT_KINDS: Final = ("busy", "offered", "free", "kept", "closed", "over")
"""What slots of a channel are used for, in the order in which they are counted."""

Key = TypeVar("Key")


@dataclass(slots=True)
class ChannelStaff:
    """Sums over the workers of a queue on one channel.

    Arguments:
        workers: all workers who have the channel.
        on: available workers whose channel is switched on.
        off: available workers whose channel is switched off.
        capacity: all slots of available workers whose channel is switched on.
        slots: the numbers of slots in the order of `SLOT_KINDS`.
    """

    workers: int = 0
    on: int = 0
    off: int = 0
    capacity: int = 0
    slots: list[int] = field(default_factory=lambda: [0] * len(SLOT_KINDS))

    def __getattr__(self, name: str) -> int:
        """Return the number of slots of one kind."""
        try:
            return self.slots[SLOT_KINDS.index(name)]
        except ValueError:
            raise AttributeError(name) from None

    @property
    def taken(self) -> int:
        """Return the number of slots in use."""
        return self.slots[0] + self.slots[1]

    @property
    def for_router(self) -> int:
        """Return the number of free slots that the router may fill."""
        return self.slots[2] - self.slots[3]

    def add(
        self, sign: int, *, available: bool, on: bool, capacity: int, slots: Iterable[int]
    ) -> None:
        """Add workers whose load is the same, or remove them.

        Arguments:
            sign: how many are added; a negative number removes them.
            slots: the numbers of slots in the order of `SLOT_KINDS`.
        """
        self.workers += sign
        self.on += sign * (available and on)
        self.off += sign * (available and not on)
        self.capacity += sign * (capacity if available and on else 0)
        for index, number in enumerate(slots):
            self.slots[index] += sign * number

    def copy(self) -> ChannelStaff:
        """Return a copy that can be changed."""
        return ChannelStaff(self.workers, self.on, self.off, self.capacity, list(self.slots))


@dataclass(slots=True)
class Staff:
    """Sums over some workers.

    Arguments:
        by_activity: the number of workers in each activity, by its id.
        by_state: the number of workers in each state.
        free_sets: how many workers have a slot for the router on exactly these channels.
    """

    workers: int = 0
    available: int = 0
    by_activity: Counter[int] = field(default_factory=Counter)
    by_state: Counter[str] = field(default_factory=Counter)
    free_sets: Counter[frozenset[int]] = field(default_factory=Counter)
    channels: dict[int, ChannelStaff] = field(default_factory=dict)

    def count(
        self,
        sign: int,
        *,
        state: str,
        activity: int,
        available: bool,
        free: frozenset[int],
        slots: Iterable[tuple[int, bool, int, tuple[int, ...]]],
    ) -> None:
        """Add workers who are alike, or remove them.

        Arguments:
            sign: how many are added; a negative number removes them.
            free: the channels on which the router finds a slot.
            slots: for each channel whether it is on, the capacity, and the numbers of
                `SLOT_KINDS`.
        """
        self.workers += sign
        self.available += sign * available
        _count(self.by_activity, activity, sign)
        _count(self.by_state, state, sign)
        _count(self.free_sets, free, sign)
        for channel, on, capacity, numbers in slots:
            here = self.channels.get(channel)
            if here is None:
                here = self.channels[channel] = ChannelStaff()
            here.add(sign, available=available, on=on, capacity=capacity, slots=numbers)
            if not here.workers:
                del self.channels[channel]

    def free_for(self, channels: Collection[int]) -> int:
        """Return how many workers have a slot for the router on any of these channels."""
        wanted = frozenset(channels)
        return sum(number for free, number in self.free_sets.items() if free & wanted)

    @property
    def free(self) -> int:
        """Return how many workers have a slot for the router on any channel."""
        return sum(number for free, number in self.free_sets.items() if free)

    def channel(self, pk: int) -> ChannelStaff:
        """Return the sums of one channel."""
        return self.channels.get(pk) or ChannelStaff()

    def copy(self) -> Staff:
        """Return a copy that can be changed."""
        return Staff(
            self.workers,
            self.available,
            self.by_activity.copy(),
            self.by_state.copy(),
            self.free_sets.copy(),
            {channel: each.copy() for channel, each in self.channels.items()},
        )


def _count(counter: Counter[Key], key: Key, sign: int) -> None:
    counter[key] += sign
    if not counter[key]:
        del counter[key]


NO_STAFF: Final = Staff()
"""The sums over no workers."""
