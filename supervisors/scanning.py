"""Read tasks along an index, and filter them: a bounded number of rows for each page."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet

from routing import models
from routing.core.clock import microseconds, moment
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus as S

MOST_ROWS: Final = 10_000
"""The number of tasks that one page looks at."""
MOST_SECONDS: Final = 1.0
"""The time after which a page looks at no more tasks."""
MOST_PARTS: Final = 20
"""The number of queues and channels over which an order is merged."""
LARGEST_CHUNK: Final = 1_000

ALIVE: Final = frozenset((S.PENDING, S.RESERVED, S.ASSIGNED, S.WRAPPING))
FINISHED: Final = frozenset((S.COMPLETED, S.CANCELED))
WAITING: Final = frozenset((S.PENDING,))

Key = tuple[int, ...]
Keep = Callable[["Row"], bool]


class Row(NamedTuple):
    """A task as it is read."""

    id: int
    sid: str
    status: str
    queue: int | None
    channel: int
    workflow: int | None
    priority: int
    created: datetime
    entered: datetime | None
    finished: datetime | None
    served_us: int
    expires_us: int
    step_us: int | None
    attributes: str
    version: int


_COLUMNS: Final = (
    *("id", "sid", "assignment_status", "task_queue_id", "task_channel_id", "workflow_id"),
    *("priority", "date_created", "task_queue_entered_date", "date_finished"),
    *("virtual_start_us", "expires_us", "step_deadline_us", "attributes", "version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of tasks, each along an index.

    Arguments:
        columns: the columns of the key, the id last; a minus stands for falling values.
        read: returns the key of a row.
        statuses: those that the index has; a page in this order shows no others.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Row], Key]
    statuses: frozenset[S]


def _entered(row: Row) -> int:
    return microseconds(row.entered or row.created)


ORDERS: Final[Mapping[str, Order]] = {
    order.name: order
    for order in (
        Order(
            name="oldest",
            columns=("date_created", "id"),
            read=lambda row: (microseconds(row.created), row.id),
            statuses=ALIVE,
        ),
        Order(
            name="served",
            columns=("-priority", "virtual_start_us", "id"),
            read=lambda row: (row.priority, row.served_us, row.id),
            statuses=WAITING,
        ),
        Order(
            name="in_queue",
            columns=("task_queue_entered_date", "id"),
            read=lambda row: (_entered(row), row.id),
            statuses=WAITING,
        ),
        Order(
            name="step",
            columns=("step_deadline_us", "id"),
            read=lambda row: (row.step_us or 0, row.id),
            statuses=WAITING,
        ),
        Order(
            name="lifetime",
            columns=("expires_us", "id"),
            read=lambda row: (row.expires_us, row.id),
            statuses=frozenset((S.PENDING, S.RESERVED)),
        ),
        Order(
            name="newest",
            columns=("-date_created", "-id"),
            read=lambda row: (microseconds(row.created), row.id),
            statuses=ALIVE | FINISHED,
        ),
        Order(
            name="finished",
            columns=("-event_date", "-id"),
            read=lambda row: (),
            statuses=FINISHED,
        ),
    )
}
"""The orders by name; the first is the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rows of one page.

    Arguments:
        rows: the rows that match, in order.
        next: the key after which the next page begins; None at the end.
        looked_at: the number of tasks that were read.
        is_cut: whether the limits ended the search before the page was full.
    """

    rows: Sequence[Row]
    next: Key | None
    looked_at: int
    is_cut: bool


Chunk = list[tuple[Key, Row | None]]
Load = Callable[[Key | None, int], Chunk]


def scan_tasks(load: Load, keep: Keep, *, after: Key | None, size: int) -> Found:
    """Return the next rows that match.

    Arguments:
        load: returns the next keys in order, with their rows; without a row where it is gone.
    """
    rows: list[Row] = []
    seen, place, count = 0, after, size + 1
    begun = time.monotonic()
    while True:
        wanted = min(count, MOST_ROWS - seen)
        chunk = load(place, wanted)
        for key, row in chunk:
            if row is not None and keep(row):
                if len(rows) == size:
                    return Found(rows=rows, next=place, looked_at=seen, is_cut=False)
                rows.append(row)
            seen, place = seen + 1, key
        if len(chunk) < wanted:
            return Found(rows=rows, next=None, looked_at=seen, is_cut=False)
        if seen >= MOST_ROWS or time.monotonic() - begun > MOST_SECONDS:
            return Found(rows=rows, next=place, looked_at=seen, is_cut=True)
        count = min(count * 2, LARGEST_CHUNK)


def load_along(order: Order, parts: Sequence[QuerySet[models.Task]]) -> Load:
    """Return how rows are loaded in an order, merged from parts that have an index each."""
    falls = [column.startswith("-") for column in order.columns]

    def in_order(pair: tuple[Key, Row | None]) -> Key:
        return tuple(-one if down else one for one, down in zip(pair[0], falls, strict=True))

    def load(after: Key | None, count: int) -> Chunk:
        loaded = (_load_part(order, part, after, count) for part in parts)
        return list(itertools.islice(heapq.merge(*loaded, key=in_order), count))

    return load


def _load_part(
    order: Order, rows: QuerySet[models.Task], after: Key | None, count: int
) -> Iterator[tuple[Key, Row | None]]:
    if after is not None:
        rows = rows.filter(lies_after(order.columns, after))
    found = map(Row._make, rows.order_by(*order.columns).values_list(*_COLUMNS)[:count])
    return iter([(order.read(row), row) for row in found])


def lies_after(columns: Sequence[str], key: Key) -> Q:
    """Return the condition of lying after a key in an order."""
    names = [column.removeprefix("-") for column in columns]
    values = [
        moment(part) if "date" in name else part for name, part in zip(names, key, strict=True)
    ]
    ranges = []
    for place, column in enumerate(columns):
        equal = dict(zip(names[:place], values, strict=False))
        later = "lt" if column.startswith("-") else "gt"
        ranges.append(Q(**equal, **{f"{names[place]}__{later}": values[place]}))
    # The first column again, as the database seeks in the index by this condition alone.
    bound = "lte" if columns[0].startswith("-") else "gte"
    return Q(**{f"{names[0]}__{bound}": values[0]}) & reduce(or_, ranges)


_ENDS: Final = {
    S.COMPLETED: EventType.TASK_COMPLETED,
    S.CANCELED: EventType.TASK_CANCELED,
}


def read_rows(rows: QuerySet[models.Task]) -> list[Row]:
    """Return tasks as rows."""
    return list(map(Row._make, rows.values_list(*_COLUMNS)))


def load_finished(workspace: models.Workspace, statuses: Collection[S]) -> Load:
    """Return how finished tasks are loaded, the last first, by the events that finished them."""
    columns = ORDERS["finished"].columns
    parts = [
        models.Event.objects.filter(workspace_sid=workspace.sid, event_type=_ENDS[status])
        for status in sorted(statuses)
    ]

    def load(after: Key | None, count: int) -> Chunk:
        loaded: list[tuple[Key, str]] = []
        for part in parts:
            rows = part if after is None else part.filter(lies_after(columns, after))
            values = rows.order_by(*columns).values_list("event_date", "id", "resource_sid")
            loaded += [((microseconds(at), pk), sid) for at, pk, sid in values[:count]]
        loaded.sort(reverse=True)
        tasks = models.Task.objects.filter(
            workspace=workspace, sid__in=[sid for _, sid in loaded[:count]]
        )
        known = {row.sid: row for row in map(Row._make, tasks.values_list(*_COLUMNS))}
        return [(key, known.get(sid)) for key, sid in loaded[:count]]

    return load


def write_key(key: Key) -> str:
    """Return a key as it stands in an address."""
    return ".".join(map(str, key))


def read_key(text: str, order: Order) -> Key | None:
    """Return the key of an address; None for one that is not of this order."""
    parts = text.split(".") if text else []
    if len(parts) != len(order.columns):
        return None
    try:
        found: tuple[Any, ...] = tuple(int(part) for part in parts if len(part) < 19)
        if len(found) != len(parts):
            return None
        for name, part in zip(order.columns, found, strict=True):
            if "date" in name:
                moment(part)
    except (ValueError, OverflowError):
        return None
    return found
