"""Measure the router's lag: the age of the oldest work that is due and not done."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from routing import models
from routing.core.clock import microseconds
from routing.events import unpublished

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 30.0
"""Shortest time between two warnings."""


class Warnings:
    """Rate limit for warnings of this process."""

    def __init__(self) -> None:
        """Allow the first warning at once."""
        self._quiet_until = float("-inf")

    def may_warn(self, now: float) -> bool:
        """Return whether a warning may be logged now, and count it as logged."""
        if now < self._quiet_until:
            return False
        self._quiet_until = now + QUIET_SECONDS
        return True


process_warnings: Final = Warnings()


def warn_of_lag(*, now: datetime) -> None:
    """Log how old the oldest due work is if it is older than `LAG_SECONDS`."""
    age = find_oldest_due_age(now=now).total_seconds()
    if age > settings.LAG_SECONDS and process_warnings.may_warn(time.monotonic()):
        logger.warning("lag seconds=%.1f: age of the oldest work that is due", age)


def find_oldest_due_age(*, now: datetime) -> timedelta:
    """Return for how long the oldest due work has been due; zero if nothing is due.

    Due are offers, wrap-ups and tasks past their deadline, tasks past the deadline of their step,
    and events that are not published yet. For each workspace this reads the heads of indexes.
    """
    here = OuterRef("pk")
    tasks = models.Task.objects.expiring().filter(workspace=here).order_by("expires_us")
    steps = models.Task.objects.pending().filter(workspace=here, step_deadline_us__isnull=False)
    offers = models.Reservation.objects.pending().filter(workspace=here).order_by("deadline_us")
    wrap_ups = models.Reservation.objects.wrapping_up().filter(workspace=here)
    event = unpublished.find_oldest_date()
    moments = [
        _least_of_workspaces(tasks.values("expires_us")[:1]),
        _least_of_workspaces(steps.order_by("step_deadline_us").values("step_deadline_us")[:1]),
        _least_of_workspaces(offers.values("deadline_us")[:1]),
        _least_of_workspaces(
            wrap_ups.order_by("wrap_up_deadline_us").values("wrap_up_deadline_us")[:1]
        ),
        None if event is None else microseconds(event),
    ]
    due = min((moment for moment in moments if moment is not None), default=None)
    if due is None:
        return timedelta(0)
    return max(timedelta(microseconds=microseconds(now) - due), timedelta(0))


def _least_of_workspaces(head: QuerySet[Any]) -> int | None:
    """Return the smallest value that a query finds for any workspace."""
    heads = models.Workspace.objects.annotate(head=Subquery(head)).exclude(head=None)
    found: int | None = heads.order_by("head").values_list("head", flat=True).first()
    return found
