"""Sums over all workers of a floor at once, for each queue, with integers as bitsets.

Bit i is the worker at place i. The cost depends on how many different loads there are, not on how
many queues each worker serves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from supervisors.picture import Slots, Worker, count_slots, find_state, free_channels
from supervisors.staff import ChannelStaff, Staff

Key = TypeVar("Key", bound=Hashable)
ChannelLoad = tuple[bool, bool, int, Slots]
"""Whether the worker is available, whether the channel is on, its capacity, and its slots."""


def sum_staff(workers: Sequence[Worker], *, multi_task: bool) -> tuple[dict[int, Staff], Staff]:
    """Return the sums over the workers of each queue, by its id, and over all workers."""
    traits = _Traits(workers, multi_task=multi_task)
    served = _group((worker.serves for worker in workers), len(workers))
    of_queue: dict[int, int] = defaultdict(int)
    for queues, bits in served.items():
        for queue in queues:
            of_queue[queue] |= bits
    # Queues with the same workers have the same sums; each gets a value of its own.
    known = {bits: traits.sum_up(bits) for bits in {*of_queue.values()}}
    staff = {queue: known[bits].copy() for queue, bits in of_queue.items()}
    return staff, traits.sum_up((1 << len(workers)) - 1)


@dataclass(slots=True)
class _Groups:
    """The workers with each value of what is counted, as bitsets."""

    available: int = 0
    activities: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    free_sets: dict[frozenset[int], int] = field(default_factory=lambda: defaultdict(int))
    loads: dict[int, dict[ChannelLoad, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )


class _Traits:
    """What is counted of the workers of a floor."""

    def __init__(self, workers: Sequence[Worker], *, multi_task: bool) -> None:
        self._groups = groups = _Groups()
        alike = _group(
            ((each.activity, each.available, each.loads) for each in workers), len(workers)
        )
        for bits in alike.values():
            worker = workers[(bits & -bits).bit_length() - 1]
            groups.available |= bits if worker.available else 0
            groups.activities[worker.activity] |= bits
            groups.states[find_state(worker, multi_task=multi_task).value] |= bits
            groups.free_sets[free_channels(worker, multi_task=multi_task)] |= bits
            for load in worker.loads:
                slots = count_slots(load, available=worker.available)
                key = worker.available, load.on, load.capacity, slots
                groups.loads[load.channel][key] |= bits

    def sum_up(self, bits: int) -> Staff:
        """Return the sums over the workers of a bitset."""
        groups = self._groups
        return Staff(
            workers=bits.bit_count(),
            available=(bits & groups.available).bit_count(),
            by_activity=_count(groups.activities, bits),
            by_state=_count(groups.states, bits),
            free_sets=_count(groups.free_sets, bits),
            channels={
                channel: found
                for channel, loads in groups.loads.items()
                if (found := _sum_channel(loads, bits)).workers
            },
        )


def _sum_channel(loads: Mapping[ChannelLoad, int], bits: int) -> ChannelStaff:
    found = ChannelStaff()
    for (available, on, capacity, slots), of_load in loads.items():
        if count := (bits & of_load).bit_count():
            found.add(count, available=available, on=on, capacity=capacity, slots=slots)
    return found


def _count(groups: Mapping[Key, int], bits: int) -> Counter[Key]:
    counted = ((key, (bits & each).bit_count()) for key, each in groups.items())
    return Counter({key: number for key, number in counted if number})


def _group(keys: Iterable[Key], size: int) -> dict[Key, int]:
    """Return for each key the places at which it stands, as a bitset."""
    places: dict[Key, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)
    return {key: _make_bits(found, size) for key, found in places.items()}


def _make_bits(places: Sequence[int], size: int) -> int:
    digits = bytearray(size // 8 + 1)
    for place in places:
        digits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(digits, "little")
