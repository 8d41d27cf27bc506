"""Signs of life that the other processes leave in Redis, for `/healthz` to read."""

from __future__ import annotations

import functools

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

BEAT = "cordboard:alive:beat"
JOBS = "cordboard:alive:jobs"
JOBS_ASKED = "cordboard:alive:jobs-asked"

BEAT_LIFETIME = 5_000
"""Milliseconds for which one tick of beat counts; it ticks every second."""
JOBS_LIFETIME = 1_000
"""Milliseconds for which one answer of a job runner counts, however many ask."""


@functools.cache
def redis() -> Redis:
    """Return this process's client, which says at once when Redis is not there."""
    client: Redis = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=0.5,
        socket_timeout=1,
        # A connection that Redis closed meanwhile is worth a second try; one that is silent is not.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return client


def beat_ticked() -> None:
    """Leave beat's sign of life."""
    redis().set(BEAT, 1, px=BEAT_LIFETIME)


def beat_is_alive() -> bool:
    """Tell whether beat has ticked lately."""
    return bool(redis().exists(BEAT))


def jobs_answered() -> None:
    """Leave a job runner's sign of life."""
    redis().set(JOBS, 1, px=JOBS_LIFETIME)


def jobs_are_alive() -> bool:
    """Tell whether a job runner has answered within the last second."""
    return bool(redis().exists(JOBS))


def may_ask_jobs() -> bool:
    """Claim the right to ask: a runner that was gone must not find a heap of pings."""
    return bool(redis().set(JOBS_ASKED, 1, nx=True, px=JOBS_LIFETIME))
