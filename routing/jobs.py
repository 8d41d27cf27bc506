"""The job runner's jobs: each looks up its rows and calls one function."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils import timezone

from routing import delivery, housekeeping, models, overdue, router, shared_redis
from routing.bridge import offline
from routing.callbacks import calls
from routing.receivers import deliveries, questions, standby
from routing.statistics import counting

logger = logging.getLogger(__name__)


@shared_task
def run_cycle(workspace_sid: str, **_: object) -> None:
    """Run the router in one workspace, unless somebody does already."""
    router.run(workspace_sid)


@shared_task
def run_due_cycles(**_: object) -> None:
    """Run the router wherever something waits or is due, whoever forgot to wake it."""
    now = timezone.now()
    housekeeping.delete_overdue_tasks(now=now)
    overdue.warn_of_lag(now=now)
    try:
        for sid in router.list_due(now):
            run_cycle.apply_async(kwargs={"workspace_sid": sid}, expires=2)
    except shared_redis.BROKEN as error:
        logger.debug("the sweep was cut short (%s); the runners sweep themselves", error)


@shared_task
def redeliver_events(**_: object) -> None:
    """Tell again what a process that died has left untold for a few seconds."""
    left = models.Event.objects.filter(
        delivered=False, event_date__lte=timezone.now() - timedelta(seconds=3)
    )
    delivery.deliver_all(left.order_by("pk")[:1000])


@shared_task
def call_receiver(sid: str, **_: object) -> None:
    """Post what a workspace's receiver of events, or a workflow's of offers, is owed."""
    standby.post(sid)


@shared_task
def sweep_receivers(**_: object) -> None:
    """Call for whatever is owed and due, whoever forgot to."""
    now = timezone.now()
    try:
        for sid in [*deliveries.due(now), *questions.due(now)]:
            calls.send(sid)
    except shared_redis.BROKEN as error:
        logger.debug("callbacks wait for the next sweep (%s)", error)


@shared_task
def sweep_sessions(**_: object) -> None:
    """Put workers offline whose last session died with the process that had it."""
    try:
        offline.sweep(now=timezone.now())
    except shared_redis.BROKEN as error:
        logger.debug("dead sessions wait for the next sweep (%s)", error)


@shared_task
def merge_task_counts(**_: object) -> None:
    """Add up what was counted since the last time."""
    counting.merge()


@shared_task
def prune(**_: object) -> None:
    """Forget what has been kept for as long as the settings say, however long that takes."""
    database: Any = connection
    is_limited = connection.vendor == "postgresql"
    with database.without_limits() if is_limited else contextlib.nullcontext():
        housekeeping.prune(now=timezone.now())
