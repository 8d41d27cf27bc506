"""Call for a runner that posts what a receiver is owed; where that fails, the sweep finds it.

A call sets the receiver's mark in Redis and sends a job only when the mark was not set: a burst of
events costs one job. Who posts clears the mark before looking, and looks for it again at the end.
"""

from __future__ import annotations

import logging
from typing import Final

import celery

from routing import shared_redis

logger = logging.getLogger(__name__)

JOB: Final = "routing.jobs.call_receiver"
QUEUE: Final = "callbacks"
_MOST_WAITING: Final = 1_000
_MARK_MS: Final = 1_000  # a mark whose job was lost stops nobody for longer than the sweep takes


def call(sid: str) -> None:
    """Have what the receiver of a workspace or a workflow is owed posted soon."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        if client.set(_mark(sid), 1, nx=True, px=_MARK_MS):
            send(sid)
    except shared_redis.BROKEN as error:
        logger.debug("no call for %s (%s); the sweep will find what is owed", sid, error)


def clear(sid: str) -> None:
    """Note that somebody looks now: what comes from here on needs another call."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        client.delete(_mark(sid))
    except shared_redis.BROKEN as error:
        logger.debug("the call for %s stays (%s)", sid, error)


def call_again(sid: str, *, unfinished: bool) -> None:
    """Send another job if there is more to do, or if somebody has called meanwhile."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        if unfinished or client.exists(_mark(sid)):
            send(sid)
    except shared_redis.BROKEN as error:
        logger.debug("%s is left to the sweep (%s)", sid, error)


def send(sid: str) -> None:
    """Send the job; raises what is `shared_redis.BROKEN`.

    Where nobody takes such jobs, they must not fill Redis.
    """
    client = shared_redis.client()
    if client is not None and int(client.llen(QUEUE)) >= _MOST_WAITING:
        logger.error("callbacks are not posted: %d jobs wait for a runner", _MOST_WAITING)
        return
    celery.signature(JOB, kwargs={"sid": sid}).apply_async(expires=10, queue=QUEUE)


def _mark(sid: str) -> str:
    return f"cordboard:call:{sid}"
