"""The job that proves that a job runner is there."""

from __future__ import annotations

from celery import shared_task

from config import heartbeats


@shared_task(name="config.jobs.ping")
def ping() -> None:
    """Leave a sign of life."""
    heartbeats.jobs_answered()
