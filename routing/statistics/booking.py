"""Count events into cells: what each event adds to figures, waits and totals.

Nothing is read or written here. One event always adds the same, so events can be counted again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.fields.json import KT

from routing import sids
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.rates import WaitClock
from routing.core.stays import StayEnd, classify_cancellation
from routing.core.vocabulary import ReservationEnd, ReservationOrigin
from routing.core.waits import find_place
from routing.models import Event

MINUTE_US: Final = 60_000_000


class BookedEvent(NamedTuple):
    """What counting needs to know of an event."""

    id: int
    transaction_id: int
    event_type: str
    event_date: datetime
    task_queue_key: int | None
    workflow_key: int | None
    worker_key: int | None
    task_channel_key: int | None
    waited_ms: int | None
    waited_in_queue_ms: int | None
    waited_until_transfer_ms: int | None
    origin: str | None
    is_first_answer: bool | None
    handled_ms: int | None
    wrapping_ms: int | None
    stay_end: str | None
    actor_type: str
    ended_by: str | None
    changes: str | None
    details: dict[str, Any] | str | None


_CHANGING: Final = [E.TASK_UPDATED.value, E.TASK_CANCELED.value]
_DETAILED: Final = [E.TASK_TRANSFER_COMPLETED.value]
_OLD: Final = [E.TASK_CANCELED.value, E.TASK_DELETED.value, E.TASK_SYSTEM_DELETED.value]


def read_events(rows: QuerySet[Event]) -> list[BookedEvent]:
    """Read these events; only of a few types the data, which contain all attributes of a task."""
    columns = BookedEvent._fields[:-3]
    found = rows.values_list(
        *columns,
        Case(
            When(
                event_type=E.RESERVATION_COMPLETED.value,
                then=KT("event_data__reservation_ended_by"),
            ),
            default=Value(None),
        ),
        Case(
            When(event_type__in=_CHANGING, then=KT("event_data__changes")),
            default=Value(None),
        ),
        Case(
            When(event_type__in=_DETAILED, then=F("event_data")),
            # Events of a release that did not store it.
            When(event_type__in=_OLD, stay_end=None, then=F("event_data")),
            default=Value(None),
        ),
    )
    return [BookedEvent(*row) for row in found]


FigureKey = tuple[int, int, int, int, int, str]
"""Minute, queue, workflow, worker, channel, origin."""
WaitKey = tuple[int, int, int, int, str, str, str, int]
"""Minute, queue, workflow, channel, origin, end, clock, place."""
TotalKey = tuple[int, int, str, str]
"""Queue, channel, origin, measure."""


class Cells:
    """What some events add, by cell."""

    def __init__(self) -> None:
        self.figures: dict[FigureKey, dict[str, int]] = {}
        self.waits: dict[WaitKey, list[int]] = {}
        self.totals: dict[TotalKey, int] = defaultdict(int)

    def add(
        self,
        event: BookedEvent,
        counts: Mapping[str, int],
        *,
        queue: int | None = None,
        worker: int | None = None,
        channel: int | None = None,
        origin: str = "",
    ) -> None:
        """Add to the columns of a figure, and to the totals of the same names.

        Arguments:
            queue, channel: those of the event when left out.
            worker: none when left out.
        """
        queue = (event.task_queue_key if queue is None else queue) or 0
        channel = (event.task_channel_key if channel is None else channel) or 0
        minute = microseconds(event.event_date) // MINUTE_US
        key = (minute, queue, event.workflow_key or 0, worker or 0, channel, origin)
        cell = self.figures.setdefault(key, {})
        for name, count in counts.items():
            cell[name] = cell.get(name, 0) + count
            self.totals[queue, channel, origin, name] += count

    def add_waits(self, event: BookedEvent, end: str, *, origin: str = "") -> None:
        """Add the waits of an answer or an abandonment, by both clocks."""
        queue, channel = event.task_queue_key or 0, event.task_channel_key or 0
        minute = microseconds(event.event_date) // MINUTE_US
        for clock, wait in (
            (WaitClock.QUEUE, event.waited_in_queue_ms),
            (WaitClock.CREATION, event.waited_ms),
        ):
            if wait is None:
                continue
            place = find_place(wait)
            cell = self.waits.setdefault(
                (minute, queue, event.workflow_key or 0, channel, origin, end, clock.value, place),
                [0, 0],
            )
            cell[0] += 1
            cell[1] += wait
            if clock == WaitClock.CREATION:
                self.add_total(queue, channel, f"{end}_wait:{place}")
                self.add_total(queue, channel, f"{end}_wait_ms", wait)

    def add_total(self, queue: int, channel: int, measure: str, value: int = 1) -> None:
        """Add to a total that no figure has."""
        self.totals[queue, channel, "", measure] += value


def count_events(events: Iterable[BookedEvent]) -> Cells:
    """Return what these events add."""
    cells = Cells()
    for event in events:
        if (count := _COUNTERS.get(event.event_type)) is not None:
            count(cells, event)
    return cells


def _count_accepted(cells: Cells, event: BookedEvent) -> None:
    handed_on = event.waited_until_transfer_ms is not None
    origin = event.origin or (ReservationOrigin.TRANSFER.value if handed_on else "")
    counts = {"accepted": 1}
    if origin != ReservationOrigin.TRANSFER:
        is_first = event.is_first_answer is not False
        counts[(StayEnd.ANSWERED if is_first else StayEnd.ANSWERED_AGAIN).value] = 1
        if is_first:
            cells.add_waits(event, StayEnd.ANSWERED.value, origin=origin)
    cells.add(event, counts, worker=event.worker_key, origin=origin)


def _count_canceled(cells: Cells, event: BookedEvent) -> None:
    _count_changed_channel(cells, event)
    end = event.stay_end
    if end is None:
        reason = _details(event).get("reason")
        end = classify_cancellation(actor_type=event.actor_type, reason=reason).value
    cells.add(event, {end: 1})
    if end == StayEnd.ABANDONED:
        cells.add_waits(event, end)


def _count_deleted(cells: Cells, event: BookedEvent) -> None:
    if event.stay_end is not None or _details(event).get("task_assignment_status") in (
        "pending",
        "reserved",
    ):
        cells.add(event, {StayEnd.DELETED.value: 1})


def _count_completed(cells: Cells, event: BookedEvent) -> None:
    counts: dict[str, int] = {}
    if event.ended_by == ReservationEnd.TAKEN_BACK:
        counts["taken_back"] = 1
    elif event.ended_by == ReservationEnd.DELETED:
        counts["deleted_work"] = 1
    elif event.handled_ms is not None:
        counts |= {"handled": 1, "handled_ms": event.handled_ms}
        if event.wrapping_ms is not None:
            counts |= {"wrapped": 1, "wrapping_ms": event.wrapping_ms}
        queue, channel = event.task_queue_key or 0, event.task_channel_key or 0
        cells.add_total(queue, channel, f"handled:{find_place(event.handled_ms)}")
    if counts:
        cells.add(event, counts, worker=event.worker_key, origin=event.origin or "")


def _count_transferred(cells: Cells, event: BookedEvent) -> None:
    data = _details(event)
    origin = ReservationOrigin.TRANSFER.value
    to, given_by = data.get("transfer_to") or "", data.get("transfer_initiating_queue_sid")
    taken_in = sids.index_key(to) if to.startswith("WQ") else event.task_queue_key
    given_in = sids.index_key(given_by) if given_by else 0
    cells.add(event, {"transferred_in": 1}, queue=taken_in or 0, origin=origin)
    cells.add(event, {"transferred_out": 1}, queue=given_in, worker=event.worker_key, origin=origin)


def _count_changed_channel(cells: Cells, event: BookedEvent) -> None:
    """Count that a waiting task goes from one channel to another, in the queue that it was in."""
    changes = json.loads(event.changes) if event.changes else {}
    if "task_channel_sid" not in changes:
        return
    queue = event.task_queue_key
    if "task_queue_sid" in changes:
        before = changes["task_queue_sid"][0]
        queue = sids.index_key(before) if before else None
    if queue is None:
        return
    left, entered = map(sids.index_key, changes["task_channel_sid"])
    cells.add(event, {StayEnd.CHANNEL_LEFT.value: 1}, queue=queue, channel=left)
    cells.add(event, {"channel_entered": 1}, queue=queue, channel=entered)


def _details(event: BookedEvent) -> dict[str, Any]:
    """Return the data of an event that was read with them."""
    found = event.details
    # SQLite gives text, because the conversion of JSON is lost in a `CASE`.
    return json.loads(found) if isinstance(found, str) else (found or {})


def _add_one(name: str) -> Callable[[Cells, BookedEvent], None]:
    """Return the counter of events that each add one to a column."""
    return lambda cells, event: cells.add(event, {name: 1})


def _add_offer(name: str) -> Callable[[Cells, BookedEvent], None]:
    """Return the counter of offers that each add one to a column, by worker and origin."""
    return lambda cells, event: cells.add(
        event, {name: 1}, worker=event.worker_key, origin=event.origin or ""
    )


_COUNTERS: Final[Mapping[str, Callable[[Cells, BookedEvent], None]]] = {
    E.TASK_QUEUE_ENTERED: _add_one("entered"),
    E.TASK_QUEUE_MOVED: _add_one(StayEnd.MOVED.value),
    E.TASK_CREATED: _add_one("tasks_created"),
    E.TASK_COMPLETED: _add_one("tasks_completed"),
    E.TASK_CANCELED: _count_canceled,
    E.TASK_DELETED: _count_deleted,
    E.TASK_SYSTEM_DELETED: _count_deleted,
    E.TASK_UPDATED: _count_changed_channel,
    E.TASK_TRANSFER_COMPLETED: _count_transferred,
    E.RESERVATION_CREATED: _add_offer("offers"),
    E.RESERVATION_ACCEPTED: _count_accepted,
    E.RESERVATION_REJECTED: _add_offer("rejected"),
    E.RESERVATION_TIMEOUT: _add_offer("missed"),
    E.RESERVATION_RESCINDED: _add_offer("rescinded"),
    E.RESERVATION_CANCELED: _add_offer("canceled_offers"),
    E.RESERVATION_COMPLETED: _count_completed,
}
BOOKED: Final = tuple(event_type.value for event_type in E if event_type in _COUNTERS)
"""The types of events that add something."""
