"""Reach the Redis that all processes share: marks, locks and counts, which may all be lost.

While Redis is away, questions fail at once rather than after a timeout each, but for one a second
that finds out whether it is back. That it is away, and back, is logged here, once each.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from django.conf import settings
from kombu.exceptions import KombuError
from redis.backoff import NoBackoff
from redis.client import Pipeline as RedisPipeline
from redis.retry import Retry

logger = logging.getLogger(__name__)

BROKEN = (redis.RedisError, KombuError, OSError)
"""What may be raised when Redis is away."""
TRY_SECONDS: Final = 1.0
"""How long after a failure Redis is asked again."""
_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, OSError)


class Outage:
    """Whether Redis is away, for one client."""

    def __init__(self) -> None:
        """Begin with a Redis that is there."""
        self._lock = threading.Lock()
        self._began_at: float | None = None
        self._try_at = 0.0

    @property
    def is_on(self) -> bool:
        """Return whether Redis did not answer the last time it was asked."""
        return self._began_at is not None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Ask Redis in a block; fails at once while Redis is away, unless it is time to try."""
        if self._began_at is not None and not self._may_try():
            raise redis.ConnectionError("Redis is away")
        try:
            yield
        except _AWAY as error:
            self._note_failure(error)
            raise
        except redis.RedisError:
            self._note_answer()
            raise
        if self._began_at is not None:
            self._note_answer()

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._try_at:
                return False
            # A question may hang for as long as the timeout, which `_note_failure` then counts on.
            self._try_at = now + TRY_SECONDS
            return True

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            self._try_at = time.monotonic() + TRY_SECONDS
            if self._began_at is not None:
                return
            self._began_at = time.monotonic()
        logger.error("redis.away: runners look for work themselves until it is back (%s)", error)

    def _note_answer(self) -> None:
        with self._lock:
            if self._began_at is None:
                return
            seconds = time.monotonic() - self._began_at
            self._began_at = None
        logger.warning("redis.back after %.0f seconds", seconds)


class Client(redis.Redis):
    """A client that waits in vain for one question only while Redis is away."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Make a client; see `redis.Redis`."""
        self.outage = Outage()
        super().__init__(*args, **options)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask Redis one thing."""
        with self.outage.attempt():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """Return a pipeline, whose questions are asked at once."""
        made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.outage = self.outage
        return made


class Pipeline(RedisPipeline):
    """A client's pipeline."""

    outage: Outage

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Ask all of it."""
        with self.outage.attempt():
            return super().execute(raise_on_error)


def client() -> Client | None:
    """Return this process's client, or None where the settings name no Redis (tests)."""
    return client_of(settings.REDIS_URL)


@functools.lru_cache(maxsize=2)
def client_of(url: str) -> Client | None:
    """Return the client of one Redis, with its pool of connections."""
    if not url:
        return None
    # A connection that Redis has closed is worth a second try; one that is silent is not.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    made: Any = Client.from_url(url, retry=retry, **settings.REDIS_TIMEOUTS)
    client: Client = made
    return client


def is_away() -> bool:
    """Return whether Redis is away, as far as this process knows; asks again once a second."""
    found = client()
    if found is None or not found.outage.is_on:
        return False
    try:
        found.ping()
    except BROKEN:
        return True
    return False
