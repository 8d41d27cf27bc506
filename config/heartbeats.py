"""Heartbeats of the other processes in Redis, for `/healthz` and `manage.py alive`."""

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

ALIVE: Final = "alive"
"""The remote command with which `manage.py alive` checks a job runner."""
RUNNERS: Final = ("jobs", "callbacks")
"""The kinds of job runners, each with its own queue."""

BEAT_LIFETIME_MS: Final = 5_000
"""Milliseconds for which a tick of beat is valid; it ticks every second."""
RUNNER_LIFETIME_MS: Final = 1_000
"""Milliseconds for which an answer of a job runner is valid, shared by all checks."""


@functools.cache
def open_redis() -> Redis:
    """Return this process's client, which fails at once if Redis is unreachable."""
    client: Redis = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=0.5,
        socket_timeout=1,
        # One retry for a connection that Redis has closed, but none for a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return client


def record_beat() -> None:
    """Record beat's heartbeat."""
    open_redis().set(BEAT, 1, px=BEAT_LIFETIME_MS)


def beat_is_alive() -> bool:
    """Return whether beat has ticked recently."""
    return bool(open_redis().exists(BEAT))


def record_runner(kind: str) -> None:
    """Record the heartbeat of a kind of job runner."""
    open_redis().set(_answered(kind), 1, px=RUNNER_LIFETIME_MS)


def silent_runners(kinds: Collection[str]) -> list[str]:
    """Return the kinds of job runners of which none has answered within the last second."""
    return [kind for kind in kinds if not open_redis().exists(_answered(kind))]


def may_ask_runner(kind: str) -> bool:
    """Claim the right to send a ping, so that pings do not pile up while a runner is away."""
    return bool(open_redis().set(f"{_answered(kind)}-asked", 1, nx=True, px=RUNNER_LIFETIME_MS))


def _answered(kind: str) -> str:
    return f"cordboard:alive:{kind}"
