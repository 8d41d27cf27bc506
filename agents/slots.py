"""Draw a worker's capacity on a channel: the used slots by kind, and the free ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agents import cards
from routing import models


class Slot(StrEnum):
    """The content of one slot of a worker's capacity, in drawing order."""

    WORKING = "working"
    WRAPPING = "wrapping up"
    OFFERED = "offered"
    FREE = "free"
    KEPT = "kept"
    SHUT = "shut"

    @property
    def shape(self) -> str:
        """Return the name of its drawing."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One channel of a worker: its slots, and a text for them."""

    sid: str
    channel: cards.Channel
    capacity: int
    used: int
    available: bool
    slots: list[Slot]

    @property
    def words(self) -> str:
        """Return the slots as a text: "2 working, 1 offered, 1 free"."""
        return self._counted(list(Slot)) or "no capacity"

    @property
    def used_words(self) -> str:
        """Return the used slots as a text, for a channel that takes nothing new."""
        return self._counted([Slot.WORKING, Slot.WRAPPING, Slot.OFFERED])

    def _counted(self, kinds: list[Slot]) -> str:
        counted = [(self.slots.count(slot), slot) for slot in kinds]
        return ", ".join(f"{n} {_WORDS.get(slot, slot.value)}" for n, slot in counted if n)

    @property
    def over(self) -> int:
        """Return the number of tasks beyond the capacity (lowered later, or routed directly)."""
        return max(self.used - self.capacity, 0)

    @property
    def crowded(self) -> bool:
        """Return whether there are so many slots that they are drawn small."""
        return len(self.slots) > 12


_WORDS = {Slot.KEPT: "kept for grabbing"}


def build_gauge(row: models.WorkerChannel, *, offered: int, most_free: int | None = None) -> Gauge:
    """Return the gauge of a worker channel.

    Arguments:
        offered: the number of its slots used by open offers.
        most_free: with multitasking off, how many of the other slots are free: 1, or 0 beside
            any task; the rest is shut.
    """
    wrapping = max(row.consumed - row.assigned - offered, 0)
    free = max(row.configured_capacity - row.consumed, 0)
    kept, shut = min(row.reserved_for_manual, free), 0
    if most_free is not None:
        kept, shut = 0, max(free - most_free, 0)
    counts = {
        Slot.WORKING: row.assigned,
        Slot.WRAPPING: wrapping,
        Slot.OFFERED: offered,
        Slot.FREE: free - kept - shut,
        Slot.KEPT: kept,
        Slot.SHUT: shut,
    }
    return Gauge(
        sid=row.sid,
        channel=cards.describe_channel(row.task_channel),
        capacity=row.configured_capacity,
        used=row.consumed,
        available=row.available,
        slots=[slot for slot in Slot for _ in range(counts[slot])],
    )
