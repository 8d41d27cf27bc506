"""The report *Staffing*: what comes in and how many slots are free, by weekday and hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.dates import WEEKDAYS
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy

from routing.core.clock import microseconds
from routing.statistics import agent_reports
from routing.statistics.booking import MINUTE_US
from routing.statistics.calendars import Step
from routing.statistics.occupancy import find_known_until
from routing.statistics.windows import Span
from supervisors.reports.agents import describe_known
from supervisors.reports.cells import find_hour
from supervisors.reports.columns import Column, Label, Unit
from supervisors.reports.names import write_span
from supervisors.reports.request import Request
from supervisors.reports.tables import Grid, GridCell, Head, Row, Table

DIMENSIONS: Final = (("weekday", "hour"),)
FILTERS: Final = ("channel",)
LEVELS: Final = 5
"""Shades of a grid."""

Place = tuple[int, int]
"""A weekday, from Monday as 0, and a minute of the day."""


@dataclass(slots=True)
class Hour:
    """An hour of a weekday: how often it came, and what happened in all of them.

    Arguments:
        slots_known: how many of them have slot time.
    """

    times: int = 0
    entered: int = 0
    answered: int = 0
    slots_known: int = 0
    free_ms: int = 0

    @property
    def mean_entered(self) -> float | None:
        """Return how many tasks entered on average."""
        return self.entered / self.times if self.times else None

    @property
    def mean_answered(self) -> float | None:
        """Return how many tasks were answered on average."""
        return self.answered / self.times if self.times else None

    @property
    def mean_free(self) -> float | None:
        """Return how many slots were free on average."""
        return self.free_ms / (self.slots_known * 3_600_000) if self.slots_known else None


def build_table(request: Request) -> Table:
    """Return the rows of weekdays and hours; hours that are not over do not count."""
    span = request.window.span
    hours = _load_hours(request, span)
    earlier = None
    if days := request.earlier_days:
        # A week has each weekday once. A shorter window has other ones a day before.
        is_short = request.window.calendar.shift(span, -7).start > span.end
        earlier = _load_hours(request, request.earlier_span, days_on=days if is_short else 0)
    over = Span(span.start, min(span.end, microseconds(request.now) // MINUTE_US))
    rows = []
    for (day, minute), hour in sorted(hours.items()):
        heads = _build_heads(day, minute, over)
        row = Row(heads=heads, figures=hour, query=request.write_cell(heads, FILTERS))
        if earlier is not None:
            row.before = earlier.get((day, minute)) or Hour()
        rows.append(row)
    columns = list(_COLUMNS) if request.workspace.multi_task_enabled else list(_COLUMNS[:-1])
    grids = [_build_grid(column, hours) for column in columns if column.unit is Unit.NUMBER]
    return Table(columns=columns, rows=rows, grids=grids, notes=list(describe_known(request)))


def _load_hours(request: Request, whole: Span, *, days_on: int = 0) -> dict[Place, Hour]:
    """Return the hours of a span by weekday and time, which may be those of some days later."""
    calendar = request.window.calendar
    now = microseconds(request.now) // MINUTE_US
    intervals = calendar.split(whole, Step.HOUR)
    scope = request.build_scope(intervals, FILTERS)
    stays = agent_reports.count_by_interval(request.workspace, scope)
    times = agent_reports.load_times(scope, ["interval"])
    until = find_known_until(request.workspace)
    known = 0 if until is None else microseconds(until) // MINUTE_US
    hours: dict[Place, Hour] = {}
    for number, span in enumerate(intervals):
        if span.end > now or span.end - span.start != 60:
            continue
        day, minute = find_hour(calendar.find_local(span.start))
        one = hours.setdefault(((day + days_on) % 7, minute), Hour())
        entered, answered = stays.get((number,), (0, 0))
        one.times += 1
        one.entered += entered
        one.answered += answered
        if span.end <= known:
            one.slots_known += 1
            time = times.get((number,))
            one.free_ms += sum(each.free_ms for each in time.channels.values()) if time else 0
    return hours


def _build_heads(day: int, minute: int, over: Span) -> list[Head]:
    """Return what a row is about; `over` is the part of the window that is over."""
    hour = _write_hour(minute)
    return [
        Head(text=str(WEEKDAYS[day]), parameters=(("weekday", str(day)),)),
        Head(text=hour, parameters=(("hour", hour), *write_span(over))),
    ]


def _write_hour(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _build_grid(column: Column, hours: Mapping[Place, Hour]) -> Grid:
    values = {place: column.read(hour) for place, hour in hours.items()}
    highest = max((value for value in values.values() if value is not None), default=0) or 1
    starts = sorted({minute for _day, minute in hours})
    return Grid(
        title=column.title,
        heads=[_write_hour(minute) for minute in starts],
        rows=[
            (
                str(WEEKDAYS[day]),
                [_build_cell(values.get((day, minute)), highest) for minute in starts],
            )
            for day in sorted({day for day, _minute in hours})
        ],
    )


def _build_cell(value: float | None, highest: float) -> GridCell:
    if value is None:
        return GridCell(text="–", level=0)
    level = -(-value * LEVELS // highest)
    text = number_format(value, 1 if value < 100 else 0)
    return GridCell(text=str(text), level=int(level))


def _mean(
    name: str,
    title: Label,
    read: Callable[[Hour], float | None],
    formula: Label,
    opens: str = "",
) -> Column:
    return Column(
        name=name,
        title=title,
        read=read,
        formula=formula,
        unit=Unit.NUMBER,
        opens=opens,
        is_usual=True,
    )


_COLUMNS: Final[Sequence[Column]] = (
    Column(
        name="hours",
        title=gettext_lazy("Hours"),
        read=lambda hour: hour.times,
        formula=gettext_lazy("How often this hour of the week came in the window, and is over."),
        is_usual=True,
    ),
    _mean(
        "mean_entered",
        gettext_lazy("Entered, on average"),
        lambda hour: hour.mean_entered,
        gettext_lazy("Stays that began in these hours ÷ hours."),
        "entered",
    ),
    _mean(
        "mean_answered",
        gettext_lazy("Answered, on average"),
        lambda hour: hour.mean_answered,
        gettext_lazy("Answers in these hours ÷ hours."),
        "answered",
    ),
    _mean(
        "mean_free",
        gettext_lazy("Free slots, on average"),
        lambda hour: hour.mean_free,
        gettext_lazy("Free slot time of these hours ÷ hours with known slots."),
    ),
)
