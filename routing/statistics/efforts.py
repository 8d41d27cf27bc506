"""The effort of work that was completed: its time, shared with what the worker had beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from routing import sids
from routing.core.clock import microseconds, moment
from routing.core.effort import Span, share_time
from routing.core.event_catalog import EventType as E
from routing.core.lifecycle import HELD_RESERVATION
from routing.models import Event, Reservation
from routing.models.base import words

LONGEST: Final = timedelta(days=1)
"""How much longer than the work that is measured other work may last to be seen beside it."""


def measure(workspace_sid: str, work: Sequence[Event]) -> list[float]:
    """Return the effort of each completion in milliseconds.

    Arguments:
        work: events `reservation.completed` with a handle time.
    """
    if not work:
        return []
    own = [(event.worker_key or 0, _find_span(event)) for event in work]
    window = min(span[0] for _, span in own), max(span[1] for _, span in own)
    workers = {
        event.worker_key: str(event.event_data.get("worker_sid") or "")
        for event in work
        if event.worker_key
    }
    beside: dict[int, list[Span]] = defaultdict(list)
    for worker, span in _list_beside(workspace_sid, workers, window, {event.pk for event in work}):
        beside[worker].append(span)
    places: dict[int, list[int]] = defaultdict(list)
    for place, (worker, _) in enumerate(own):
        places[worker].append(place)
    found = [0.0] * len(own)
    for worker, of_worker in places.items():
        mine = [own[place][1] for place in of_worker]
        shares = share_time([*mine, *beside[worker]])
        for place, share in zip(of_worker, shares, strict=False):
            found[place] = share / 1_000
    return found


def _find_span(event: Event) -> Span:
    end = microseconds(event.event_date)
    return end - (event.handled_ms or 0) * 1_000, end


def _list_beside(
    workspace_sid: str, workers: Mapping[int, str], window: Span, known: set[int]
) -> Iterator[tuple[int, Span]]:
    """Yield what else these workers had in hand within a window, finished or not."""
    rows = Event.objects.filter(
        workspace_sid=workspace_sid,
        event_type=E.RESERVATION_COMPLETED.value,
        event_date__gt=moment(window[0]),
        event_date__lt=moment(window[1]) + LONGEST,
        worker_key__in=list(workers),
        handled_ms__isnull=False,
    )
    for event in rows.only("worker_key", "event_date", "handled_ms"):
        span = _find_span(event)
        if event.pk not in known and span[0] < window[1]:
            yield event.worker_key or 0, span
    held = Reservation.objects.filter(
        workspace__sid=workspace_sid,
        reservation_status__in=words(HELD_RESERVATION),
        worker__sid__in=list(workers.values()),
        date_accepted__lt=moment(window[1]),
    )
    for sid, accepted in held.values_list("worker__sid", "date_accepted"):
        if accepted is not None:
            yield sids.index_key(sid), (microseconds(accepted), window[1])
