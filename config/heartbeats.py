"""Signs of life that the other processes leave in Redis, for `/healthz` and `manage.py alive`."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Final

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

BEAT: Final = "cordboard:alive:beat"
RUNNERS: Final = ("jobs", "callbacks")
"""The kinds of job runners, each with a queue of its own."""

BEAT_LIFETIME_MS: Final = 5_000
"""For how long one tick of beat counts; it ticks every second."""
RUNNER_LIFETIME_MS: Final = 1_000
"""For how long one answer of a job runner counts, however many ask."""


@functools.cache
def redis() -> Redis:
    """Return this process's client, which fails at once when Redis is not there."""
    client: Redis = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=0.5,
        socket_timeout=1,
        # A connection that Redis closed meanwhile is worth a second try; one that is silent is not.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return client


def record_beat() -> None:
    """Leave beat's sign of life."""
    redis().set(BEAT, 1, px=BEAT_LIFETIME_MS)


def beat_is_alive() -> bool:
    """Return whether beat has ticked lately."""
    return bool(redis().exists(BEAT))


def record_runner(kind: str) -> None:
    """Leave the sign of life of a kind of job runner."""
    redis().set(_answered(kind), 1, px=RUNNER_LIFETIME_MS)


def silent_runners(kinds: Collection[str]) -> list[str]:
    """Return the kinds of job runners of which none has answered within the last second."""
    return [kind for kind in kinds if not redis().exists(_answered(kind))]


def may_ask_runner(kind: str) -> bool:
    """Claim the right to ask: a runner that was gone must not find a heap of pings."""
    return bool(redis().set(f"{_answered(kind)}-asked", 1, nx=True, px=RUNNER_LIFETIME_MS))


def _answered(kind: str) -> str:
    return f"cordboard:alive:{kind}"
