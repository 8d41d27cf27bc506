"""Draw a worker's capacity on a channel: the used slots by kind, and the free ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext, ngettext

from agents import cards
from routing import models
from routing.languages import join_list


class Slot(StrEnum):
    """The content of one slot of a worker's capacity, in drawing order; the value is its shape."""

    WORKING = "working"
    WRAPPING = "wrapping"
    OFFERED = "offered"
    FREE = "free"
    KEPT = "kept"
    SHUT = "shut"


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
        return self._counted(list(Slot)) or gettext("no capacity")

    @property
    def used_words(self) -> str:
        """Return the used slots as a text, for a channel that takes nothing new."""
        return self._counted([Slot.WORKING, Slot.WRAPPING, Slot.OFFERED])

    def _counted(self, kinds: list[Slot]) -> str:
        counted = [(slot, self.slots.count(slot)) for slot in kinds]
        return join_list(_count_words(slot, n) for slot, n in counted if n)

    @property
    def summary(self) -> str:
        """Return a sentence about the channel for screen readers, where only figures are drawn."""
        values = {"channel": self.channel.name, "used": self.used, "capacity": self.capacity}
        if self.available:
            return gettext("%(channel)s: %(used)s of %(capacity)s in use") % values
        return gettext("%(channel)s, off: %(used)s of %(capacity)s in use") % values

    @property
    def over(self) -> int:
        """Return the number of tasks beyond the capacity (lowered later, or routed directly)."""
        return max(self.used - self.capacity, 0)

    @property
    def crowded(self) -> bool:
        """Return whether there are so many slots that they are drawn small."""
        return len(self.slots) > 12


def _count_words(slot: Slot, n: int) -> str:
    match slot:
        case Slot.WORKING:
            text = ngettext("%(n)s working", "%(n)s working", n)
        case Slot.WRAPPING:
            text = ngettext("%(n)s wrapping up", "%(n)s wrapping up", n)
        case Slot.OFFERED:
            text = ngettext("%(n)s offered", "%(n)s offered", n)
        case Slot.FREE:
            text = ngettext("%(n)s free", "%(n)s free", n)
        case Slot.KEPT:
            text = ngettext("%(n)s kept for grabbing", "%(n)s kept for grabbing", n)
        case Slot.SHUT:
            text = ngettext("%(n)s shut", "%(n)s shut", n)
    return text % {"n": n}


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
