"""Forget what has been kept long enough, away from the path of routing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef

from routing import models
from routing.models.lanes import KEPT_EMPTY_FOR

BATCH: Final = 1_000
"""Rows a single statement removes, so that nothing waits for long."""


def prune(*, now: datetime) -> None:
    """Remove finished tasks and events past their days, and lanes that nobody waits on any more."""
    old = now - timedelta(days=settings.TASK_RETENTION_DAYS)
    while tasks := list(
        models.Task.objects.filter(date_finished__lt=old).values_list("pk", flat=True)[:BATCH]
    ):
        models.Task.objects.filter(pk__in=tasks).delete()
    while events := list(
        models.Event.objects.filter(event_date__lt=old).values_list("pk", flat=True)[:BATCH]
    ):
        models.Event.objects.filter(pk__in=events).delete()
    used = models.Task.objects.filter(lane=OuterRef("pk"))
    models.Lane.objects.filter(~Exists(used), date_seen__lt=now - KEPT_EMPTY_FOR).delete()
