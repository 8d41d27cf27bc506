"""Days, hours and quarters of an hour in a time zone, as spans of whole quarters.

All offsets of today's time zones are whole quarters of an hour, so every day and hour is a sum of
quarters. A day on which the clocks change has 23 or 25 hours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from routing.statistics.windows import Span

QUARTER: Final = 15
_HOUR: Final = 60


class Step(StrEnum):
    """The lengths of intervals."""

    QUARTER = "15m"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Run:
    """Intervals of one length that follow one another.

    Arguments:
        first: the number of the first one among all intervals.
        length: minutes of each.
    """

    first: int
    span: Span
    length: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a workspace: its time zone, and when a day begins there."""

    zone: tzinfo
    day_starts_at: time = time()

    def find_local(self, minute: int) -> datetime:
        """Return the date and time of a minute since 1970, in the zone."""
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone)

    def find_date(self, at: datetime) -> date:
        """Return the day to which a moment belongs."""
        here = at.astimezone(self.zone)
        return here.date() if here.time() >= self.day_starts_at else here.date() - timedelta(1)

    def find_days(self, first: date, last: date) -> Span:
        """Return the days from one to another, both included."""
        return Span(self._find_start(first), self._find_start(last + timedelta(1)))

    def shift(self, span: Span, days: int) -> Span:
        """Return the span that lies so many days earlier, by the clock on the wall."""
        return Span(self._shift(span.start, days), self._shift(span.end, days))

    def split(self, span: Span, step: Step) -> list[Span]:
        """Return the intervals of a span; the first and the last may be cut by it.

        Hours are counted from the beginning of each day.
        """
        cuts = [span.start, *self._list_cuts(span, step), span.end]
        return [Span(a, b) for a, b in itertools.pairwise(cuts) if a < b]

    def _list_cuts(self, span: Span, step: Step) -> Iterator[int]:
        if step is Step.QUARTER:
            yield from range(span.start + QUARTER, span.end, QUARTER)
            return
        day = self.find_date(self.find_local(span.start))
        while (start := self._find_start(day)) < span.end:
            day += timedelta(1)
            ends = start + 1 if step is Step.DAY else min(self._find_start(day), span.end)
            yield from (cut for cut in range(start, ends, _HOUR) if span.start < cut < span.end)

    def _find_start(self, day: date) -> int:
        return self._find_minute(datetime.combine(day, self.day_starts_at))

    def _shift(self, minute: int, days: int) -> int:
        wall = self.find_local(minute).replace(tzinfo=None) - timedelta(days)
        return self._find_minute(wall)

    def _find_minute(self, wall: datetime) -> int:
        """Return the quarter of a time on the wall; the first of two, or the one after a gap."""
        minute = int(wall.replace(tzinfo=self.zone).timestamp()) // 60
        return minute - minute % QUARTER


def group_runs(intervals: Sequence[Span]) -> list[Run]:
    """Return the intervals as runs of one length, each of which is one query."""
    runs: list[Run] = []
    for number, one in enumerate(intervals):
        length = one.end - one.start
        last = runs[-1] if runs else None
        if last is not None and last.length == length and last.span.end == one.start:
            runs[-1] = Run(last.first, Span(last.span.start, one.end), length)
        else:
            runs.append(Run(number, one, length))
    return runs
