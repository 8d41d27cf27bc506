"""The bookkeeper: it reads the event log from its bookmark and adds to the figures.

Each batch writes figures and bookmark in one transaction, so each event counts exactly once,
whichever line the process dies at. The bookmark is moved by a conditional update first: of two
bookkeepers with the same batch, one finds it moved and drops its own. Events are read before that
transaction, because a transaction that writes holds the end of the log back while it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from routing.core.clock import microseconds
from routing.db.sql import figures as sql
from routing.models import Bookmark, Event, Events, Figure, FigureWait, MetricTotal, Workspace
from routing.models.figures import MINUTE, QUARTER
from routing.statistics import booking
from routing.statistics.booking import MINUTE_US, BookedEvent, Cells

BATCH: Final = 1_000
"""Most events that one transaction counts."""
MINUTES_KEPT: Final = timedelta(hours=2)
"""How long single minutes are kept before they are folded into quarters."""
SECONDS_PER_RUN: Final = 0.5
"""Seconds after which a run stops, so that other jobs get their turn."""

_ROWS_PER_STATEMENT: Final = 100
BEFORE_ALL: Final = -(2**62)
"""A transaction id before those of all events, restored ones too."""


def list_unread_workspaces() -> list[Workspace]:
    """Return the workspaces with events that are settled and not counted yet."""
    place, event = OuterRef("bookmark__transaction_id"), OuterRef("bookmark__event_id")
    log = Event.objects.filter(workspace_sid=OuterRef("sid")).settled()
    # Two conditions, as in `read_unread_events`.
    same = Exists(log.filter(transaction_id=place, id__gt=event))
    later = Exists(log.filter(transaction_id__gt=place))
    rows = Workspace.objects.filter(Q(bookmark=None) | same | later)
    return list(rows.order_by("pk"))


def keep_books(*, now: datetime, seconds: float = SECONDS_PER_RUN) -> int:
    """Count what is new in every workspace, for a limited time; return how many events."""
    end = time.monotonic() + seconds
    counted = 0
    waiting = list_unread_workspaces()
    while waiting and time.monotonic() < end:
        # One batch of each in turn, so that a busy workspace does not hold up the others.
        unfinished = []
        for workspace in waiting:
            batch = count_batch(workspace, now=now)
            counted += batch
            if batch == BATCH:
                unfinished.append(workspace)
            if time.monotonic() >= end:
                break
        waiting = unfinished
    return counted


def count_batch(workspace: Workspace, *, now: datetime, limit: int = BATCH) -> int:
    """Count the next events of a workspace; return how many were read.

    Returns 0 also when another bookkeeper has counted them.
    """
    mark = find_or_create_bookmark(workspace)
    events = read_unread_events(workspace, mark, limit)
    if not events:
        return 0
    cells = booking.count_events(events)
    with transaction.atomic():
        if not _move_bookmark(mark, events[-1]):
            return 0
        write_cells(workspace, cells, now)
    return len(events)


def find_or_create_bookmark(workspace: Workspace) -> Bookmark:
    """Return the bookmark of a workspace; a new one stands before the oldest event."""
    found = Bookmark.objects.filter(workspace=workspace).first()
    if found is not None:
        return found
    Bookmark.objects.bulk_create(
        [Bookmark(workspace=workspace, transaction_id=BEFORE_ALL, event_id=0, has_opening=True)],
        ignore_conflicts=True,
    )
    return Bookmark.objects.get(workspace=workspace)


def read_unread_events(workspace: Workspace, mark: Bookmark, limit: int) -> list[BookedEvent]:
    """Read the first settled events after a bookmark, in the order of the log.

    The rest of the bookmark's own transaction is read first, then later ones. SQLite searches its
    index by the transaction alone when both stand in one condition. As all of its events have
    transaction 0, it would walk over the whole log before the bookmark.
    """
    log = Event.objects.filter(workspace_sid=workspace.sid).settled()
    same = log.filter(transaction_id=mark.transaction_id, id__gt=mark.event_id)
    events = booking.read_events(same.order_by("id")[:limit])
    if len(events) < limit:
        later = log.filter(transaction_id__gt=mark.transaction_id)
        rest = later.order_by("transaction_id", "id")[: limit - len(events)]
        events += booking.read_events(rest)
    return events


def list_unread_events(workspace: Workspace, mark: Bookmark) -> Events:
    """Return the settled events after a bookmark, in the order of the log."""
    log = Event.objects.filter(workspace_sid=workspace.sid).after_place(
        mark.transaction_id, mark.event_id
    )
    found: Events = log.settled().order_by("transaction_id", "id")
    return found


def _move_bookmark(mark: Bookmark, last: BookedEvent) -> bool:
    """Move a bookmark to an event; return False if it does not stand where it was read."""
    moved = Bookmark.objects.filter(
        pk=mark.pk, transaction_id=mark.transaction_id, event_id=mark.event_id
    ).update(transaction_id=last.transaction_id, event_id=last.id, date_counted=last.event_date)
    return bool(moved)


def write_cells(workspace: Workspace, cells: Cells, now: datetime) -> None:
    """Add cells to the tables; what is older than minutes are kept goes into quarters at once."""
    oldest = find_fold_minute(now)
    _add(
        Figure,
        (
            {"minute": start, "length": length, **dict(zip(_FIGURE_KEYS, key[1:], strict=True))}
            | counts
            for key, counts in cells.figures.items()
            for start, length in [_find_interval(key[0], oldest)]
        ),
        workspace,
    )
    _add(
        FigureWait,
        (
            {"minute": start, "length": length, **dict(zip(_WAIT_KEYS, key[1:], strict=True))}
            | {"tasks": count, "total_ms": total}
            for key, (count, total) in cells.waits.items()
            for start, length in [_find_interval(key[0], oldest)]
        ),
        workspace,
    )
    _add(
        MetricTotal,
        (
            dict(zip(_TOTAL_KEYS, key, strict=True)) | {"value": value}
            for key, value in cells.totals.items()
        ),
        workspace,
    )


_FIGURE_KEYS: Final = (
    *("task_queue_key", "workflow_key", "worker_key", "task_channel_key", "origin"),
)
_WAIT_KEYS: Final = (
    *("task_queue_key", "workflow_key", "task_channel_key", "origin"),
    *("end", "clock", "place"),
)
_TOTAL_KEYS: Final = ("task_queue_key", "task_channel_key", "origin", "measure")


def find_fold_minute(now: datetime) -> int:
    """Return the minute before which figures are in quarters: a multiple of 15."""
    return floor_minute(now - MINUTES_KEPT)


def floor_minute(moment: datetime, length: int = QUARTER) -> int:
    """Return the beginning of a moment's interval, in minutes since 1970."""
    minute = microseconds(moment) // MINUTE_US
    return minute - minute % length


def _find_interval(minute: int, oldest: int) -> tuple[int, int]:
    """Return the beginning and the length of the interval to which a minute is added."""
    return (minute, MINUTE) if minute >= oldest else (minute - minute % QUARTER, QUARTER)


def _add(
    model: type[models.Model], cells: Iterable[Mapping[str, Any]], workspace: Workspace
) -> None:
    """Add cells to a table; cells of one place become one, as a statement may touch a row once."""
    keys, sums = split_columns(model)
    merged: dict[tuple[Any, ...], list[int]] = {}
    for cell in cells:
        key = (workspace.pk, *(cell[name] for name in keys[1:]))
        added = [cell.get(name, 0) for name in sums]
        known = merged.get(key)
        merged[key] = added if known is None else [a + b for a, b in zip(known, added, strict=True)]
    # In the order of the keys, so that two writers never wait for each other in a circle.
    rows = sorted(merged.items())
    table = model._meta.db_table
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            chunk = rows[start : start + _ROWS_PER_STATEMENT]
            text = sql.add_to_cells(table, keys, sums, len(chunk))
            cursor.execute(text, [value for key, added in chunk for value in (*key, *added)])


def split_columns(model: type[models.Model]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the columns that make a cell unique, and those that are added up."""
    (constraint,) = model._meta.constraints
    assert isinstance(constraint, models.UniqueConstraint)
    columns = [str(field.column) for field in model._meta.concrete_fields if field.name != "id"]
    keys = ["workspace_id" if name == "workspace" else name for name in constraint.fields]
    return keys, [name for name in columns if name not in keys]


def fold_minutes(*, now: datetime) -> int:
    """Fold the minutes that are no longer needed into quarters; return in how many workspaces."""
    before = find_fold_minute(now)
    due = Bookmark.objects.filter(folded_minute__lt=before).order_by("pk")
    done = 0
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            # The conditional update locks the bookmark: nothing is counted during the folding.
            moved = Bookmark.objects.filter(pk=pk, folded_minute__lt=before)
            if not moved.update(folded_minute=before):
                continue
            workspace_id = Bookmark.objects.values_list("workspace_id", flat=True).get(pk=pk)
            for model in (Figure, FigureWait):
                _fold(model, workspace_id, before)
        done += 1
    return done


def _fold(model: type[models.Model], workspace_id: int, before: int) -> None:
    keys, sums = split_columns(model)
    with connection.cursor() as cursor:
        cursor.execute(sql.fold_minutes(model._meta.db_table, keys, sums), [workspace_id, before])
    rows = model._default_manager.filter(workspace_id=workspace_id, length=MINUTE)
    rows.filter(minute__lt=before).delete()


def measure_lag(*, now: datetime) -> float:
    """Return for how many seconds the oldest settled event that is not counted has waited."""
    oldest = None
    for workspace in list_unread_workspaces():
        mark = Bookmark.objects.filter(workspace=workspace).first()
        rows: Events = Event.objects.filter(workspace_sid=workspace.sid)
        if mark is not None:
            rows = list_unread_events(workspace, mark)
        dates = rows.order_by("transaction_id", "id").values_list("event_date", flat=True)
        found = dates.first()
        if found is not None and (oldest is None or found < oldest):
            oldest = found
    return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)
