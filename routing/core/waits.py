"""Waits by length, from which every count within or below an edge is exact.

A wait between two edges and a wait that equals an edge have places of their own. So both "at most
60 s" and "less than 5 s" can be counted to the millisecond, long after the waits are gone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

EDGES: Final = (
    *(1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900),
    *(1200, 1800, 3600, 7200, 14400, 28800, 86400),
)
"""The edges in seconds; thresholds of targets are chosen from them."""

_EDGES_MS: Final = tuple(edge * 1000 for edge in EDGES)


def find_place(wait_ms: int) -> int:
    """Return the place of a wait: odd for an edge itself, even for what lies before or after."""
    edge = bisect_left(_EDGES_MS, wait_ms)
    return 2 * edge + (edge < len(_EDGES_MS) and _EDGES_MS[edge] == wait_ms)


@dataclass(slots=True)
class Waits:
    """The number and the sum of the waits at each place."""

    counts: dict[int, int] = field(default_factory=dict)
    totals_ms: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many waits there are."""
        return sum(self.counts.values())

    @property
    def total_ms(self) -> int:
        """Return the sum of all waits."""
        return sum(self.totals_ms.values())

    @property
    def average_ms(self) -> int | None:
        """Return the mean wait in whole milliseconds; None without waits."""
        count = self.count
        return self.total_ms // count if count else None

    def add_place(self, place: int, count: int, total_ms: int) -> None:
        """Add some waits of one place."""
        self.counts[place] = self.counts.get(place, 0) + count
        self.totals_ms[place] = self.totals_ms.get(place, 0) + total_ms

    def add_wait(self, wait_ms: int) -> None:
        """Add one wait."""
        self.add_place(find_place(wait_ms), 1, wait_ms)

    def add(self, other: Waits) -> None:
        """Add all waits of another."""
        for place, count in other.counts.items():
            self.add_place(place, count, other.totals_ms[place])

    def within(self, seconds: int) -> Waits:
        """Return the waits of at most so long, which must be an edge."""
        return self._up_to(2 * EDGES.index(seconds) + 1)

    def below(self, seconds: int) -> Waits:
        """Return the waits that were shorter, by an edge."""
        return self._up_to(2 * EDGES.index(seconds))

    def _up_to(self, last: int) -> Waits:
        found = Waits()
        for place, count in self.counts.items():
            if place <= last:
                found.add_place(place, count, self.totals_ms[place])
        return found

    def estimate_percentile_ms(self, percent: float) -> int | None:
        """Return about how long a share of the waits were at most; None without waits.

        Within a place the waits are taken as evenly spread. Beyond the last edge, it is the
        estimate.
        """
        total = self.count
        if not total:
            return None
        wanted = max(total * percent / 100, 1)
        seen = 0
        for place in sorted(self.counts):
            count = self.counts[place]
            if seen + count < wanted:
                seen += count
                continue
            edge = place // 2
            if edge == len(_EDGES_MS):
                break
            if place % 2:
                return _EDGES_MS[edge]
            lower = _EDGES_MS[edge - 1] if edge else 0
            return lower + round((_EDGES_MS[edge] - lower) * (wanted - seen) / count)
        return _EDGES_MS[-1]


def percentile_ms(waits_ms: Sequence[int], percent: float) -> int | None:
    """Return the exact percentile of sorted waits by the nearest rank; None without waits."""
    if not waits_ms:
        return None
    rank = -(-len(waits_ms) * percent // 100)
    return waits_ms[max(int(rank), 1) - 1]
