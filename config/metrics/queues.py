"""Metrics of queues: of those with most tasks ever, each its own, and of all others together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Sum

from config.metrics import catalog
from config.metrics.floor import age_seconds, put_tasks
from config.metrics.sheet import Sheet
from routing import sids
from routing.core.rates import Ratio
from routing.core.stays import StayEnd
from routing.models import MetricTotal, Workspace
from supervisors.picture import Picture, free_channels

OTHER: Final = "other"
"""The label of the queues that have no metrics of their own, and of tasks without a queue."""

Floors = Sequence[tuple[Workspace, Picture]]


class _Total(NamedTuple):
    """A count of a queue since the first event."""

    workspace: int
    queue: int
    measure: str
    value: int


def add_queues(sheet: Sheet, floors: Floors, *, most: int, now: datetime) -> None:
    """Add the queues of all workspaces.

    Arguments:
        most: how many queues get metrics of their own.
    """
    totals = _read_totals([workspace.pk for workspace, _ in floors])
    named = _choose(floors, totals, most)
    for workspace, picture in floors:
        _add_picture(sheet, workspace.sid, picture, named, now)
    labels = {
        (workspace.pk, sids.index_key(queue.sid)): _label(queue.sid, named)
        for workspace, picture in floors
        for queue in picture.setup.queues.values()
    }
    of_pk = {workspace.pk: workspace.sid for workspace, _ in floors}
    for total in totals:
        if total.measure in _ENDS:
            # What a deleted queue has counted stays in the sum of the others.
            label = labels.get((total.workspace, total.queue), OTHER)
            sid = of_pk[total.workspace]
            sheet.put(catalog.QUEUE_STAYS_ENDED, total.value, sid, label, total.measure)


_ENDS: Final = frozenset(end.value for end in StayEnd)


def _read_totals(workspaces: Collection[int]) -> list[_Total]:
    rows = MetricTotal.objects.filter(workspace__in=workspaces, measure__in=["entered", *_ENDS])
    grouped = rows.order_by().values_list("workspace", "task_queue_key", "measure")
    return [
        _Total(pk, queue, measure, int(value))
        for pk, queue, measure, value in grouped.annotate(Sum("value"))
    ]


def _choose(floors: Floors, totals: Sequence[_Total], most: int) -> frozenset[str]:
    """Return the sids of the queues with most tasks ever; of equal ones, the oldest."""
    entered = {
        (total.workspace, total.queue): total.value
        for total in totals
        if total.measure == "entered"
    }
    ranked = sorted(
        (-entered.get((workspace.pk, sids.index_key(queue.sid)), 0), queue.id, queue.sid)
        for workspace, picture in floors
        for queue in picture.setup.queues.values()
    )
    return frozenset(sid for *_, sid in ranked[:most])


def _label(sid: str, named: Collection[str]) -> str:
    return sid if sid in named else OTHER


def _add_picture(
    sheet: Sheet, workspace: str, picture: Picture, named: Collection[str], now: datetime
) -> None:
    setup = picture.setup
    label = {pk: _label(queue.sid, named) for pk, queue in setup.queues.items()}
    levels: dict[str, Ratio] = {}
    for pk, queue in setup.queues.items():
        if label[pk] != OTHER:
            staff = picture.staff_of(pk)
            sheet.put(catalog.QUEUE_INFO, 1, workspace, queue.sid, queue.name)
            sheet.put(catalog.QUEUE_WORKERS, staff.workers, workspace, queue.sid)
            sheet.put(catalog.QUEUE_FREE_WORKERS, staff.free, workspace, queue.sid)
    others = frozenset(pk for pk in setup.queues if label[pk] == OTHER)
    if others:
        _add_other_staff(sheet, workspace, picture, others)
    for (pk, channel), tasks in picture.tasks.items():
        if channel not in setup.channels:
            continue
        place = workspace, label.get(pk, OTHER), setup.channels[channel].unique_name
        put_tasks(sheet, catalog.QUEUE_TASKS, tasks, *place)
        longest = picture.longest.get((pk, channel))
        seconds = age_seconds(longest.since_us, now) if longest else 0.0
        sheet.put(catalog.QUEUE_LONGEST_WAIT, seconds, *place)
    for (pk, _), recent in picture.recent.items():
        name = label.get(pk, OTHER)
        levels[name] = levels.get(name, Ratio()) + recent.level
    for name, level in levels.items():
        if level.whole:
            sheet.put(catalog.QUEUE_SERVICE_LEVEL, level.part / level.whole, workspace, name)


def _add_other_staff(
    sheet: Sheet, workspace: str, picture: Picture, others: frozenset[int]
) -> None:
    """Add the workers of the other queues, each once."""
    serving = [each for each in picture.workers.values() if each.serves & others]
    multi_task = picture.setup.multi_task
    free = sum(bool(free_channels(each, multi_task=multi_task)) for each in serving)
    sheet.put(catalog.QUEUE_INFO, 1, workspace, OTHER, OTHER)
    sheet.put(catalog.QUEUE_WORKERS, len(serving), workspace, OTHER)
    sheet.put(catalog.QUEUE_FREE_WORKERS, free, workspace, OTHER)
