"""Waits of answered tasks to the millisecond, from events: few enough, and not forgotten yet."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from routing.core.clock import microseconds, moment
from routing.core.event_catalog import EventType as E
from routing.core.rates import WaitClock
from routing.core.vocabulary import ReservationOrigin
from routing.models import Event
from routing.statistics.booking import MINUTE_US
from routing.statistics.figure_events import until_bookmark
from routing.statistics.grouping import INTERVAL, Scope
from routing.statistics.service_reports import Key, Service

MOST_EXACT: Final = 5_000
"""Answers of a report whose waits are read one by one."""


def set_exact_waits(
    found: Mapping[Key, Service],
    scope: Scope,
    by: Sequence[str],
    *,
    clock: WaitClock,
    now: datetime,
) -> None:
    """Give the rows of a report their waits one by one, if there are few, and all are kept."""
    if sum(service.waits.count for service in found.values()) > MOST_EXACT:
        return
    start, end = (moment(minute * MINUTE_US) for minute in (scope.span.start, scope.span.end))
    if start < now - timedelta(days=settings.TASK_RETENTION_DAYS):
        return
    for key, waits in _load(scope, by, clock, start, end).items():
        if key in found:
            found[key].exact = waits


def _load(
    scope: Scope, by: Sequence[str], clock: WaitClock, start: datetime, end: datetime
) -> Mapping[Key, list[int]]:
    column = "waited_in_queue_ms" if clock is WaitClock.QUEUE else "waited_ms"
    rows = (
        Event.objects.filter(
            until_bookmark(scope.workspace),
            workspace_sid=scope.workspace.sid,
            event_type=E.RESERVATION_ACCEPTED.value,
            event_date__gte=start,
            event_date__lt=end,
            task_queue_key__isnull=False,
            **{f"{column}__isnull": False},
            **{f"{name}__in": list(keys) for name, keys in scope.only.items()},
        )
        .exclude(is_first_answer=False)
        .exclude(origin=ReservationOrigin.TRANSFER.value)
    )
    starts = [interval.start for interval in scope.intervals]
    names = ["event_date" if name == INTERVAL else name for name in by]
    found: dict[Key, list[int]] = defaultdict(list)
    for *values, wait in rows.values_list(*names, column)[: MOST_EXACT + 1]:
        key = tuple(
            bisect_right(starts, microseconds(value) // MINUTE_US) - 1
            if isinstance(value, datetime)
            else value or 0
            for value in values
        )
        found[key].append(wait)
    return found
