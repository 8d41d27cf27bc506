"""The query of a report: what it shows, in the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from routing.core.clock import microseconds
from routing.statistics.calendars import QUARTER, Calendar, Step
from routing.statistics.windows import Span
from supervisors.query import Fault, Texts, parse_query

WINDOWS: Final = ("today", "yesterday", "24h", "7d", "28d")
MOST_DAYS: Final = {Step.QUARTER: 31, Step.HOUR: 31, Step.DAY: 400}
"""Days that a window may have, by the length of its intervals."""
COMPARISONS: Final = {"": 0, "1d": 1, "1w": 7, "4w": 28}
"""Days that the window for comparison lies earlier, by the value of `compare`."""
DIMENSIONS: Final = ("interval", "queue", "channel", "workflow", "agent")

MOST_PATHS: Final = 8
"""Attributes that may be columns."""
_PATH: Final = re.compile(r"[^.,=\x00-\x1f\x7f]{1,64}(\.[^.,=\x00-\x1f\x7f]{1,64}){0,7}")

_SHARED: Final = ("queue", "channel", "workflow", "worker")
_OWN: Final = frozenset(
    (
        "window",
        "from",
        "to",
        "by",
        "step",
        "compare",
        "show",
        "sort",
        "attribute",
        "workspace",
        "tz",
        "view",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """What a report shows; every field is a parameter of the URL."""

    workspace: str = ""
    queue: Texts = ()
    channel: Texts = ()
    workflow: Texts = ()
    worker: Texts = ()
    window: str = ""
    tz: str = ""
    by: Texts = ()
    step: str = ""
    compare: str = ""
    attribute: Texts = ()
    show: Texts = ()
    sort: str = ""

    @property
    def canonical(self) -> str:
        """Return the query in one form, without defaults."""
        return urlencode(list(self.list_pairs()))

    def list_pairs(self, *, without: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the parameters that differ from the defaults, by name."""
        pairs = []
        for name in _NAMES:
            value = getattr(self, name)
            if value and name not in without:
                several = value if isinstance(value, tuple) else (value,)
                pairs += [(name, str(one)) for one in several]
        return pairs

    def change(self, **values: Any) -> ReportQuery:
        """Return the query with other values."""
        return replace(self, **values)

    def link(self, **values: Any) -> str:
        """Return the query with other values, as it follows a path."""
        return f"?{self.change(**values).canonical}"


_NAMES: Final = sorted(each.name for each in fields(ReportQuery))


def parse_report(
    given: Mapping[str, Sequence[str]],
    *,
    workspace: str,
    dimensions: Sequence[Texts],
    window: str = "today",
) -> tuple[ReportQuery, list[Fault]]:
    """Return the query of a report, and what of it is ignored.

    Arguments:
        dimensions: by what the rows of this report may be grouped; the first is the usual one.
        window: the usual one.
    """
    shared = parse_query({name: given[name] for name in given if name not in _OWN})
    zone = parse_query({"tz": given.get("tz", ())})
    faults = [*shared.faults, *zone.faults]
    values: dict[str, Any] = {name: getattr(shared.view, name) for name in _SHARED}
    last = {name: texts[-1].strip() for name, texts in given.items() if texts}
    values["tz"] = zone.view.tz
    values["window"] = _read_window(last, window, faults)
    values["compare"] = _read_choice("compare", last, tuple(COMPARISONS), faults)
    values["step"] = _read_choice("step", last, ("", *Step), faults)
    by = tuple(one for text in given.get("by", ()) for one in text.split(",") if one)
    values["by"] = by if by in dimensions else ()
    if by and by not in dimensions:
        faults.append(Fault(parameter="by", value=",".join(by)[:60], code="choice"))
    paths = [one.strip() for text in given.get("attribute", ()) for one in text.split(",")]
    values["attribute"] = tuple(dict.fromkeys(p for p in paths if _PATH.fullmatch(p)))[:MOST_PATHS]
    shown = [one for one in given.get("show", ()) if re.fullmatch(r"[a-z0-9_]{1,40}", one)]
    values["show"] = tuple(dict.fromkeys(shown[:100]))
    sort = last.get("sort", "")
    values["sort"] = sort if re.fullmatch(r"-?[a-z0-9_]{1,40}", sort) else ""
    if by and values["by"] == dimensions[0]:
        values["by"] = ()
    return ReportQuery(workspace=workspace, **values), faults


def _read_choice(
    name: str, last: Mapping[str, str], choices: Sequence[str], faults: list[Fault]
) -> str:
    value = last.get(name, "")
    if value in choices:
        return str(value)
    faults.append(Fault(parameter=name, value=value[:60], code="choice"))
    return choices[0]


def _read_window(last: Mapping[str, str], usual: str, faults: list[Fault]) -> str:
    """Return the window; the dates of the form make one if it is `dates`."""
    value = last.get("window", "")
    if value == "dates":
        value = f"{last.get('from', '')}..{last.get('to', '')}"
    if not value or value in WINDOWS:
        return value or usual
    if read_dates(value) is None:
        faults.append(Fault(parameter="window", value=value[:60], code="report_window"))
        return usual
    return value


def read_dates(window: str) -> tuple[date, date] | None:
    """Return the first and the last day of a window of dates; None if it is not one."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", window)
    if parts is None:
        return None
    try:
        first, last = date.fromisoformat(parts[1]), date.fromisoformat(parts[2])
    except ValueError:
        return None
    return (first, last) if date(1971, 1, 1) <= first <= last < date(9000, 1, 1) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The window of a report.

    Arguments:
        is_cut: whether it was longer than intervals of this length allow.
    """

    span: Span
    step: Step
    calendar: Calendar
    is_cut: bool = False

    @property
    def start(self) -> datetime:
        """Return its beginning, in its zone."""
        return self.calendar.find_local(self.span.start)

    @property
    def end(self) -> datetime:
        """Return its end, in its zone."""
        return self.calendar.find_local(self.span.end)

    def cut(self) -> Window:
        """Return it as one that was longer."""
        return replace(self, is_cut=True)

    def split(self) -> list[Span]:
        """Return its intervals."""
        return self.calendar.split(self.span, self.step)


def find_window(query: ReportQuery, calendar: Calendar, *, now: datetime) -> Window:
    """Return the window that a query asks for; windows until now end with the present quarter."""
    today = calendar.find_date(now)
    end = microseconds(now) // 60_000_000 // QUARTER * QUARTER + QUARTER
    dates = read_dates(query.window)
    if dates is not None:
        span = calendar.find_days(dates[0], max(min(dates[1], today), dates[0]))
    elif query.window == "24h":
        span = Span(end - 24 * 60, end)
    elif query.window in ("7d", "28d"):
        days = int(query.window.removesuffix("d"))
        span = calendar.find_days(today - timedelta(days), today - timedelta(1))
    elif query.window == "yesterday":
        span = calendar.find_days(today - timedelta(1), today - timedelta(1))
    else:
        span = Span(calendar.find_days(today, today).start, end)
    step = Step(query.step) if query.step else _choose_step(span)
    # An hour more, as clocks may change within.
    longest = MOST_DAYS[step] * 24 * 60 + 60
    cut = span.end - span.start > longest
    if cut and step is Step.DAY:
        last = calendar.find_date(calendar.find_local(span.end - 1))
        span = calendar.find_days(last - timedelta(MOST_DAYS[step] - 1), last)
    elif cut:
        return find_window(replace(query, step=Step.DAY.value), calendar, now=now).cut()
    return Window(span=span, step=step, calendar=calendar, is_cut=cut)


def _choose_step(span: Span) -> Step:
    minutes = span.end - span.start
    if minutes <= 6 * 60:
        return Step.QUARTER
    return Step.HOUR if minutes <= 49 * 60 else Step.DAY
