"""The events behind a cell of a report, one for each that it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings

from routing import models, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.vocabulary import ReservationOrigin
from routing.models import Event, Workspace
from routing.statistics import figure_events, service_reports
from routing.statistics.calendars import Calendar, Step
from routing.statistics.figure_events import BY_WAIT, MEASURES, Cell
from routing.statistics.windows import Span
from supervisors.query import parse_query
from supervisors.reports.names import COLUMNS, PARAMETERS, Names
from supervisors.reports.query import MOST_DAYS
from supervisors.reports.request import find_calendar

PAGE: Final = 100
_OF_QUEUES: Final = ("service", "staffing")
"""Reports that leave out tasks without a queue."""
_HOUR: Final = ("weekday", "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCell:
    """A cell as an address names it.

    Arguments:
        pairs: the parameters of its address, without the place of a page.
        hour: the weekday and the minute of the day to whose hours it is limited.
        after: the place after which the page begins.
    """

    cell: Cell
    report: str
    tz: str
    pairs: Sequence[tuple[str, str]]
    after: tuple[int, int] | None
    hour: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event behind a cell.

    Arguments:
        is_kept: whether the task is still there.
    """

    at: datetime
    event_type: str
    task_sid: str
    title: str
    is_kept: bool
    queue: str
    channel: str
    worker: str
    origin: str
    waited_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some entries, newest first; `next` is the place of the next page, "" at the end."""

    entries: Sequence[Entry]
    next: str
    is_cut: bool


def parse_cell(given: Mapping[str, Sequence[str]], workspace: Workspace) -> AskedCell | None:
    """Return the cell of an address; None if it names none."""
    last = {name: texts[-1] for name, texts in given.items() if texts}
    start, end = _read_minute(last.get("start", "")), _read_minute(last.get("end", ""))
    measure = last.get("measure", "")
    if start is None or end is None or start >= end or measure not in MEASURES:
        return None
    shared = parse_query({name: given.get(name, ()) for name in (*PARAMETERS.values(), "tz")})
    names = Names(workspace)
    pairs = [("workspace", workspace.sid)]
    only = {}
    for dimension, parameter in PARAMETERS.items():
        values = getattr(shared.view, parameter)
        if values:
            only[COLUMNS[dimension]] = names.find_keys(dimension, values)
            pairs += [(parameter, value) for value in values]
        elif last.get(f"no_{dimension}") == "1":
            only[COLUMNS[dimension]] = frozenset((0,))
            pairs.append((f"no_{dimension}", "1"))
    if measure in BY_WAIT and COLUMNS["agent"] in only:
        return None
    origin = last.get("origin", "")
    report = last.get("report", "")
    pairs += [("start", last["start"]), ("end", last["end"]), ("measure", measure)]
    pairs += [("report", report)] if re.fullmatch(r"[a-z]{1,20}", report) else []
    pairs += [("tz", shared.view.tz)] if shared.view.tz else []
    hour, parts = _read_hour(last), list[Span]()
    if hour is not None:
        pairs += [(name, last[name]) for name in _HOUR]
        parts = list(_list_hours(hour, Span(start, end), find_calendar(workspace, shared.view.tz)))
    if bool(parts) != any(name in last for name in _HOUR):
        return None
    is_origin = origin in list(ReservationOrigin)
    pairs += [("origin", origin)] if is_origin else []
    return AskedCell(
        cell=Cell(
            workspace=workspace,
            span=Span(start, end),
            parts=parts,
            measure=measure,
            only=only,
            origin=origin if is_origin else None,
            in_queue=report in _OF_QUEUES,
        ),
        report=report,
        tz=shared.view.tz,
        pairs=pairs,
        after=_read_place(last.get("after", "")),
        hour=hour,
    )


def _read_minute(text: str) -> int | None:
    """Return the minute of a moment such as 2026-11-01T00:00Z."""
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) // 60 if 1971 <= at.year < 9000 else None


def _read_hour(last: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the weekday and the minute of the day of an address such as weekday=0&hour=09:00."""
    weekday, hour = (last.get(name, "") for name in _HOUR)
    time = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", hour)
    if time is None or not re.fullmatch("[0-6]", weekday):
        return None
    return int(weekday), int(time[1]) * 60 + int(time[2])


def _list_hours(hour: tuple[int, int], span: Span, calendar: Calendar) -> Iterator[Span]:
    """Yield the whole hours of a span, of at most `MOST_DAYS`, that begin at a weekday's time."""
    longest = MOST_DAYS[Step.DAY] * 24 * 60
    for one in calendar.split(Span(max(span.start, span.end - longest), span.end), Step.HOUR):
        if one.end - one.start == 60 and find_hour(calendar.find_local(one.start)) == hour:
            yield one


def find_hour(start: datetime) -> tuple[int, int]:
    """Return the weekday, from Monday as 0, and the minute of the day of an hour."""
    return start.weekday(), start.hour * 60 + start.minute


def _read_place(text: str) -> tuple[int, int] | None:
    parts = re.fullmatch(r"(\d{1,17})\.(\d{1,18})", text)
    return (int(parts[1]), int(parts[2])) if parts else None


def follow(asked: AskedCell, page: Page) -> AskedCell:
    """Return the cell at the page after this one."""
    return replace(asked, after=_read_place(page.next))


def list_entries(asked: AskedCell, *, most: int = PAGE) -> Page:
    """Return the next entries of a cell."""
    workspace = asked.cell.workspace
    targets = service_reports.load_targets(workspace)
    found = figure_events.list_events(asked.cell, targets=targets, after=asked.after, most=most)
    rows = Event.objects.in_bulk(found.ids)
    events = [rows[pk] for pk in found.ids if pk in rows]
    task_sids = {event.event_data.get("task_sid") or "" for event in events}
    kept = dict(
        models.Task.objects.filter(workspace=workspace, sid__in=task_sids).values_list(
            "sid", "attributes"
        )
    )
    layout = task_layouts.load_layout(workspace)
    return Page(
        entries=[_build_entry(event, kept, layout) for event in events],
        next="" if found.next is None else ".".join(map(str, found.next)),
        is_cut=found.is_cut,
    )


def _build_entry(event: Event, kept: Mapping[str, str], layout: task_layouts.Layout) -> Entry:
    data: dict[str, Any] = event.event_data
    sid = data.get("task_sid") or ""
    attributes = kept.get(sid, data.get("task_attributes") or "{}")
    known = subjects.parse_attributes(attributes)
    title, _titled = subjects.first_text(known, layout.titles)
    return Entry(
        at=event.event_date,
        event_type=event.event_type,
        task_sid=sid,
        title=title or sid,
        is_kept=sid in kept,
        queue=data.get("task_queue_name") or "",
        channel=data.get("task_channel_unique_name") or "",
        worker=data.get("worker_name") or "",
        origin=event.origin or "",
        waited_ms=event.waited_in_queue_ms,
    )


def find_forgotten(asked: AskedCell, *, now: datetime) -> datetime | None:
    """Return the moment before which tasks were forgotten, if the cell begins before it."""
    oldest = now - timedelta(days=settings.TASK_RETENTION_DAYS)
    is_before = asked.cell.span.start * 60_000_000 < microseconds(oldest)
    return oldest if is_before else None
