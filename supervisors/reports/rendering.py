"""The table of a report as HTML; its cells are written here, as a page may have thousands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from routing.statistics.grouping import INTERVAL
from supervisors.reports.columns import Column, Unit, choose_columns, format_value, rank
from supervisors.reports.names import PARAMETERS
from supervisors.reports.request import Request
from supervisors.reports.tables import Head, Row, Table

MOST_ROWS: Final = 500
"""Rows of a page; a file has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownHead:
    """The head of a column: its title, its alignment, and the query that sorts by it."""

    name: str
    kind: str
    title: Any
    query: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row: its heads with their links, and its cells as HTML."""

    heads: Sequence[tuple[str, str]]
    cells: SafeString


def build_context(request: Request, table: Table) -> dict[str, Any]:
    """Return what the template of the table shows."""
    columns = choose_columns(table.columns, request.query.show)
    rows = _sort(request, table)
    cells = _Cells(columns)
    return {
        "columns": [_build_head(request, column) for column in columns],
        "rows": [
            ShownRow(
                heads=[(head.text, _link_head(request, head)) for head in row.heads],
                cells=cells.write(row),
            )
            for row in rows[:MOST_ROWS]
        ],
        "total": None if table.total is None else cells.write(table.total),
        "all_rows": len(rows),
        "most_rows": MOST_ROWS,
        "legend": [column for column in columns if column.formula],
        "column_choices": _list_choices(request, table.columns, columns),
        "charts": table.charts,
        "grids": table.grids,
        "table_notes": table.notes,
    }


def _sort(request: Request, table: Table) -> list[Row]:
    """Return the rows in the order that the query asks for; else as the report has them."""
    name = request.query.sort.removeprefix("-")
    for column in table.columns:
        if column.name == name:
            falls = request.query.sort.startswith("-")
            return sorted(
                table.rows,
                key=lambda row: rank(column.unit, column.read(row.figures)),
                reverse=falls,
            )
    return table.rows


def _build_head(request: Request, column: Column) -> ShownHead:
    sort = request.query.sort
    direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "")
    wanted = column.name if direction == "descending" else f"-{column.name}"
    return ShownHead(
        name=column.name,
        kind=_align(column),
        title=column.title,
        query=request.query.link(sort=wanted),
        direction=direction,
    )


def _link_head(request: Request, head: Head) -> str:
    """Return the query of the same report, over time, for what a row is about."""
    if head.address:
        return head.address
    given = dict(head.parameters)
    for parameter in PARAMETERS.values():
        if parameter in given:
            by = (INTERVAL,) if len(request.by) == 1 and request.has_intervals else ()
            return request.query.link(**{parameter: (given[parameter],), "by": by, "sort": ""})
    return ""


def _align(column: Column) -> str:
    """Return the class of a column's cells: numbers stand at their ends, texts at their starts."""
    return "text" if column.unit in (Unit.TEXT, Unit.DATE) else "number"


def _list_choices(
    request: Request, columns: Sequence[Column], shown: Iterable[Column]
) -> list[Mapping[str, Any]]:
    """Return for each column the query that adds it, or takes it away."""
    chosen = {column.name for column in shown}
    return [
        {
            "title": column.title,
            "current": column.name in chosen,
            "query": request.query.link(
                show=tuple(one.name for one in columns if one.name in chosen ^ {column.name})
            ),
        }
        for column in columns
    ]


class _Cells:
    """Writes the cells of rows; what does not depend on the row is prepared once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._was = escape(_("before: %(value)s"))
        self._address = escape(reverse("supervisors:report_cell"))
        self._columns = [
            (
                column,
                f'<td class="{_align(column)}" data-label="{escape(column.title)}">',
                self._write_end(column),
            )
            for column in columns
        ]

    @staticmethod
    def _write_end(column: Column) -> str:
        if not column.opens:
            return ""
        by = f"&amp;origin={column.origin}" if column.origin else ""
        return f"&amp;measure={column.opens}{by}"

    def write(self, row: Row) -> SafeString:
        """Return the cells of a row; one that counts events leads to them."""
        address = f"{self._address}?{escape(row.query)}" if row.query else ""
        parts = []
        for column, begin, end in self._columns:
            value = column.read(row.figures)
            shown = column.words.get(value, value) if column.words and value else value
            text: str = escape(format_value(column.unit, shown))
            if address and end and _is_something(column.unit, value):
                text = f'<a href="{address}{end}">{text}</a>'
            if row.before is not None:
                earlier = escape(format_value(column.unit, column.read(row.before)))
                text = f'{text}<span class="before">{self._was % {"value": earlier}}</span>'
            parts.append(f"{begin}{text}</td>")
        return mark_safe("".join(parts))  # noqa: S308 - every part is escaped


def _is_something(unit: Unit, value: Any) -> bool:
    """Return whether there are events behind a value."""
    if unit is Unit.SHARE:
        return bool(value.whole)
    return bool(value) if unit in (Unit.COUNT, Unit.NUMBER) else value is not None


def drop(request: Request, parameter: str, value: str) -> str:
    """Return the query without one value of a filter."""
    rest = tuple(one for one in getattr(request.query, parameter) if one != value)
    return request.query.link(**{parameter: rest})
