"""A report as a file and as JSON: the same figures as on its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from django.http import HttpResponse

from routing.statistics.grouping import INTERVAL
from supervisors.csv_files import stream_csv
from supervisors.reports.columns import list_file_values, write_json
from supervisors.reports.names import PARAMETERS
from supervisors.reports.request import Request
from supervisors.reports.tables import Head, Row, Table

MOST_ROWS: Final = 1_000_000
"""Rows of a file."""
_WITH_SID: Final = frozenset((*PARAMETERS, "task", "alert"))
"""Dimensions whose rows have a sid."""


def write_file(request: Request, table: Table, rows: Iterable[Row]) -> HttpResponse:
    """Return some rows as CSV, one line for each; totals are left to who adds lines up."""
    zone = find_zone_name(request)
    header: list[str] = []
    for name in request.by:
        if name == INTERVAL:
            header += [f"start [{zone}]", f"end [{zone}]"]
        else:
            header += [name, f"{name} sid"] if name in _WITH_SID else [name]
    for column in table.columns:
        header += column.file_names
        if request.earlier_days:
            header += [f"before: {name}" for name in column.file_names]
    if INTERVAL not in request.by:
        header += [f"window start [{zone}]", f"window end [{zone}]"]
    if request.earlier_days:
        header += [f"before: window start [{zone}]", f"before: window end [{zone}]"]

    find_local, span = request.window.calendar.find_local, request.earlier_span
    earlier = (find_local(span.start), find_local(span.end))

    def lines() -> Iterator[list[Any]]:
        for row in islice(rows, MOST_ROWS):
            cells: list[Any] = []
            for name, head in zip(request.by, row.heads, strict=True):
                cells += _write_head(request, name, head)
            for column in table.columns:
                cells += list_file_values(column.unit, column.read(row.figures))
                if request.earlier_days:
                    cells += list_file_values(column.unit, column.read(row.before))
            if INTERVAL not in request.by:
                cells += [request.window.start.isoformat(), request.window.end.isoformat()]
            if request.earlier_days:
                cells += [each.isoformat() for each in earlier]
            yield cells

    answer: HttpResponse = stream_csv(
        f"{request.report}-{request.window.start:%Y-%m-%d}", header, lines()
    )
    return answer


def _write_head(request: Request, name: str, head: Head) -> list[str]:
    if head.span is None:
        return [head.text, head.sid] if name in _WITH_SID else [head.text]
    find_local = request.window.calendar.find_local
    return [find_local(minute).isoformat() for minute in (head.span.start, head.span.end)]


def find_zone_name(request: Request) -> str:
    """Return the name of the time zone of a report."""
    return request.query.tz or request.workspace.time_zone


def build_document(request: Request, table: Table, *, counted_until: str | None) -> dict[str, Any]:
    """Return a report as JSON has it."""
    window = request.window
    document: dict[str, Any] = {
        "report": request.report,
        "workspace_sid": request.workspace.sid,
        "time_zone": find_zone_name(request),
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat()},
        "step": window.step.value,
        "by": list(request.by),
        "counted_until": counted_until,
        "columns": [
            {
                "name": one.name,
                "title": str(one.title),
                "unit": one.unit.value,
                "formula": str(one.formula),
            }
            for one in table.columns
        ],
        "rows": [_write_row(request, table, row) for row in table.rows[:MOST_ROWS]],
        "total": None if table.total is None else _write_row(request, table, table.total),
        "notes": list(table.notes),
    }
    if request.earlier_days:
        earlier = request.earlier_span
        find_local = window.calendar.find_local
        document["compared_with"] = {
            "start": find_local(earlier.start).isoformat(),
            "end": find_local(earlier.end).isoformat(),
        }
    return document


def _write_row(request: Request, table: Table, row: Row) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, head in zip(request.by, row.heads, strict=False):
        if head.span is None:
            written[name] = {"sid": head.sid or None, "name": head.text}
        else:
            start, end = _write_head(request, name, head)
            written[name] = {"start": start, "end": end}
    written["figures"] = _write_figures(table, row.figures)
    if row.before is not None:
        written["before"] = _write_figures(table, row.before)
    return written


def _write_figures(table: Table, figures: Any) -> dict[str, Any]:
    columns: Sequence[Any] = table.columns
    return {one.name: write_json(one.unit, one.read(figures)) for one in columns}
