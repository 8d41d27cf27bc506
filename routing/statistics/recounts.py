"""Count the figures again for which events are kept."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from routing.core.rates import WaitClock
from routing.models import Bookmark, Event, Figure, FigureWait, MetricTotal, Workspace
from routing.models.figures import QUARTER
from routing.statistics import audits, booking, bookkeeper
from routing.statistics.booking import Cells


def recount_figures(*, now: datetime) -> int:
    """Count all quarters again whose events are kept; return how many there were.

    Each quarter is one short transaction, during which nothing is counted in its workspace.
    """
    counted = 0
    for mark in Bookmark.objects.select_related("workspace").order_by("pk"):
        for minute in _list_recountable_quarters(mark):
            _recount_quarter(mark, minute, now)
            counted += 1
        if audits.has_whole_log(mark):
            _replace_totals(mark, now)
    return counted


def _list_recountable_quarters(mark: Bookmark) -> list[int]:
    """Return the quarters all of whose events are kept."""
    start = audits.find_first_covered(mark)
    rows = Event.objects.filter(workspace_sid=mark.workspace.sid).order_by("event_date", "id")
    last = rows.values_list("event_date", flat=True).last()
    if start is None or last is None:
        return []
    return list(range(start, bookkeeper.floor_minute(last) + 1, QUARTER))


def _lock_bookmark(mark: Bookmark) -> Bookmark:
    """Lock a bookmark, so that nothing is counted in its workspace; return it as it is now."""
    rows = Bookmark.objects.select_for_update(of=("self",)).select_related("workspace")
    return rows.get(pk=mark.pk)


def _recount_quarter(mark: Bookmark, minute: int, now: datetime) -> None:
    """Count a quarter again, and add to the totals by how much that changes it."""
    with transaction.atomic():
        mark = _lock_bookmark(mark)
        before = _list_totals(mark.workspace, minute)
        for model in (Figure, FigureWait):
            rows = model._default_manager.filter(workspace=mark.workspace)
            rows.filter(minute__gte=minute, minute__lt=minute + QUARTER).delete()
        cells = booking.count_events(booking.read_events(audits.list_quarter_events(mark, minute)))
        cells.totals.clear()
        bookkeeper.write_cells(mark.workspace, cells, now)
        _add_to_totals(mark, before, _list_totals(mark.workspace, minute), now)


def _replace_totals(mark: Bookmark, now: datetime) -> None:
    """Make the totals what the figures add up to."""
    with transaction.atomic():
        mark = _lock_bookmark(mark)
        stored: Counter[booking.TotalKey] = Counter()
        rows = MetricTotal.objects.filter(workspace=mark.workspace).exclude(measure=audits.OPENING)
        for queue, channel, origin, measure, value in rows.exclude(
            measure__startswith="handled:"
        ).values_list("task_queue_key", "task_channel_key", "origin", "measure", "value"):
            stored[queue, channel, origin, measure] = value
        _add_to_totals(mark, stored, _list_totals(mark.workspace, None), now)


def _add_to_totals(
    mark: Bookmark,
    before: Counter[booking.TotalKey],
    after: Counter[booking.TotalKey],
    now: datetime,
) -> None:
    cells = Cells()
    for key in before.keys() | after.keys():
        if after[key] != before[key]:
            cells.totals[key] = after[key] - before[key]
    bookkeeper.write_cells(mark.workspace, cells, now)


def _list_totals(workspace: Workspace, minute: int | None) -> Counter[booking.TotalKey]:
    """Return what the stored figures and waits are in the totals: of a quarter, or all."""
    found: Counter[booking.TotalKey] = Counter()
    span: dict[str, Any] = {"workspace": workspace}
    if minute is not None:
        span |= {"minute__gte": minute, "minute__lt": minute + QUARTER}
    _, names = bookkeeper.split_columns(Figure)
    columns = ("task_queue_key", "task_channel_key", "origin")
    grouped = Figure.objects.filter(**span).order_by().values_list(*columns)
    for queue, channel, origin, *sums in grouped.annotate(**{f"s_{n}": Sum(n) for n in names}):
        for name, value in zip(names, sums, strict=True):
            found[queue, channel, origin, name] += int(value)
    waits = FigureWait.objects.filter(clock=WaitClock.CREATION.value, **span).order_by()
    by_place = waits.values_list("task_queue_key", "task_channel_key", "end", "place")
    for queue, channel, end, place, tasks, total in by_place.annotate(
        Sum("tasks"), Sum("total_ms")
    ):
        found[queue, channel, "", f"{end}_wait:{place}"] += int(tasks)
        found[queue, channel, "", f"{end}_wait_ms"] += int(total)
    return found
