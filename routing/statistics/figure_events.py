"""The events behind a figure: the bookkeeper's own counting decides which they are.

    cell = Cell(workspace=workspace, span=span, measure="abandoned", only={"task_queue_key": {key}})
    figure_events.list_events(cell, after=None, most=50)

A cell has as many events as it says, as long as the events are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.db.models import Q

from routing.core.clock import microseconds, moment
from routing.core.event_catalog import EventType as E
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.vocabulary import ReservationOrigin
from routing.models import Bookmark, Event, Events, Figure, Workspace
from routing.statistics import booking, service_reports
from routing.statistics.booking import MINUTE_US, BookedEvent
from routing.statistics.grouping import Scope, sum_by
from routing.statistics.service_reports import Service, Targets
from routing.statistics.windows import Span

MOST_READ: Final = 20_000
"""Events that are read for one page."""
_CHUNK: Final = 500

_CANCELED: Final = frozenset((E.TASK_CANCELED,))
_ACCEPTED: Final = frozenset((E.RESERVATION_ACCEPTED,))
_COMPLETED: Final = frozenset((E.RESERVATION_COMPLETED,))
_CHANGING: Final = frozenset((E.TASK_UPDATED, E.TASK_CANCELED))
_TYPES: Final[Mapping[str, frozenset[E]]] = {
    "entered": frozenset((E.TASK_QUEUE_ENTERED,)),
    "channel_entered": _CHANGING,
    "channel_left": _CHANGING,
    "answered": _ACCEPTED,
    "answered_again": _ACCEPTED,
    "accepted": _ACCEPTED,
    **dict.fromkeys(
        ("abandoned", "withdrawn", "canceled_later", "canceled_by_staff", "expired", "fell_out"),
        _CANCELED,
    ),
    "moved": frozenset((E.TASK_QUEUE_MOVED,)),
    "deleted": frozenset((E.TASK_DELETED, E.TASK_SYSTEM_DELETED)),
    "tasks_created": frozenset((E.TASK_CREATED,)),
    "offers": frozenset((E.RESERVATION_CREATED,)),
    "rejected": frozenset((E.RESERVATION_REJECTED,)),
    "missed": frozenset((E.RESERVATION_TIMEOUT,)),
    "rescinded": frozenset((E.RESERVATION_RESCINDED,)),
    "canceled_offers": frozenset((E.RESERVATION_CANCELED,)),
    "transferred_in": frozenset((E.TASK_TRANSFER_COMPLETED,)),
    "transferred_out": frozenset((E.TASK_TRANSFER_COMPLETED,)),
    "handled": _COMPLETED,
    "wrapped": _COMPLETED,
    "taken_back": _COMPLETED,
    "deleted_work": _COMPLETED,
}
_ELSEWHERE: Final = frozenset(
    ("channel_entered", "channel_left", "transferred_in", "transferred_out")
)
"""Measures that may count for another queue or channel than that of the event."""

Test = Callable[[BookedEvent, Target], bool]


def _wait_of(event: BookedEvent, target: Target) -> int:
    by_queue = target.clock is WaitClock.QUEUE
    return (event.waited_in_queue_ms if by_queue else event.waited_ms) or 0


def _is_within(event: BookedEvent, target: Target) -> bool:
    return _wait_of(event, target) <= target.threshold * 1000


def _is_short(event: BookedEvent, target: Target) -> bool:
    return _wait_of(event, target) < target.short_abandon * 1000


def _counts(event: BookedEvent, target: Target) -> bool:
    """Return whether an answer or an abandonment is in the denominator of the service level."""
    if event.event_type == E.RESERVATION_ACCEPTED:
        return True
    match target.formula:
        case ServiceLevelFormula.SHORT_IGNORED:
            return not _is_short(event, target)
        case ServiceLevelFormula.EARLY_IGNORED:
            return not _is_within(event, target)
        case _:
            return True


class _Made(NamedTuple):
    """A measure that is no column: the columns it is made of, its events, and their number."""

    columns: tuple[str, ...]
    test: Test
    count: Callable[[Service], int]


_MADE: Final[Mapping[str, _Made]] = {
    "within": _Made(("answered",), _is_within, lambda service: service.within),
    "short": _Made(("abandoned",), _is_short, lambda service: service.short),
    "given_up": _Made(("abandoned",), _counts, lambda service: service.given_up.part),
    "level": _Made(("answered", "abandoned"), _counts, lambda service: service.level.whole),
}
BY_WAIT: Final = frozenset(_MADE)
"""Measures that depend on waits, which are not counted by worker."""
_SUMS: Final[Mapping[str, tuple[str, ...]]] = {"push_answers": ("accepted", "rejected", "missed")}
"""Measures that are the sum of several columns."""
_IS_FIRST: Final = Q(event_data__grab_ahead="0")
_PICKS: Final[Mapping[str, Q]] = {
    "in_order": _IS_FIRST & Q(event_data__grab_older="0"),
    "maybe": _IS_FIRST & ~Q(event_data__grab_older="0"),
    "out_of_order": Q(event_data__has_key="grab_ahead") & ~_IS_FIRST,
}
"""Grabs by what waited before them: `statistics.pick_reports`."""
MEASURES: Final = frozenset((*_TYPES, *_MADE, *_SUMS, *_PICKS))
"""What a cell may count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure.

    Arguments:
        parts: the parts of the span that count, in order; empty for all of it.
        only: the keys that count, by column of `Figure`.
        origin: how the tasks came to the workers; None for all.
        in_queue: whether tasks without a queue are left out.
    """

    workspace: Workspace = field(repr=False)
    span: Span
    measure: str
    parts: Sequence[Span] = ()
    only: Mapping[str, frozenset[int]] = field(default_factory=dict)
    origin: str | None = None
    in_queue: bool = False

    @property
    def spans(self) -> Sequence[Span]:
        """Return the spans whose events count."""
        return self.parts or (self.span,)


@dataclass(frozen=True, slots=True)
class Found:
    """Events of a cell, newest first.

    Arguments:
        next: the place after which the next page begins; None at the end.
        is_cut: whether the limit ended the search before the page was full.
    """

    ids: Sequence[int]
    next: tuple[int, int] | None = None
    is_cut: bool = False


def list_events(cell: Cell, *, targets: Targets, after: tuple[int, int] | None, most: int) -> Found:
    """Return the next events of a cell.

    Arguments:
        after: the date in microseconds and the id of the last event of the page before.
    """
    found: list[int] = []
    read = 0
    for span in reversed(cell.spans):
        if after is not None and span.start * MINUTE_US > after[0]:
            continue
        rows = _prepare(cell, span)
        while True:
            wanted = min(_CHUNK, MOST_READ - read, most + 1)
            chunk = booking.read_events(_after(rows, after)[:wanted])
            for event in chunk:
                if _is_of(event, cell, targets):
                    if len(found) == most:
                        return Found(found, after)
                    found.append(event.id)
                after = microseconds(event.event_date), event.id
            read += len(chunk)
            if len(chunk) < wanted:
                break
            if read >= MOST_READ:
                return Found(found, after, is_cut=True)
    return Found(found)


def _after(rows: Events, after: tuple[int, int] | None) -> Events:
    rows = rows.order_by("-event_date", "-id")
    if after is None:
        return rows
    at, pk = moment(after[0]), after[1]
    return rows.filter(Q(event_date__lt=at) | Q(event_date=at, id__lt=pk), event_date__lte=at)


def _list_columns(cell: Cell) -> tuple[str, ...]:
    """Return the columns of `Figure` that a cell is made of."""
    if cell.measure in _PICKS:
        return ("accepted",)
    made = _MADE.get(cell.measure)
    return made.columns if made else _SUMS.get(cell.measure, (cell.measure,))


def _prepare(cell: Cell, span: Span) -> Events:
    """Return the events of a span that may count, by what the columns of events tell."""
    columns = _list_columns(cell)
    types = sorted({each.value for name in columns for each in _TYPES[name]})
    start, end = (moment(minute * MINUTE_US) for minute in (span.start, span.end))
    rows: Any = Event.objects.filter(
        until_bookmark(cell.workspace),
        workspace_sid=cell.workspace.sid,
        event_type__in=types,
        event_date__gte=start,
        event_date__lt=end,
    )
    if not _ELSEWHERE.intersection(columns):
        for name in ("task_queue_key", "task_channel_key"):
            if name in cell.only:
                rows = rows.filter(_among(name, cell.only[name]))
    if "workflow_key" in cell.only:
        rows = rows.filter(_among("workflow_key", cell.only["workflow_key"]))
    if "worker_key" in cell.only:
        rows = rows.filter(_among("worker_key", cell.only["worker_key"]))
    if cell.measure in _PICKS:
        rows = rows.filter(_PICKS[cell.measure], origin=ReservationOrigin.GRAB.value)
    if set(types) == {E.TASK_CANCELED.value} and not _ELSEWHERE.intersection(columns):
        rows = rows.filter(Q(stay_end__in=columns) | Q(stay_end=None))
    found: Events = rows
    return found


def _among(name: str, keys: frozenset[int]) -> Q:
    """Return the condition of having one of these keys; 0 stands for none."""
    condition = Q(**{f"{name}__in": [key for key in keys if key]})
    return condition | Q(**{f"{name}__isnull": True}) if 0 in keys else condition


def until_bookmark(workspace: Workspace) -> Q:
    """Return the condition of being counted."""
    mark = Bookmark.objects.filter(workspace=workspace).first()
    if mark is None:
        return Q(pk=None)
    return Q(transaction_id__lt=mark.transaction_id) | Q(
        transaction_id=mark.transaction_id, id__lte=mark.event_id
    )


def _is_of(event: BookedEvent, cell: Cell, targets: Targets) -> bool:
    """Return whether an event adds to a cell."""
    made = _MADE.get(cell.measure)
    columns = _list_columns(cell)
    for key, counts in booking.count_events([event]).figures.items():
        _, queue, workflow, worker, channel, origin = key
        place = {
            "task_queue_key": queue,
            "workflow_key": workflow,
            "worker_key": worker,
            "task_channel_key": channel,
        }
        if (
            any(counts.get(name) for name in columns)
            and all(place[name] in keys for name, keys in cell.only.items())
            and cell.origin in (None, origin)
            and (queue or not cell.in_queue)
            and (made is None or made.test(event, targets.find(queue, channel)))
        ):
            return True
    return False


def count_cell(cell: Cell, *, targets: Targets) -> int:
    """Return what a cell says: how many events it has, also of those that were forgotten."""
    return sum(_count_span(cell, span, targets) for span in cell.spans)


def _count_span(cell: Cell, span: Span, targets: Targets) -> int:
    if cell.measure in _PICKS:
        return _prepare(cell, span).count()
    scope = Scope(workspace=cell.workspace, intervals=[span], only=cell.only)
    if cell.measure in _MADE:
        found = service_reports.add_up(
            service_reports.load_service(scope, ["origin"], targets=targets).values()
        )
        return _MADE[cell.measure].count(found)
    rows: Any = Figure.objects.exclude(task_queue_key=0) if cell.in_queue else Figure.objects
    if cell.origin is not None:
        rows = rows.filter(origin=cell.origin)
    columns = _list_columns(cell)
    return sum(sum(counts) for _, counts in sum_by(rows.all(), scope, ["origin"], columns))
