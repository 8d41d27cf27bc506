"""Reach the Redis that all processes share: marks, locks and counts, which may all be lost."""

from __future__ import annotations

import functools

import redis
from django.conf import settings
from kombu.exceptions import KombuError

BROKEN = (redis.RedisError, KombuError, OSError)
"""What may be raised when Redis is away."""


def client() -> redis.Redis | None:
    """Return this process's client, or None where the settings name no Redis (tests)."""
    return client_of(settings.REDIS_URL)


@functools.lru_cache(maxsize=2)
def client_of(url: str) -> redis.Redis | None:
    """Return the client of one Redis, with its pool of connections."""
    return redis.Redis.from_url(url, **settings.REDIS_TIMEOUTS) if url else None
