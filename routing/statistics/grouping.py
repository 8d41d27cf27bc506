"""Sums of figures, grouped by interval and other columns, within a scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models
from django.db.models import F, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from routing.models import Workspace
from routing.statistics.calendars import Run, group_runs
from routing.statistics.windows import Span

INTERVAL: Final = "interval"
"""The name of the dimension that is no column: the number of the interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report counts.

    Arguments:
        intervals: the parts of the window, in order and without gaps.
        only: the keys that count, by column; a column that is not named is not restricted.
    """

    workspace: Workspace = field(repr=False)
    intervals: Sequence[Span]
    only: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @property
    def span(self) -> Span:
        """Return the whole window."""
        return Span(self.intervals[0].start, self.intervals[-1].end)

    def filter(self, rows: QuerySet[Any], span: Span) -> QuerySet[Any]:
        """Return the rows of the scope within a part of the window."""
        chosen = {f"{name}__in": list(keys) for name, keys in self.only.items()}
        here = {"workspace": self.workspace, "minute__gte": span.start, "minute__lt": span.end}
        return rows.filter(**here, **chosen).order_by()


def sum_by(
    rows: QuerySet[Any],
    scope: Scope,
    by: Sequence[str],
    sums: Sequence[str],
    *,
    more: Mapping[str, Combinable] | None = None,
) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Yield the values of some columns, and the sums of others for each of them.

    One query is sent for each run of intervals of one length, or one in all.

    Arguments:
        by: columns, names of `more`, and `INTERVAL` for the number of the interval.
        more: expressions to group by.
    """
    runs = group_runs(scope.intervals) if INTERVAL in by else [Run(0, scope.span, 1)]
    extra = dict(more or {})
    names = [f"by_{name}" if name in extra or name == INTERVAL else name for name in by]
    totals = {f"sum_{name}": Sum(name) for name in sums}
    for run in runs:
        given = {f"by_{name}": each for name, each in extra.items() if name in by}
        if INTERVAL in by:
            given[f"by_{INTERVAL}"] = _number(run)
        found = scope.filter(rows, run.span).annotate(**given).values_list(*names)
        for row in found.annotate(**totals):
            key, values = row[: len(names)], row[len(names) :]
            yield key, [int(value or 0) for value in values]


def _number(run: Run) -> Combinable:
    """Return the number of a row's interval: whole numbers divide without a rest in SQL."""
    if run.span.end - run.span.start == run.length:
        return Value(run.first, output_field=models.IntegerField())
    place = (F("minute") - Value(run.span.start)) / Value(run.length)
    return Cast(place, models.IntegerField()) + Value(run.first)
