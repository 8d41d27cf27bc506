"""What is asked of a report: a workspace, a window, and what it is limited to and grouped by."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest

from routing.models import Workspace
from routing.statistics.calendars import Calendar
from routing.statistics.grouping import INTERVAL, Scope
from routing.statistics.windows import Span
from routing.time_zones import find_zone
from supervisors.reports.names import COLUMNS, PARAMETERS, Names, build_interval, write_span
from supervisors.reports.query import COMPARISONS, ReportQuery, Window
from supervisors.reports.tables import Head

Key = tuple[int, ...]
Figures = TypeVar("Figures")


def wants_json(request: HttpRequest) -> bool:
    """Return whether the answer is for a program."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def find_calendar(workspace: Workspace, tz: str) -> Calendar:
    """Return the calendar of a workspace, in its own time zone or another."""
    zone = zoneinfo.ZoneInfo(tz) if tz else find_zone(workspace.time_zone)
    return Calendar(zone, time.fromisoformat(workspace.day_starts_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a report.

    Arguments:
        report: its name.
        by: the dimensions of its rows.
        has_intervals: whether they may be intervals alone.
    """

    report: str
    workspace: Workspace = field(repr=False)
    query: ReportQuery
    window: Window
    by: Sequence[str]
    names: Names = field(repr=False)
    now: datetime
    has_intervals: bool = True

    @property
    def columns(self) -> list[str]:
        """Return the columns of figures that rows are grouped by."""
        return [INTERVAL if name == INTERVAL else COLUMNS[name] for name in self.by]

    @property
    def earlier_days(self) -> int:
        """Return how many days earlier the window for comparison lies; 0 without one."""
        return COMPARISONS[self.query.compare]

    @property
    def earlier_span(self) -> Span:
        """Return the window for comparison."""
        return self.window.calendar.shift(self.window.span, self.earlier_days)

    def build_scope(self, intervals: Sequence[Span], dimensions: Iterable[str]) -> Scope:
        """Return the scope of the query: these intervals, and its filters in some dimensions."""
        only = {}
        for dimension in dimensions:
            if values := getattr(self.query, PARAMETERS[dimension]):
                only[COLUMNS[dimension]] = self.names.find_keys(dimension, values)
        return Scope(workspace=self.workspace, intervals=intervals, only=only)

    def split_earlier(self) -> list[Span]:
        """Return the intervals of the window for comparison."""
        return self.window.calendar.split(self.earlier_span, self.window.step)

    def place_earlier(
        self, rows: Mapping[Key, Figures], intervals: Sequence[Span], earlier: Sequence[Span]
    ) -> dict[Key, Figures]:
        """Return rows of the window for comparison by the keys of the rows beside which they stand.

        An interval stands beside the one that lies so many days later by the clock on the wall.
        """
        if INTERVAL not in self.by:
            return dict(rows)
        place = list(self.by).index(INTERVAL)
        starts: dict[int, list[int]] = {}
        for number, one in enumerate(intervals):
            start = self.window.calendar.shift(one, self.earlier_days).start
            starts.setdefault(start, []).append(number)
        return {
            (*key[:place], number, *key[place + 1 :]): figures
            for key, figures in rows.items()
            for number in starts.get(earlier[key[place]].start, ())
        }

    def build_heads(self, key: Key, intervals: Sequence[Span]) -> list[Head]:
        """Return what a row is about."""
        calendar, step = self.window.calendar, self.window.step
        return [
            build_interval(intervals[value], step, calendar)
            if name == INTERVAL
            else self.names.build_head(name, value)
            for name, value in zip(self.by, key, strict=True)
        ]

    def load_names(self, keys: Iterable[Key]) -> None:
        """Load the names for the keys of rows."""
        found = list(keys)
        for place, name in enumerate(self.by):
            if name != INTERVAL:
                self.names.load(name, {key[place] for key in found})

    def write_cell(self, heads: Sequence[Head], filters: Iterable[str]) -> str:
        """Return the query of the events behind a row; "" if a head cannot be named there."""
        if not all(head.parameters for head in heads):
            return ""
        own = [pair for head in heads for pair in head.parameters]
        named = {name for name, _ in own}
        pairs = [("workspace", self.query.workspace), ("report", self.report)]
        if self.query.tz:
            pairs.append(("tz", self.query.tz))
        if "start" not in named:
            pairs += write_span(self.window.span)
        for dimension in filters:
            parameter = PARAMETERS[dimension]
            if parameter not in named and f"no_{dimension}" not in named:
                pairs += [(parameter, value) for value in getattr(self.query, parameter)]
        return urlencode([*pairs, *own])
