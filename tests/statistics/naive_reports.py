"""A second implementation of reports, on the naive books."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tests.statistics.naive_books import Cell

ENDS = (
    *("answered", "answered_again", "abandoned", "withdrawn", "canceled_later"),
    *("canceled_by_staff", "expired", "fell_out", "moved", "channel_left", "deleted"),
)
OFFERS = ("offers", "rejected", "missed", "rescinded", "canceled_offers")
Chosen = Callable[[int, str, str], bool]
"""Whether a quarter, a queue and a channel belong to a row."""
DEFAULT = {"threshold": 60, "short": 5, "formula": "B", "clock": "queue"}


def share(part: int, whole: int) -> dict[str, Any]:
    percent = None
    if whole:
        percent = 100.0 if part == whole else min(round(100 * part / whole, 1), 99.9)
    return {"percent": percent, "part": part, "whole": whole}


def mean(values: Iterable[int]) -> int | None:
    found = list(values)
    return sum(found) // len(found) if found else None


class Books(Protocol):
    """The cells of naive books, or some of them."""

    queues: Counter[Cell]
    waits: dict[Cell, list[int]]


class NaiveService:
    """The figures of one row of the report *Service*.

    Arguments:
        targets: the targets that are not the usual one, by queue and channel.
        clock: of the waits.
    """

    def __init__(
        self,
        books: Books,
        chosen: Chosen,
        *,
        targets: dict[tuple[str, str], dict[str, Any]],
        clock: str,
    ) -> None:
        self._targets, self._clock = targets, clock
        self._counts: Counter[tuple[str, str]] = Counter()
        for (when, queue, channel, name, by), number in books.queues.items():
            if queue and chosen(when, queue, channel):
                self._counts[name, by] += number
        self._waits: list[tuple[tuple[str, str], str, str, list[int]]] = [
            ((queue, channel), name, by, found)
            for (when, queue, channel, name, by), found in books.waits.items()
            if queue and chosen(when, queue, channel)
        ]

    def count(self, measure: str, origin: str | None = None) -> int:
        return sum(
            number
            for (name, by), number in self._counts.items()
            if name == measure and origin in (None, by)
        )

    def waits(self, end: str, clock: str, origin: str | None = None) -> list[int]:
        return [wait for _, wait in self._list_waits(end, clock, origin)]

    def _list_waits(
        self, end: str, clock: str, origin: str | None = None
    ) -> list[tuple[tuple[str, str], int]]:
        return [
            (pair, wait)
            for pair, name, by, found in self._waits
            if name == f"{end} {clock}" and origin in (None, by)
            for wait in found
        ]

    def _judge(self) -> tuple[int, int, int, int, list[int]]:
        """Return the good and counted ones, within, short, and counted waits of abandoned ones."""
        good = whole = within = short = 0
        counted: list[int] = []
        for clock in ("queue", "creation"):
            for pair, wait in self._list_waits("answered", clock):
                target = self._targets.get(pair, DEFAULT)
                if target["clock"] == clock:
                    whole += 1
                    within += wait <= target["threshold"] * 1000
                    good += wait <= target["threshold"] * 1000
            for pair, wait in self._list_waits("abandoned", clock):
                target = self._targets.get(pair, DEFAULT)
                if target["clock"] != clock:
                    continue
                is_short = wait < target["short"] * 1000
                is_early = wait <= target["threshold"] * 1000
                short += is_short
                good += target["formula"] == "C" and is_early
                if {"B": not is_short, "D": not is_early}.get(target["formula"], True):
                    whole += 1
                    counted.append(wait)
        return good, whole, within, short, counted

    def figures(self) -> dict[str, Any]:
        """Return all figures but estimates and balances, as JSON has them."""
        good, whole, within, short, counted = self._judge()
        push = [self.count(name, "push") for name in ("accepted", "rejected", "missed")]
        answered = self.count("answered")
        found: dict[str, Any] = {end: self.count(end) for end in ENDS}
        found |= {offer: self.count(offer) for offer in OFFERS}
        found |= {
            name: self.count(name)
            for name in (
                *("entered", "channel_entered", "tasks_created"),
                *("transferred_in", "transferred_out"),
            )
        }
        found |= {
            f"answered_by_{origin}": self.count("answered", origin)
            for origin in ("push", "grab", "assigned", "direct")
        }
        return found | {
            "within_target": within,
            "short_abandons": short,
            "service_level": share(good, whole),
            "abandonment_rate": share(len(counted), answered + len(counted)),
            "wait_to_abandon": mean(counted),
            "accept_rate": share(push[0], sum(push)),
            "asa": mean(self.waits("answered", self._clock)),
            "asa_by_push": mean(self.waits("answered", self._clock, "push")),
            "asa_by_grab": mean(self.waits("answered", self._clock, "grab")),
        }

    def percentiles(self) -> dict[str, int | None]:
        """Return the waits that so many of a hundred answers do not exceed, by the nearest rank."""
        waits = sorted(self.waits("answered", self._clock))
        return {
            f"wait_p{percent}": waits[math.ceil(len(waits) * percent / 100) - 1] if waits else None
            for percent in (50, 90, 95)
        }
