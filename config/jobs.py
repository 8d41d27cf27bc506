"""The job that proves that a job runner is there."""

from __future__ import annotations

import contextlib

from celery import shared_task
from redis.exceptions import RedisError

from config import heartbeats


@shared_task(name="config.jobs.ping")
def ping() -> None:
    """Leave a sign of life; without Redis nobody could read it."""
    with contextlib.suppress(RedisError):
        heartbeats.jobs_answered()
