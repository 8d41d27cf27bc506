"""Enqueue jobs that post a receiver's due callbacks; the sweep finds those whose job was lost.

Enqueuing sets the receiver's mark in Redis, and sends a job only if the mark was not set, so a
burst of events costs one job. The job clears the mark before it queries, and checks it again at the
end.
"""

from __future__ import annotations

import logging
from typing import Final

import celery

from routing.redis import clients

logger = logging.getLogger(__name__)

JOB: Final = "routing.jobs.call_receiver"
QUEUE: Final = "callbacks"
_MOST_WAITING: Final = 1_000
_MARK_MS: Final = 1_000  # the sweep takes as long, so a mark whose job was lost delays nothing


def enqueue(sid: str) -> None:
    """Enqueue a job for the due callbacks of a workspace or a workflow."""
    client = clients.client()
    if client is None:
        return
    try:
        if client.set(_mark(sid), 1, nx=True, px=_MARK_MS):
            send(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks.not_enqueued receiver=%s error=%s", sid, error)


def clear(sid: str) -> None:
    """Clear the mark before a query, so that later callbacks enqueue another job."""
    client = clients.client()
    if client is None:
        return
    try:
        client.delete(_mark(sid))
    except clients.BROKEN as error:
        logger.debug("callbacks.mark_not_cleared receiver=%s error=%s", sid, error)


def enqueue_retry(sid: str, *, unfinished: bool) -> None:
    """Enqueue another job if callbacks are left, or if the mark was set again."""
    client = clients.client()
    if client is None:
        return
    try:
        if unfinished or client.exists(_mark(sid)):
            send(sid)
    except clients.BROKEN as error:
        logger.debug("callbacks.left_to_sweep receiver=%s error=%s", sid, error)


def send(sid: str) -> None:
    """Send the job; raises `clients.BROKEN`.

    Without a runner for these jobs, they must not fill Redis.
    """
    client = clients.client()
    if client is not None and int(client.llen(QUEUE)) >= _MOST_WAITING:
        logger.error("callbacks are not posted: %d jobs wait for a runner", _MOST_WAITING)
        return
    celery.signature(JOB, kwargs={"sid": sid}).apply_async(expires=10, queue=QUEUE)


def _mark(sid: str) -> str:
    return f"cordboard:call:{sid}"
