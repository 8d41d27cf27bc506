"""The cockpit's jobs: each looks up its rows and calls one function."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from routing.redis import clients
from supervisors import watching

logger = logging.getLogger(__name__)


@shared_task
def watch_thresholds(workspace_sid: str, **_: object) -> None:
    """Judge the thresholds of a workspace."""
    watching.watch_workspace(workspace_sid, now=timezone.now())


@shared_task
def sweep_thresholds(**_: object) -> None:
    """Start a job for each workspace with thresholds; a late one is made redundant by the next."""
    try:
        for sid in watching.list_watched_workspaces():
            watch_thresholds.apply_async(kwargs={"workspace_sid": sid}, expires=1)
    except clients.BROKEN as error:
        logger.debug("thresholds wait for the next sweep (%s)", error)
