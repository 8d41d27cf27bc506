"""Which events are not published yet, and which of them were left behind by a process that died."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from routing.db.sql.events import FIRST_UNPUBLISHED
from routing.models import Event, UnpublishedEvent

LEFT_AFTER: Final = timedelta(seconds=3)
"""Age from which an unpublished event counts as left behind."""
MOST_LOADED: Final = 1_000
"""Most events to load at once."""


def mark_published(ids: Collection[int]) -> None:
    """Record that events were published, by their ids."""
    UnpublishedEvent.objects.filter(pk__in=ids).delete()


def load_left_behind(*, now: datetime) -> list[Event]:
    """Return the first events that a process left unpublished, in order."""
    latest = connection.ops.adapt_datetimefield_value(now - LEFT_AFTER)
    return list(Event.objects.raw(FIRST_UNPUBLISHED, [MOST_LOADED, latest]))


def count_unpublished(*, most: int) -> int:
    """Return how many events are unpublished, or `most` if they are more."""
    return UnpublishedEvent.objects.order_by("pk").values("pk")[:most].count()


def find_oldest_date() -> datetime | None:
    """Return the date of the first unpublished event."""
    for first in UnpublishedEvent.objects.order_by("pk")[:1]:
        return Event.objects.filter(pk=first.pk).values_list("event_date", flat=True).first()
    return None


def delete_orphans() -> None:
    """Delete the rows of events that were deleted before they were published."""
    event = Event.objects.filter(pk=OuterRef("pk"))
    UnpublishedEvent.objects.filter(~Exists(event)).delete()
