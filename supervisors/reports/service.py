"""The report *Service*: stays, waits and offers by interval, queue, channel or workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from routing.core.rates import WaitClock
from routing.db.consistent import consistent_snapshot
from routing.statistics import exact_waits, service_reports
from routing.statistics.figures import Pair
from routing.statistics.grouping import INTERVAL
from routing.statistics.service_reports import Key, Service, Targets
from routing.statistics.windows import Span
from supervisors.reports import service_charts
from supervisors.reports.columns import format_count
from supervisors.reports.names import COLUMNS
from supervisors.reports.request import Request
from supervisors.reports.service_columns import list_columns
from supervisors.reports.tables import Row, Table

DIMENSIONS: Final = (
    ("queue",),
    ("interval",),
    ("channel",),
    ("workflow",),
    ("queue", "channel"),
    ("interval", "queue"),
)
FILTERS: Final = ("queue", "channel", "workflow")


def build_table(request: Request) -> Table:
    """Return the rows of the window, and their total."""
    clock = _choose_clock(request)
    targets = service_reports.load_targets(request.workspace)
    intervals = request.window.split()
    with consistent_snapshot():
        found = _load(request, intervals, targets, clock)
        waiting = _count_waiting(request)
        earlier = _load_earlier(request, intervals, targets, clock)
    keys = _list_keys(request, intervals, found, waiting)
    services = {key: found.get(key) or Service() for key in keys}
    if waiting is not None:
        _balance(request, services, waiting)
    request.load_names(keys)
    rows = []
    for key, service in services.items():
        heads = request.build_heads(key, intervals)
        row = Row(heads=heads, figures=service)
        row.query = request.write_cell(heads, FILTERS)
        if earlier is not None:
            row.before = earlier[0].get(key) or Service()
        rows.append(row)
    if INTERVAL not in request.by:
        rows.sort(key=lambda row: [head.text.casefold() for head in row.heads])
    total = Row(
        heads=(),
        figures=service_reports.add_up(found.values()),
        before=None if earlier is None else earlier[1],
        query=request.write_cell((), FILTERS),
    )
    if waiting is not None:
        total.figures.before = waiting.total() - total.figures.figures.net_entered
    is_exact = total.figures.is_exact and (earlier is None or earlier[1].is_exact)
    return Table(
        columns=list_columns(clock, is_exact=is_exact),
        notes=[] if is_exact else [_describe_estimates()],
        rows=rows,
        total=total,
        charts=service_charts.draw_charts(request, rows, total.figures),
    )


def _describe_estimates() -> str:
    return _(
        "Percentiles with ≈ are estimated from counts by length of wait. They are exact for at "
        "most %(answers)s answers, all of them within the last %(days)d days."
    ) % {"answers": format_count(exact_waits.MOST_EXACT), "days": settings.TASK_RETENTION_DAYS}


def _choose_clock(request: Request) -> WaitClock:
    """Return the clock of waits: since entering a queue, where the rows are about queues."""
    about_queues = "queue" in request.by or request.query.queue
    return WaitClock.QUEUE if about_queues else WaitClock.CREATION


def _load(
    request: Request, intervals: Sequence[Span], targets: Targets, clock: WaitClock
) -> dict[Key, Service]:
    scope = request.build_scope(intervals, FILTERS)
    by = request.columns
    found = service_reports.load_service(scope, by, targets=targets, clock=clock)
    exact_waits.set_exact_waits(found, scope, by, clock=clock, now=request.now)
    return found


def _load_earlier(
    request: Request, intervals: Sequence[Span], targets: Targets, clock: WaitClock
) -> tuple[Mapping[Key, Service], Service] | None:
    """Return the rows of the window for comparison by the keys of the window, and their total."""
    if not request.earlier_days:
        return None
    before = request.split_earlier()
    found = _load(request, before, targets, clock)
    total = service_reports.add_up(found.values())
    return request.place_earlier(found, intervals, before), total


def _count_waiting(request: Request) -> Counter[Key] | None:
    """Return what waited when the window ended, by the keys of rows without their interval.

    None where the books do not tell it.
    """
    if "workflow" in request.by or request.query.workflow:
        return None
    counted = service_reports.count_waiting_at(request.workspace, request.window.span.end)
    if counted is None:
        return None
    only = request.build_scope([request.window.span], FILTERS).only
    columns = (COLUMNS["queue"], COLUMNS["channel"])
    waiting: Counter[Key] = Counter()
    for pair, tasks in counted.items():
        chosen = zip(columns, pair, strict=True)
        if tasks and all(column not in only or value in only[column] for column, value in chosen):
            waiting[_group(request, pair)] += tasks
    return waiting


def _list_keys(
    request: Request,
    intervals: Sequence[Span],
    found: Mapping[Key, Service],
    waiting: Counter[Key] | None,
) -> list[Key]:
    """Return the keys of the rows: all intervals, and where something happened or waited."""
    keys = set(found)
    if list(request.by) == [INTERVAL]:
        keys |= {(number,) for number in range(len(intervals))}
    elif INTERVAL not in request.by and waiting is not None:
        keys |= waiting.keys()
    return sorted(keys)


def _group(request: Request, pair: Pair) -> Key:
    """Return a queue and a channel as a key of rows, without the interval."""
    values = dict(zip(("queue", "channel"), pair, strict=True))
    return tuple(values[name] for name in request.by if name != INTERVAL)


def _balance(request: Request, rows: dict[Key, Service], waiting: Counter[Key]) -> None:
    """Set what waited before each row, from what waited at the end, the last row first."""
    running = Counter(waiting)
    places = [place for place, name in enumerate(request.by) if name != INTERVAL]
    for key, service in reversed(rows.items()):
        group = tuple(key[place] for place in places)
        running[group] -= service.figures.net_entered
        service.before = running[group]
