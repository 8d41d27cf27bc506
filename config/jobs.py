"""The job that proves that a job runner is there."""

from __future__ import annotations

import contextlib

from celery import shared_task
from redis.exceptions import RedisError

from config import heartbeats

QUEUES = {"jobs": "celery", "callbacks": "callbacks"}
"""The queue from which each kind of job runner takes its jobs."""


@shared_task(name="config.jobs.ping")
def ping(kind: str = "jobs") -> None:
    """Leave a sign of life; without Redis nothing could read it."""
    with contextlib.suppress(RedisError):
        heartbeats.record_runner(kind)


def send_ping(kind: str, *, expires: float) -> None:
    """Ask a kind of job runner for a sign of life."""
    # Runners of an earlier version take no argument.
    given = {} if kind == "jobs" else {"kind": kind}
    ping.apply_async(kwargs=given, queue=QUEUES[kind], expires=expires)
