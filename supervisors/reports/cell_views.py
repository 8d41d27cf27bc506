"""The page of a cell: the events that it counts, each with its task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from routing.core.rates import WaitClock
from routing.core.vocabulary import ReservationOrigin
from routing.statistics import figure_events, service_reports
from supervisors import access, views
from supervisors.access import Supervisor
from supervisors.csv_files import stream_csv
from supervisors.panels import PAGES
from supervisors.reports import cells
from supervisors.reports.cells import AskedCell, Entry
from supervisors.reports.limits import limit_reports
from supervisors.reports.names import PARAMETERS, Names
from supervisors.reports.request import find_calendar, wants_json
from supervisors.reports.service_columns import list_columns
from supervisors.reports.views import DIMENSIONS

MOST_FILE_ROWS: Final = 100_000

_TITLES: Final = {
    "level": gettext_lazy("Counted in the service level"),
    "given_up": gettext_lazy("Counted as abandoned"),
    "push_answers": gettext_lazy("Answers to the router’s offers"),
    "accepted": gettext_lazy("Accepted"),
    "handled": gettext_lazy("Handled"),
    "in_order": gettext_lazy("In order"),
    "out_of_order": gettext_lazy("Out of order"),
    "maybe": gettext_lazy("Maybe"),
    "wrapped": gettext_lazy("Wrapped up"),
    "taken_back": gettext_lazy("Taken back"),
    "deleted_work": gettext_lazy("Deleted while in work"),
}
ORIGINS: Final = {
    ReservationOrigin.PUSH.value: gettext_lazy("by push"),
    ReservationOrigin.GRAB.value: gettext_lazy("by grab"),
    ReservationOrigin.ASSIGNED.value: gettext_lazy("assigned"),
    ReservationOrigin.DIRECT.value: gettext_lazy("direct"),
    ReservationOrigin.TRANSFER.value: gettext_lazy("by transfer"),
}


@require_GET
@access.supervisors_only
@limit_reports
def show_cell(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the events behind a cell."""
    asked = _read(request, supervisor)
    calendar = find_calendar(supervisor.workspace, asked.tz)
    targets = service_reports.load_targets(supervisor.workspace)
    page = cells.list_entries(asked)
    count = figure_events.count_cell(asked.cell, targets=targets)
    if wants_json(request):
        return JsonResponse(
            {
                "measure": asked.cell.measure,
                "count": count,
                "tasks": [_write_entry(entry, calendar.zone) for entry in page.entries],
                "next": page.next or None,
            }
        )
    address = reverse("supervisors:report_cell")
    query = urlencode(asked.pairs)
    with timezone.override(calendar.zone):
        more = {
            "asked": asked,
            "title": find_title(asked.cell.measure),
            "origin": ORIGINS.get(asked.cell.origin or ""),
            "count": count,
            "entries": [
                (entry, _link_task(supervisor, entry), ORIGINS.get(entry.origin, ""))
                for entry in page.entries
            ],
            "about": list(_describe(asked)),
            "start": calendar.find_local(asked.cell.span.start),
            "end": calendar.find_local(asked.cell.span.end),
            "zone": asked.tz or supervisor.workspace.time_zone,
            "forgotten": cells.find_forgotten(asked, now=timezone.now()),
            "is_cut": page.is_cut,
            "next": f"{address}?{query}&after={page.next}" if page.next else "",
            "first": f"{address}?{query}" if asked.after else "",
            "csv": f"{reverse('supervisors:report_cell_csv')}?{query}",
            "here": f"?{query}",
        }
        return views.show_page(request, supervisor, PAGES["report_cell"], more=more)


@require_GET
@access.supervisors_only
@limit_reports
def show_cell_file(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Return the events behind a cell as a file, at most `MOST_FILE_ROWS`."""
    asked = _read(request, supervisor)
    calendar = find_calendar(supervisor.workspace, asked.tz)
    zone = asked.tz or supervisor.workspace.time_zone

    def rows() -> Iterator[list[Any]]:
        page, written = cells.list_entries(asked), 0
        while True:
            for entry in page.entries:
                yield list(_write_entry(entry, calendar.zone).values())
            written += len(page.entries)
            if not page.next or written >= MOST_FILE_ROWS:
                return
            page = cells.list_entries(cells.follow(asked, page))

    header = (f"date [{zone}]", *_COLUMNS[1:])
    answer: HttpResponse = stream_csv(asked.cell.measure, header, rows())
    return answer


def _read(request: HttpRequest, supervisor: Supervisor) -> AskedCell:
    asked = cells.parse_cell(dict(request.GET.lists()), supervisor.workspace)
    if asked is None:
        raise Http404(_("This address names no cell of a report."))
    return asked


def find_title(measure: str) -> Any:
    """Return the title of a measure, which is that of its column."""
    for column in list_columns(WaitClock.QUEUE):
        if column.opens == measure and not column.origin and measure not in _TITLES:
            return column.title
    return _TITLES[measure]


_COLUMNS: Final = (
    *("date", "event_type", "task_sid", "title", "queue", "channel", "agent", "origin"),
    "waited_in_queue_ms",
)


def _write_entry(entry: Entry, zone: tzinfo) -> dict[str, Any]:
    values = (
        *(entry.at.astimezone(zone).isoformat(), entry.event_type, entry.task_sid, entry.title),
        *(entry.queue, entry.channel, entry.worker, entry.origin, entry.waited_ms),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _link_task(supervisor: Supervisor, entry: Entry) -> str:
    if not entry.is_kept:
        return ""
    query = urlencode({"workspace": supervisor.workspace.sid})
    return f"{reverse('supervisors:task', args=[entry.task_sid])}?{query}"


def _describe(asked: AskedCell) -> Iterator[str]:
    """Yield what the cell is limited to."""
    names = Names(asked.cell.workspace)
    given = list(asked.pairs)
    if asked.hour is not None:
        day, minute = asked.hour
        yield f"{WEEKDAYS[day]} {minute // 60:02}:{minute % 60:02}"
    for dimension, parameter in PARAMETERS.items():
        known = dict(names.list_all(dimension))
        for name, value in given:
            if name == parameter:
                words = {"name": DIMENSIONS[dimension], "value": known.get(value, value)}
                yield _("%(name)s: %(value)s") % words
            elif name == f"no_{dimension}":
                yield str(names.build_head(dimension, 0).text)
