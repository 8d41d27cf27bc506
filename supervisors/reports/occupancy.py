"""The report *Occupancy*: hours of slots that were busy, free, on offer and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.statistics import agent_reports, occupancy
from routing.statistics.grouping import INTERVAL
from routing.statistics.occupancy import ChannelTime, WorkerTime
from supervisors.durations import format_duration
from supervisors.reports import charts
from supervisors.reports.agents import describe_known
from supervisors.reports.charts import Chart
from supervisors.reports.columns import Column, Label, Unit, format_count, format_value
from supervisors.reports.request import Request
from supervisors.reports.tables import Row, Table

DIMENSIONS: Final = (("interval",), ("channel",), ("interval", "channel"))
FILTERS: Final = ("agent", "channel")


def build_table(request: Request) -> Table:
    """Return the rows of the window, and their total."""
    intervals = request.window.split()
    found = agent_reports.load_times(request.build_scope(intervals, FILTERS), request.columns)
    earlier, before = None, request.split_earlier()
    if request.earlier_days:
        earlier = agent_reports.load_times(request.build_scope(before, FILTERS), request.columns)
    keys = set(found)
    if list(request.by) == [INTERVAL]:
        keys |= {(number,) for number in range(len(intervals))}
    ordered = sorted(keys)
    request.load_names(ordered)
    placed = request.place_earlier(earlier or {}, intervals, before)
    rows = [
        Row(
            heads=request.build_heads(key, intervals),
            figures=found.get(key) or WorkerTime(),
            before=None if earlier is None else placed.get(key) or WorkerTime(),
        )
        for key in ordered
    ]
    total = Row(
        heads=(),
        figures=occupancy.add_up(found.values()),
        before=None if earlier is None else occupancy.add_up(earlier.values()),
    )
    return Table(
        columns=_choose_columns(request),
        rows=rows,
        total=total,
        charts=_draw(request, rows, total.figures),
        notes=list(describe_known(request)),
    )


def _sum(name: str) -> Callable[[WorkerTime], int]:
    return lambda time: sum(getattr(each, name) for each in time.channels.values())


def _slots(name: str, title: Label, formula: Label) -> Column:
    return Column(
        name=name,
        title=title,
        read=_sum(f"{name}_ms"),
        unit=Unit.MS,
        formula=formula,
        is_usual=True,
    )


_KINDS: Final = (
    ("busy", gettext_lazy("Busy"), gettext_lazy("Slots with an accepted or wrapping task.")),
    ("free", gettext_lazy("Free"), gettext_lazy("Slots that could take a task.")),
    ("offered", gettext_lazy("On offer"), gettext_lazy("Slots with a pending offer.")),
    (
        "closed",
        gettext_lazy("Closed"),
        gettext_lazy("Free slots of agents who take no work, or whose channel is off."),
    ),
)
_SLOTS: Final = (
    *(_slots(*each) for each in _KINDS),
    Column(
        name="slot_occupancy",
        title=gettext_lazy("Slot occupancy"),
        read=lambda time: time.slot_occupancy,
        unit=Unit.SHARE,
        formula=gettext_lazy(
            "Slot time busy ÷ (busy + free). Slots on offer and closed ones are left out. A free "
            "slot counts as free also where an expression forbids its use at the time."
        ),
        is_usual=True,
    ),
)
_PEOPLE: Final = (
    Column(
        name="busy_share",
        title=gettext_lazy("Busy share"),
        read=lambda time: time.busy_share,
        unit=Unit.SHARE,
        formula=gettext_lazy("Time with a task in hand ÷ (that + time available with none)."),
        is_usual=True,
    ),
    Column(
        name="in_hand",
        title=gettext_lazy("Time in hand"),
        read=lambda time: time.in_hand_ms,
        unit=Unit.MS,
        formula=gettext_lazy("Time of agents with at least one task in hand."),
    ),
    Column(
        name="idle",
        title=gettext_lazy("Idle time"),
        read=lambda time: time.idle_ms,
        unit=Unit.MS,
        formula=gettext_lazy("Time of agents who were available with no task in hand."),
    ),
)
_CONCURRENCY: Final = Column(
    name="concurrency",
    title=gettext_lazy("Concurrency"),
    read=lambda time: time.concurrency,
    unit=Unit.NUMBER,
    formula=gettext_lazy("Slot time busy ÷ time with a task in hand."),
)


def _choose_columns(request: Request) -> list[Column]:
    """Return the columns; people have no channel, and no slots of channels without multitasking."""
    multi_task = request.workspace.multi_task_enabled
    columns = list(_SLOTS) if multi_task else []
    if "channel" in request.by:
        return columns or list(_PEOPLE)
    return [*_PEOPLE, *columns, *([_CONCURRENCY] if multi_task else [])]


def _draw(request: Request, rows: Sequence[Row], total: WorkerTime) -> list[Chart]:
    whole = ChannelTime()
    for each in total.channels.values():
        whole.add(each)
    if not whole.busy_ms + whole.free_ms or ("channel" in request.by and len(request.by) > 1):
        return []
    share = format_value(Unit.SHARE, total.slot_occupancy)
    labels = [row.heads[0].short or row.heads[0].text for row in rows]

    def write_hours(hours: float) -> str:
        return _("%(hours)s h") % {"hours": format_count(hours)}

    stacks: list[list[tuple[str, float, str]]] = []
    for row, label in zip(rows, labels, strict=True):
        stack = []
        for kind, title, _formula in _KINDS[:-1]:
            hours = _sum(f"{kind}_ms")(row.figures) / 3_600_000
            stack.append((kind, hours, f"{label}: {title} {format_duration(hours * 3600)}"))
        stacks.append(stack)
    chart = Chart(
        name="slots",
        title=gettext_lazy("Slot time"),
        caption=_("Of the open slot time, %(share)s was busy.") % {"share": share},
        legend=[(kind, title) for kind, title, _formula in _KINDS[:-1]],
    )
    drawn = [charts.draw_bars(chart, labels, stacks, write=write_hours)]
    if request.by[0] == INTERVAL:
        drawn.append(_draw_share(rows, labels, share))
    return drawn


def _draw_share(rows: Sequence[Row], labels: Sequence[str], share: str) -> Chart:
    def write(value: Any) -> str:
        return _("%(percent)s %%") % {"percent": f"{value:g}"}

    chart = Chart(
        name="occupancy",
        title=gettext_lazy("Slot occupancy"),
        caption=_("Over the whole window it is %(share)s.") % {"share": share},
    )
    values = [row.figures.slot_occupancy.percent for row in rows]
    return charts.draw_lines(chart, labels, [("level", values, write)], top=100, write=write)
