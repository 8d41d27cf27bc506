"""The job runner's jobs: each looks up its rows and calls one function."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils import timezone

from routing import housekeeping, instruments
from routing.actions.supervision import batch_rows
from routing.actions.supervision.batches import MOST_ROWS
from routing.events import courier, unpublished
from routing.redis import clients
from routing.router import lag_warnings, threads
from routing.sdk import desk_grace
from routing.snapshots import due_work
from routing.statistics import audits, bookkeeper, counting, slot_figures
from routing.webhook_delivery import standby
from routing.webhooks import queue

logger = logging.getLogger(__name__)


@shared_task
def run_cycle(workspace_sid: str, **_: object) -> None:
    """Run the router in one workspace, unless another runner does already."""
    threads.run_workspace(workspace_sid, cause=instruments.Cause.SWEEP)


@shared_task
def run_due_cycles(**_: object) -> None:
    """Run the router in every workspace with due work, even if its wake was lost."""
    now = timezone.now()
    housekeeping.delete_overdue_tasks(now=now)
    lag_warnings.warn_of_lag(now=now)
    try:
        for sid in due_work.list_due_workspaces(now=now):
            run_cycle.apply_async(kwargs={"workspace_sid": sid}, expires=2)
    except clients.BROKEN as error:
        logger.debug("sweep cut short (%s); the runners sweep themselves", error)


@shared_task
def redeliver_events(**_: object) -> None:
    """Publish events again that a process left unpublished for a few seconds, as it died."""
    events = unpublished.load_left_behind(now=timezone.now())
    instruments.count_finds("events", len(events))
    courier.publish_events(events)


@shared_task
def call_receiver(sid: str, **_: object) -> None:
    """Send the pending callbacks of a workspace's events or of a workflow's offers."""
    standby.post_due_callbacks(sid)


@shared_task
def sweep_receivers(**_: object) -> None:
    """Start a job for every receiver with due callbacks, even if its call was lost."""
    now = timezone.now()
    try:
        for sid in standby.list_due_receivers(now):
            queue.send_job(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks wait for the next sweep (%s)", error)


@shared_task
def sweep_sessions(**_: object) -> None:
    """Sign off workers whose last session ended with the process that served it."""
    try:
        desk_grace.sweep(now=timezone.now())
    except clients.BROKEN as error:
        logger.debug("dead sessions wait for the next sweep (%s)", error)


@shared_task
def run_batch(sid: str, **_: object) -> None:
    """Run rows of a supervisor's batch for a moment, and leave the rest to another job."""
    batch = batch_rows.claim_batch(sid)
    if batch is None:
        return
    try:
        is_over = batch_rows.run_slice(batch, most=MOST_ROWS)
    finally:
        batch_rows.release_batch(batch)
    if not is_over:
        send_batch(sid)


def send_batch(sid: str) -> None:
    """Send a job for a batch; without Redis, the sweep finds the batch later."""
    try:
        run_batch.apply_async(kwargs={"sid": sid}, expires=30)
    except clients.BROKEN as error:
        logger.debug("batch.not_enqueued batch=%s error=%s", sid, error)


@shared_task
def sweep_batches(**_: object) -> None:
    """Continue batches whose process has died, or whose job was lost."""
    for sid in batch_rows.list_abandoned_batches():
        send_batch(sid)


@shared_task
def merge_task_counts(**_: object) -> None:
    """Merge the task counts stored since the last merge."""
    counting.merge_counts()


@shared_task
def keep_books(**_: object) -> None:
    """Count new events into the figures, and fold old minutes into quarters."""
    now = timezone.now()
    if bookkeeper.keep_books(now=now) < bookkeeper.BATCH:
        audits.open_old_books()
    bookkeeper.fold_minutes(now=now)
    slot_figures.write_slot_figures(now=now)


@shared_task
def prune(**_: object) -> None:
    """Delete what is past its retention; this may take longer than queries usually may."""
    database: Any = connection
    is_limited = connection.vendor == "postgresql"
    with database.without_limits() if is_limited else contextlib.nullcontext():
        housekeeping.delete_old_rows(now=timezone.now())
