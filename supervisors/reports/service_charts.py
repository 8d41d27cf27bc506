"""The charts of the report *Service*: ends, service level and speed over time, and waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.core.stays import StayEnd
from routing.core.waits import EDGES
from routing.statistics.grouping import INTERVAL
from routing.statistics.service_reports import Service
from supervisors.durations import format_duration
from supervisors.reports import charts
from supervisors.reports.charts import Chart
from supervisors.reports.columns import Unit, format_count, format_value
from supervisors.reports.request import Request
from supervisors.reports.tables import Row

MOST_BARS: Final = 30
"""Bars of rows that are no intervals."""

_KINDS: Final = (
    ("answered", gettext_lazy("Answered"), (StayEnd.ANSWERED, StayEnd.ANSWERED_AGAIN)),
    ("abandoned", gettext_lazy("Abandoned"), (StayEnd.ABANDONED,)),
    (
        "canceled",
        gettext_lazy("Canceled or over"),
        (
            *(StayEnd.WITHDRAWN, StayEnd.CANCELED_LATER, StayEnd.CANCELED_BY_STAFF),
            *(StayEnd.EXPIRED, StayEnd.FELL_OUT, StayEnd.DELETED),
        ),
    ),
    ("moved", gettext_lazy("Moved on"), (StayEnd.MOVED, StayEnd.CHANNEL_LEFT)),
)


def draw_charts(request: Request, rows: Sequence[Row], total: Service) -> list[Chart]:
    """Return the charts for some rows; nothing is drawn of a window in which nothing ended."""
    if not total.figures.ends.total():
        return []
    drawn = [_draw_ends(rows, total)]
    if list(request.by) == [INTERVAL]:
        drawn += [_draw_levels(rows, total), _draw_speed(rows, total)]
    return [*drawn, _draw_waits(total)]


def _draw_ends(rows: Sequence[Row], total: Service) -> Chart:
    labels, stacks = [], []
    for label, ended in _sum_ends(rows):
        labels.append(label)
        counted = [(kind, title, sum(ended[end] for end in ends)) for kind, title, ends in _KINDS]
        stacks.append(
            [(kind, n, f"{label}: {title} {format_count(n)}") for kind, title, n in counted]
        )
    caption = _("%(ended)s stays ended, %(answered)s of them by an answer.") % {
        "ended": format_count(total.figures.ends.total()),
        "answered": format_count(total.figures.answered),
    }
    chart = Chart(
        name="ends",
        title=gettext_lazy("How stays ended"),
        caption=caption,
        legend=[(kind, title) for kind, title, _ends in _KINDS],
    )
    return charts.draw_bars(chart, labels, stacks)


def _sum_ends(rows: Sequence[Row]) -> Iterable[tuple[str, Counter[str]]]:
    """Return the ends of each bar: an interval, of all its rows together, or else a row."""
    if not rows or rows[0].heads[0].span is None:
        busiest = sorted(rows, key=lambda row: -row.figures.figures.ends.total())
        return [(_label(row), row.figures.figures.ends) for row in busiest[:MOST_BARS]]
    found: dict[str, Counter[str]] = {}
    for row in rows:
        head = row.heads[0]
        ended = found.setdefault(head.text, Counter())
        ended.update(row.figures.figures.ends)
    shorts = {row.heads[0].text: row.heads[0].short for row in rows}
    return [(shorts[text], ended) for text, ended in found.items()]


def _label(row: Row) -> str:
    return " · ".join(head.short or head.text for head in row.heads)


def _draw_levels(rows: Sequence[Row], total: Service) -> Chart:
    share = format_value(Unit.SHARE, total.level)
    chart = Chart(
        name="levels",
        title=gettext_lazy("Service level"),
        caption=_("The service level of the whole window is %(share)s.") % {"share": share},
    )

    def write(value: float) -> str:
        return _("%(percent)s %%") % {"percent": f"{value:g}"}

    values = [row.figures.level.percent for row in rows]
    labels = [_label(row) for row in rows]
    return charts.draw_lines(chart, labels, [("level", values, write)], top=100, write=write)


def _draw_speed(rows: Sequence[Row], total: Service) -> Chart:
    def read(service: Service) -> float | None:
        average = service.waits.average_ms
        return None if average is None else average / 1000

    average = read(total)
    chart = Chart(
        name="speed",
        title=gettext_lazy("Average speed of answer"),
        caption=_("Answered tasks had waited %(duration)s on average.")
        % {"duration": "–" if average is None else format_duration(average)},
    )
    values = [read(row.figures) for row in rows]
    labels = [_label(row) for row in rows]
    lines = [("speed", values, format_duration)]
    return charts.draw_lines(chart, labels, lines, write=format_duration)


def _draw_waits(total: Service) -> Chart:
    """Draw how many answered tasks waited up to each edge, and since the edge before."""
    counts = [0] * (len(EDGES) + 1)
    for place, count in total.waits.counts.items():
        counts[place // 2] += count
    last = max((number for number, count in enumerate(counts) if count), default=0)
    labels = [f"≤ {format_duration(edge)}" for edge in EDGES] + [f"> {format_duration(EDGES[-1])}"]
    caption = _("%(within)s of %(answered)s answered tasks were within their target.") % {
        "within": format_count(total.within),
        "answered": format_count(total.figures.answered),
    }
    chart = Chart(name="waits", title=gettext_lazy("Waits of answered tasks"), caption=caption)
    stacks = [
        [("answered", count, f"{label}: {format_count(count)}")]
        for label, count in zip(labels, counts, strict=True)
    ]
    return charts.draw_bars(chart, labels[: last + 1], stacks[: last + 1])
