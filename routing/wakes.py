"""Wake the router for a workspace, and see that one cycle runs in it at a time.

A wake sets the workspace's mark in Redis and sends a job only when the mark was not set: a burst of
changes costs one job. Whoever runs the cycle clears the mark before looking, and looks again when
it was set meanwhile. All of this only saves work: what a lost wake or a lost lock would cost, the
beat's sweep and the conditional updates make good.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import celery
import redis
from django.conf import settings
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)

_MARK_MS = 1_000  # a mark whose job was lost stops nobody for longer than the sweep takes
_LOCK_SECONDS = 5  # as long may a dead runner's lock stand in the way; correctness does not need it


@functools.lru_cache(maxsize=1)
def _redis() -> redis.Redis | None:
    """Return the connection pool's client, or None where the settings name no Redis (tests)."""
    if not settings.REDIS_URL:
        return None
    return redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_TIMEOUTS)


def wake(workspace_sid: str) -> None:
    """Have a cycle run in this workspace soon; where that fails, the sweep finds the work."""
    client = _redis()
    if client is None:
        return
    try:
        if client.set(_mark(workspace_sid), 1, nx=True, px=_MARK_MS):
            celery.signature(
                "routing.jobs.run_cycle", kwargs={"workspace_sid": workspace_sid}
            ).apply_async(expires=10)
    except (redis.RedisError, KombuError, OSError) as error:
        logger.warning("no wake for %s (%s); the sweep will find its work", workspace_sid, error)


def turns(workspace_sid: str) -> Iterator[None]:
    """Yield once for each cycle that the caller should run now.

    Yields nothing while another runner's cycle is under way: that runner sees the mark.
    """
    client = _redis()
    if client is None:
        yield
        return
    while True:
        with _sole_runner(client, workspace_sid) as alone:
            if not alone:
                return
            client.delete(_mark(workspace_sid))
            yield
        if not client.exists(_mark(workspace_sid)):
            return


@contextmanager
def _sole_runner(client: redis.Redis, workspace_sid: str) -> Iterator[bool]:
    lock = client.lock(
        f"cordboard:cycle:{workspace_sid}",
        timeout=_LOCK_SECONDS,
        blocking=False,
        thread_local=False,
    )
    alone = lock.acquire()
    try:
        yield alone
    finally:
        if alone:
            try:
                lock.release()
            except redis.exceptions.LockError:
                logger.info("the cycle of %s outlasted its lock", workspace_sid)


def _mark(workspace_sid: str) -> str:
    return f"cordboard:wake:{workspace_sid}"
