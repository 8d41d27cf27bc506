"""A report as it is shown, filed and sent as JSON: rows, columns and totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from routing.statistics.windows import Span
from supervisors.reports.charts import Chart
from supervisors.reports.columns import Column, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a row is about, in one dimension.

    Arguments:
        text: its name; an interval is named by its beginning.
        short: the name beside an axis.
        sid: the sid of a queue and so on; "" for an interval and for what is gone.
        span: the minutes of an interval.
        parameters: the parameters of an address that limit a page to it.
        address: the address of its own page, if it leads there.
    """

    text: str
    short: str = ""
    sid: str = ""
    span: Span | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    address: str = ""


@dataclass(slots=True, kw_only=True)
class Row:
    """A row, or the total.

    Arguments:
        figures: what the columns read.
        before: the same of the window for comparison; None without one.
        query: the address of the events behind its cells, up to the measure; "" without one.
    """

    heads: Sequence[Head]
    figures: Any
    before: Any = None
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """A cell of a grid; the higher its level, the darker its shade."""

    text: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of one figure, shaded by value.

    Arguments:
        rows: of each row its head and its cells.
    """

    title: Label
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[GridCell]]]


@dataclass(slots=True, kw_only=True)
class Table:
    """A report.

    Arguments:
        columns: all columns; a page shows some of them.
        total: all rows together; None for a report without one.
        charts: what is drawn of it.
        grids: the same figures as tables of one figure each.
        notes: sentences about what it does not have.
    """

    columns: Sequence[Column]
    rows: list[Row]
    total: Row | None = None
    charts: Sequence[Chart] = ()
    grids: Sequence[Grid] = ()
    notes: Sequence[str] = ()
