"""Enqueue jobs that post a receiver's due callbacks; the sweep finds those whose job was lost.

A burst of events costs one job, by `routing.redis.coalescing`.
"""

from __future__ import annotations

import logging
from typing import Final

import celery

from routing.redis import clients
from routing.redis.coalescing import Coalescer

logger = logging.getLogger(__name__)

JOB: Final = "routing.jobs.call_receiver"
QUEUE: Final = "callbacks"
_MOST_WAITING: Final = 1_000

_calls: Final = Coalescer("cordboard:call:")


def enqueue(sid: str) -> None:
    """Enqueue a job for the due callbacks of a workspace or a workflow."""
    try:
        if _calls.announce(sid):
            send_job(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks.not_enqueued receiver=%s error=%s", sid, error)


def begin_job(sid: str) -> None:
    """Clear the mark before a query, so that later callbacks enqueue another job."""
    try:
        _calls.begin(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks.mark_not_cleared receiver=%s error=%s", sid, error)


def finish_job(sid: str, *, is_unfinished: bool) -> None:
    """Enqueue another job if callbacks are left, or if some were enqueued during this job."""
    try:
        if is_unfinished or _calls.finish(sid).is_announced:
            send_job(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks.left_to_sweep receiver=%s error=%s", sid, error)


def send_job(sid: str) -> None:
    """Send the job; raises `clients.BROKEN`.

    Without a runner for these jobs, they must not fill Redis.
    """
    client = clients.client()
    if client is not None and int(client.llen(QUEUE)) >= _MOST_WAITING:
        logger.error("callbacks are not posted: %d jobs wait for a runner", _MOST_WAITING)
        return
    celery.signature(JOB, kwargs={"sid": sid}).apply_async(expires=10, queue=QUEUE)
