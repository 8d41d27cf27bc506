"""Metrics of the installation: its parts, and what it has still to do, counted up to a limit."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection

from config import health, release
from config.metrics import catalog
from config.metrics.sheet import Sheet
from routing.events import unpublished
from routing.models import AssignmentCallback, CallbackDelivery
from routing.router import lag_warnings
from routing.statistics import bookkeeper

MOST_COUNTED: Final = 10_000


def add_backlog(sheet: Sheet, *, now: datetime) -> None:
    """Add the release, its parts, and what is not published, sent or counted yet."""
    sheet.put(catalog.BUILD_INFO, 1, release.VERSION, connection.vendor)
    sheet.put(catalog.UNDELIVERED, unpublished.count_unpublished(most=MOST_COUNTED))
    for kind, rows in (
        ("event", CallbackDelivery.objects.pending()),
        ("assignment", AssignmentCallback.objects.pending()),
    ):
        sheet.put(catalog.CALLBACKS_PENDING, rows.values("pk")[:MOST_COUNTED].count(), kind)
    sheet.put(catalog.DUE_WORK, lag_warnings.find_oldest_due_age(now=now).total_seconds())
    for part, found in health.check_parts().items():
        if found != health.UNKNOWN:
            sheet.put(catalog.PART_UP, found == health.OK, part)
    sheet.put(catalog.LAG, bookkeeper.measure_lag(now=now))
