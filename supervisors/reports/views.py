"""Pages of reports, their files and their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from routing.statistics.calendars import Step
from routing.statistics.figures import find_counted_until
from supervisors import access, notes, views
from supervisors.access import Supervisor
from supervisors.panels import PAGES
from supervisors.query import Fault
from supervisors.rail import ChannelLink
from supervisors.reports import files, rendering
from supervisors.reports.limits import limit_reports
from supervisors.reports.names import PARAMETERS, Names
from supervisors.reports.query import (
    MOST_DAYS,
    ReportQuery,
    find_window,
    parse_report,
    read_dates,
)
from supervisors.reports.registry import REPORTS, Report
from supervisors.reports.request import Request, find_calendar, wants_json

_WINDOWS: Final = (
    ("today", gettext_lazy("Today")),
    ("yesterday", gettext_lazy("Yesterday")),
    ("24h", gettext_lazy("Last 24 hours")),
    ("7d", gettext_lazy("7 days before today")),
    ("28d", gettext_lazy("28 days before today")),
    ("dates", gettext_lazy("From … to …")),
)
_STEPS: Final = (
    ("", gettext_lazy("Automatic")),
    (Step.QUARTER.value, gettext_lazy("15 minutes")),
    (Step.HOUR.value, gettext_lazy("Hour")),
    (Step.DAY.value, gettext_lazy("Day")),
)
_COMPARISONS: Final = (
    ("", gettext_lazy("Nothing")),
    ("1d", gettext_lazy("One day before")),
    ("1w", gettext_lazy("One week before")),
    ("4w", gettext_lazy("Four weeks before")),
)
DIMENSIONS: Final = {
    "interval": gettext_lazy("Interval"),
    "queue": gettext_lazy("Queue"),
    "channel": gettext_lazy("Channel"),
    "workflow": gettext_lazy("Workflow"),
    "agent": gettext_lazy("Agent"),
    "weekday": gettext_lazy("Weekday"),
    "hour": gettext_lazy("Hour"),
    "task": gettext_lazy("Task"),
    "alert": gettext_lazy("Alert"),
}


@require_GET
@access.supervisors_only
@limit_reports
def show_first(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the first report."""
    return _show(request, supervisor, next(iter(REPORTS.values())))


@require_GET
@access.supervisors_only
@limit_reports
def show_report(request: HttpRequest, supervisor: Supervisor, name: str) -> HttpResponse:
    """Show a report; programs that accept JSON alone get the same figures as JSON."""
    return _show(request, supervisor, REPORTS[name])


@require_GET
@access.supervisors_only
@limit_reports
def show_file(request: HttpRequest, supervisor: Supervisor, name: str) -> HttpResponse:
    """Return a report as a file, with all of its columns."""
    report = REPORTS[name]
    asked, _faults = _read(request, supervisor, report)
    table = report.build(asked)
    rows = table.rows if report.iterate is None else report.iterate(asked)
    return files.write_file(asked, table, rows)


def _show(request: HttpRequest, supervisor: Supervisor, report: Report) -> HttpResponse:
    asked, faults = _read(request, supervisor, report)
    with timezone.override(asked.window.calendar.zone):
        table = report.build(asked)
        until = find_counted_until(supervisor.workspace)
        if wants_json(request):
            counted = until.astimezone(asked.window.calendar.zone).isoformat() if until else None
            return JsonResponse(files.build_document(asked, table, counted_until=counted))
        more = _build_page(asked, report, faults, until)
        more |= rendering.build_context(asked, table)
        return views.show_page(request, supervisor, PAGES["reports"], more=more)


def _read(
    request: HttpRequest, supervisor: Supervisor, report: Report
) -> tuple[Request, list[Fault]]:
    now, workspace = timezone.now(), supervisor.workspace
    query, faults = parse_report(
        dict(request.GET.lists()),
        workspace=workspace.sid,
        dimensions=report.dimensions,
        window=report.window,
    )
    if not report.is_comparable:
        query = query.change(compare="")
    query = query.change(**_find_unused(report))
    calendar = find_calendar(workspace, query.tz)
    asked = Request(
        report=report.name,
        workspace=workspace,
        query=query,
        window=find_window(query, calendar, now=now),
        by=query.by or report.dimensions[0],
        names=Names(workspace),
        now=now,
        has_intervals=("interval",) in report.dimensions,
    )
    return asked, faults


def _build_page(
    asked: Request, report: Report, faults: Sequence[Fault], until: datetime | None
) -> dict[str, Any]:
    query, window = asked.query, asked.window
    dates = read_dates(query.window)
    own = ("window", "by", "step", "compare", "tz", "attribute")
    return {
        "report": report,
        "report_address": _address(report),
        "reports": [
            (each, f"{_address(each)}{_move(query, report, each)}", each is report)
            for each in REPORTS.values()
        ],
        "asked": asked,
        "zone": files.find_zone_name(asked),
        "dimensions": [DIMENSIONS[name] for name in asked.by],
        "windows": [
            (value, title, value == query.window or (value == "dates" and dates is not None))
            for value, title in _WINDOWS
        ],
        "dates": dates or (window.start, window.end - timedelta(minutes=1)),
        "steps": [(value, title, value == query.step) for value, title in _STEPS],
        "comparisons": [(value, title, value == query.compare) for value, title in _COMPARISONS],
        "groupings": [
            (",".join(by), " × ".join(str(DIMENSIONS[name]) for name in by), by == tuple(asked.by))
            for by in report.dimensions
        ],
        "earlier": asked.earlier_span if asked.earlier_days else None,
        "earlier_start": window.calendar.find_local(asked.earlier_span.start),
        "earlier_end": window.calendar.find_local(asked.earlier_span.end),
        "kept": query.list_pairs(without=own),
        "selects": _list_selects(asked, report),
        "report_chips": _list_chips(asked, report),
        "csv": f"{reverse(f'supervisors:report_{report.name}_csv')}{query.link()}",
        "counted_until": until,
        "channel_links": _list_channels(asked),
        "chosen_channels": list(query.channel),
        "here": query.link(),
        "notes": [*_describe(faults), *_describe_window(asked)],
    }


def _address(report: Report) -> str:
    return reverse(f"supervisors:report_{report.name}")


def _move(query: ReportQuery, here: Report, report: Report) -> str:
    """Return the query for another report, which has its own rows, columns and usual window."""
    if query.window == here.window:
        query = query.change(window="")
    values = {"by": (), "show": (), "sort": ""} | _find_unused(report)
    return query.link(**values, **({} if report.is_comparable else {"compare": ""}))


def _find_unused(report: Report) -> dict[str, tuple[str, ...]]:
    """Return nothing for each filter that a report does not have."""
    return {PARAMETERS[name]: () for name in PARAMETERS if name not in report.filters}


def _list_selects(asked: Request, report: Report) -> list[tuple[str, Any, list[tuple[str, str]]]]:
    """Return the filters to which values can be added."""
    found = []
    for name in report.filters:
        if name != "channel":
            chosen = getattr(asked.query, PARAMETERS[name])
            rest = [each for each in asked.names.list_all(name) if each[0] not in chosen]
            found.append((PARAMETERS[name], DIMENSIONS[name], rest))
    return found


def _list_chips(asked: Request, report: Report) -> list[tuple[str, str]]:
    """Return a title for each filter that holds, and the query without it."""
    chips = []
    for name in report.filters:
        known = dict(asked.names.list_all(name))
        for value in getattr(asked.query, PARAMETERS[name]):
            words = {"name": DIMENSIONS[name], "value": known.get(value, value)}
            title = _("%(name)s: %(value)s") % words
            chips.append((title, rendering.drop(asked, PARAMETERS[name], value)))
    return chips


def _list_channels(asked: Request) -> list[ChannelLink]:
    chosen = set(asked.query.channel)
    every = ChannelLink(
        name=_("All channels"), query=asked.query.link(channel=()), current=not chosen
    )
    return [
        every,
        *(
            ChannelLink(
                name=name,
                query=asked.query.link(channel=tuple(sorted(chosen ^ {value}))),
                current=value in chosen,
            )
            for value, name in asked.names.list_all("channel")
        ),
    ]


def _describe(faults: Sequence[Fault]) -> list[str]:
    return [
        _(
            "“%(value)s” is no window of a report. Use today, yesterday, 24h, 7d, 28d, or two days "
            "such as 2026-11-01..2026-11-07."
        )
        % {"value": fault.value}
        if fault.code == "report_window"
        else notes.describe_fault(fault)
        for fault in faults
    ]


def _describe_window(asked: Request) -> list[str]:
    """Return sentences about what is missing from a window."""
    found = []
    if asked.window.is_cut:
        found.append(
            _(
                "A report has at most %(quarters)d days of hours or quarters, and %(days)d days of "
                "days, so this one was changed."
            )
            % {"quarters": MOST_DAYS[Step.QUARTER], "days": MOST_DAYS[Step.DAY]}
        )
    kept = asked.now - timedelta(days=settings.FIGURES_RETENTION_DAYS)
    start = asked.earlier_span.start if asked.earlier_days else asked.window.span.start
    if asked.window.calendar.find_local(start) < kept:
        found.append(
            _("Figures are kept for %(days)d days; those before %(date)s were forgotten.")
            % {"days": settings.FIGURES_RETENTION_DAYS, "date": f"{kept:%Y-%m-%d}"}
        )
    return found
