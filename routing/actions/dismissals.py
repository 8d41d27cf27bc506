"""Dismiss events from the list on a worker's desk; this changes no routing and records no event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from routing import models
from routing.core.clock import microseconds, moment

LISTED_FOR: Final = timedelta(hours=12)
"""How long an event may stay on the list; older dismissals are dropped."""
MOST_KEPT: Final = 100
"""Maximum number of dismissed events that are kept one by one."""


def begin_list(*, worker: models.Worker, now: datetime) -> None:
    """Begin the list of a worker who opens their first desk: what was before is not on it."""
    models.Dismissals.objects.get_or_create(worker=worker, defaults={"until": now})


@transaction.atomic
def dismiss_events(
    *,
    worker: models.Worker,
    events: Mapping[str, datetime],
    with_older: bool = False,
    now: datetime,
) -> models.Dismissals:
    """Dismiss some events of a worker.

    Arguments:
        events: the moment of each event, by its sid.
        with_older: whether to dismiss all events that are older than these, too.
    """
    begin_list(worker=worker, now=now - LISTED_FOR)
    row = models.Dismissals.objects.select_for_update().get(worker=worker)
    kept = row.events | {sid: microseconds(at) for sid, at in events.items()}
    until = max(row.until, now - LISTED_FOR)
    if with_older and events:
        until = max(until, min(events.values()) - timedelta(microseconds=1))
    newest = sorted(kept.items(), key=lambda item: item[1], reverse=True)
    for _, at_us in newest[MOST_KEPT : MOST_KEPT + 1]:
        until = max(until, moment(at_us))
    row.until = until
    row.events = {sid: at_us for sid, at_us in newest[:MOST_KEPT] if at_us > microseconds(until)}
    row.save()
    return row
