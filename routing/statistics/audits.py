"""Check the figures against rows and events.

Everything is read from the caller's snapshot, in which rows and events agree.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Count, Q, Sum

from routing import sids
from routing.core.clock import moment
from routing.core.event_catalog import EventType
from routing.core.stays import StayEnd
from routing.core.vocabulary import AssignmentStatus, TransferStatus
from routing.db.consistent import consistent_snapshot
from routing.models import (
    Bookmark,
    Event,
    Events,
    Figure,
    FigureWait,
    MetricTotal,
    Task,
    Transfer,
    Workspace,
)
from routing.models.figures import QUARTER
from routing.statistics import booking, bookkeeper
from routing.statistics.booking import MINUTE_US, Cells

CELLS: Final = 200
"""Cells of a queue, a channel and a quarter that an audit counts again."""
QUARTERS: Final = 8
"""Quarters from which they are chosen; all events of a quarter are read."""
OPENING: Final = "opening"
"""The measure of tasks that had entered before the oldest event."""

_MOST_UNREAD: Final = 100_000
_ENDS: Final = tuple(end.value for end in StayEnd)
_SIGNS: Final = {
    **dict.fromkeys(("entered", "channel_entered", OPENING), 1),
    **dict.fromkeys(_ENDS, -1),
}
Pair = tuple[int, int]
"""The key of a queue, and that of a channel."""


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A queue and channel of which the books say another number of waiting tasks."""

    pair: Pair
    booked: int
    there: int


def find_problems(*, seed: int | None = None) -> Iterator[str]:
    """Yield a sentence for every book that does not balance and every wrong figure.

    Arguments:
        seed: of the random choice of figures.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    for mark in Bookmark.objects.select_related("workspace").order_by("pk"):
        if mark.has_opening:
            for found in find_imbalances(mark):
                yield (
                    f"workspace {mark.workspace.sid}: by the books {found.booked} tasks wait in"
                    f" {_describe_pair(mark.workspace, found.pair)}; there are {found.there}"
                )
        yield from _find_wrong_cells(mark, chance)


def find_imbalances(mark: Bookmark) -> list[Imbalance]:
    """Compare what entered and ended with what waits, for every queue and channel."""
    booked: Counter[Pair] = Counter()
    totals = MetricTotal.objects.filter(workspace=mark.workspace, measure__in=_SIGNS)
    rows = totals.exclude(task_queue_key=0).order_by()
    for queue, channel, measure, value in rows.values_list(
        "task_queue_key", "task_channel_key", "measure"
    ).annotate(Sum("value")):
        booked[queue, channel] += _SIGNS[measure] * int(value)
    unread = Event.objects.filter(workspace_sid=mark.workspace.sid).after_place(
        mark.transaction_id, mark.event_id
    )
    # The end of the log is not settled yet, but this snapshot has it.
    events = booking.read_events(unread.order_by("transaction_id", "id")[:_MOST_UNREAD])
    for (queue, channel, _, measure), value in booking.count_events(events).totals.items():
        if queue and measure in _SIGNS:
            booked[queue, channel] += _SIGNS[measure] * value
    there = count_waiting(mark.workspace)
    return [
        Imbalance(pair, booked[pair], there[pair])
        for pair in sorted(booked.keys() | there.keys())
        if booked[pair] != there[pair]
    ]


def count_waiting(workspace: Workspace) -> Counter[Pair]:
    """Return how many tasks are pending or on offer, and not being transferred."""
    waiting = [AssignmentStatus.PENDING, AssignmentStatus.RESERVED]
    moving = Transfer.objects.filter(
        workspace=workspace, transfer_status=TransferStatus.INITIATED.value
    )
    rows = Task.objects.filter(workspace=workspace, task_queue__isnull=False)
    rows = rows.filter(assignment_status__spelled=waiting).exclude(pk__in=moving.values("task"))
    counted = rows.order_by().values_list("task_queue__sid", "task_channel__sid")
    return Counter(
        {
            (sids.index_key(queue or ""), sids.index_key(channel)): tasks
            for queue, channel, tasks in counted.annotate(Count("pk"))
        }
    )


def open_books(mark: Bookmark, imbalances: list[Imbalance]) -> None:
    """Book tasks that had entered before the oldest event, or before the log told all of it."""
    with transaction.atomic():
        if not Bookmark.objects.filter(pk=mark.pk, has_opening=False).update(has_opening=True):
            return
        MetricTotal.objects.bulk_create(
            MetricTotal(
                workspace=mark.workspace,
                task_queue_key=each.pair[0],
                task_channel_key=each.pair[1],
                measure=OPENING,
                value=each.there - each.booked,
            )
            for each in imbalances
        )


def open_old_books() -> None:
    """Open the books of workspaces that are older than the bookkeeper, once all is read."""
    for mark in Bookmark.objects.filter(has_opening=False).select_related("workspace"):
        with consistent_snapshot():
            mark.refresh_from_db()
            unread = bookkeeper.list_unread_events(mark.workspace, mark)
            imbalances = None if unread.exists() else find_imbalances(mark)
        if imbalances is not None:
            open_books(mark, imbalances)


def _describe_pair(workspace: Workspace, pair: Pair) -> str:
    """Return a queue and a channel in words."""
    queues = {
        sids.index_key(sid): sid for sid in workspace.task_queues.values_list("sid", flat=True)
    }
    channels = dict(workspace.task_channels.values_list("sid", "unique_name"))
    names = {sids.index_key(sid): name for sid, name in channels.items()}
    queue = queues.get(pair[0], f"a deleted queue ({pair[0]})")
    return f"queue {queue}, channel {names.get(pair[1], f'of key {pair[1]}')}"


Cell = tuple[int, int, str, str]
"""Queue, channel, origin and the measure."""


def _find_wrong_cells(mark: Bookmark, chance: random.Random) -> Iterator[str]:
    """Count some figures again from the events of their quarters."""
    quarters = list_covered_quarters(mark)
    chosen = chance.sample(quarters, min(QUARTERS, len(quarters)))
    for minute in sorted(chosen):
        stored, right = read_cells(mark.workspace, minute), count_quarter(mark, minute)
        pairs = sorted({cell[:2] for cell in stored.keys() | right.keys()})
        some = set(chance.sample(pairs, min(CELLS // QUARTERS, len(pairs))))
        for cell in sorted(stored.keys() | right.keys()):
            if cell[:2] in some and stored[cell] != right[cell]:
                *_, origin, measure = cell
                by = f" by {origin}" if origin else ""
                yield (
                    f"workspace {mark.workspace.sid}: in the quarter from"
                    f" {_find_moment(minute):%Y-%m-%dT%H:%MZ}, {measure}{by} of"
                    f" {_describe_pair(mark.workspace, cell[:2])} is {stored[cell]}; the events"
                    f" say {right[cell]}"
                )


def list_covered_quarters(mark: Bookmark) -> list[int]:
    """Return the beginnings of the quarters that have figures, and all of whose events are kept."""
    first = find_first_covered(mark)
    if first is None:
        return []
    rows = Figure.objects.filter(workspace=mark.workspace, minute__gte=first).order_by()
    minutes = rows.values_list("minute", flat=True).distinct()
    return sorted({minute - minute % QUARTER for minute in minutes})


def find_first_covered(mark: Bookmark) -> int | None:
    """Return the first quarter all of whose events are kept."""
    rows = Event.objects.filter(workspace_sid=mark.workspace.sid).order_by("event_date", "id")
    oldest = rows.values_list("event_date", flat=True).first()
    if oldest is None:
        return None
    return bookkeeper.floor_minute(oldest) + (0 if has_whole_log(mark) else QUARTER)


def has_whole_log(mark: Bookmark) -> bool:
    """Return whether no event of the workspace was deleted: the first one began its log."""
    rows = Event.objects.filter(workspace_sid=mark.workspace.sid).order_by("event_date", "id")
    kinds = rows.values_list("event_type", flat=True)
    return kinds.first() == EventType.WORKSPACE_CREATED


def read_cells(workspace: Workspace, minute: int) -> Counter[Cell]:
    """Return the stored figures and waits of a quarter."""
    found: Counter[Cell] = Counter()
    span = {"workspace": workspace, "minute__gte": minute, "minute__lt": minute + QUARTER}
    _, names = bookkeeper.split_columns(Figure)
    rows = Figure.objects.filter(**span).order_by()
    grouped = rows.values_list("task_queue_key", "task_channel_key", "origin")
    for queue, channel, origin, *sums in grouped.annotate(**{f"s_{n}": Sum(n) for n in names}):
        for name, value in zip(names, sums, strict=True):
            _add_to(found, (queue, channel, origin, name), int(value))
    waits = FigureWait.objects.filter(**span).values_list(
        *("task_queue_key", "task_channel_key", "origin", "end", "clock", "place"),
        *("tasks", "total_ms"),
    )
    for queue, channel, origin, end, clock, place, tasks, total in waits:
        _add_wait(found, (queue, channel, origin), end, clock, place, tasks, total)
    return found


def count_quarter(mark: Bookmark, minute: int) -> Counter[Cell]:
    """Return the figures and waits of a quarter, from its events up to the bookmark."""
    cells = booking.count_events(booking.read_events(list_quarter_events(mark, minute)))
    return _flatten(cells)


def list_quarter_events(mark: Bookmark, minute: int) -> Events:
    """Return the counted events of a quarter."""
    until = Q(transaction_id__lt=mark.transaction_id) | Q(
        transaction_id=mark.transaction_id, id__lte=mark.event_id
    )
    found: Events = Event.objects.filter(
        until,
        workspace_sid=mark.workspace.sid,
        event_date__gte=_find_moment(minute),
        event_date__lt=_find_moment(minute + QUARTER),
    )
    return found


def _find_moment(minute: int) -> datetime:
    return moment(minute * MINUTE_US)


def _flatten(cells: Cells) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for (_, queue, _, _, channel, origin), counts in cells.figures.items():
        for name, value in counts.items():
            _add_to(found, (queue, channel, origin, name), value)
    for (_, queue, _, channel, origin, end, clock, place), (tasks, total) in cells.waits.items():
        _add_wait(found, (queue, channel, origin), end, clock, place, tasks, total)
    return found


def _add_wait(
    found: Counter[Cell],
    of: tuple[int, int, str],
    end: str,
    clock: str,
    place: int,
    tasks: int,
    total: int,
) -> None:
    _add_to(found, (*of, f"{end} after a wait by {clock} at place {place}"), tasks)
    _add_to(found, (*of, f"ms until {end} by {clock} at place {place}"), total)


def _add_to(found: Counter[Cell], cell: Cell, value: int) -> None:
    if value:
        found[cell] += value
