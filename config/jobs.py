"""The job with which health checks test a job runner."""

from __future__ import annotations

import contextlib

from celery import shared_task
from redis.exceptions import RedisError

from config import heartbeats

QUEUES = {"jobs": "celery", "callbacks": "callbacks"}
"""The queue of each kind of job runner."""


@shared_task(name="config.jobs.ping")
def ping(kind: str = "jobs") -> None:
    """Record a heartbeat; without Redis nothing could read it."""
    with contextlib.suppress(RedisError):
        heartbeats.record_runner(kind)


def send_ping(kind: str, *, expires: float) -> None:
    """Send a ping to a kind of job runner."""
    # Runners of an earlier version accept no argument.
    given = {} if kind == "jobs" else {"kind": kind}
    ping.apply_async(kwargs=given, queue=QUEUES[kind], expires=expires)
