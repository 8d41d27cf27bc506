"""Connect to the Redis that all processes share; its marks, locks and counts may all be lost.

While Redis is away, commands fail at once instead of after a timeout each. One command a second is
sent to find out whether Redis is back. The start and the end of an outage are logged once.
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
"""Errors that a client may raise while Redis is away."""
TRY_SECONDS: Final = 1.0
"""Seconds after a failure until the next attempt."""
SETTLE_SECONDS: Final = 10.0
"""Seconds for which sweeps go on after Redis is back, until all processes have reconnected."""
_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, OSError)


class Outage:
    """The state of one client: whether Redis is away."""

    def __init__(self) -> None:
        """Assume at first that Redis answers."""
        self._lock = threading.Lock()
        self._began_at: float | None = None
        self._try_at = 0.0

    @property
    def is_on(self) -> bool:
        """Return whether Redis did not answer the last command."""
        return self._began_at is not None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Guard commands in a block; fail at once while Redis is away, unless an attempt is due."""
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
            # A command may take as long as the timeout, from which `_note_failure` counts again.
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
    """A client that sends at most one command a second while Redis is away."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Create a client; see `redis.Redis`."""
        self.outage = Outage()
        super().__init__(*args, **options)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its reply."""
        with self.outage.attempt():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """Return a pipeline, which sends its commands in one round trip."""
        made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.outage = self.outage
        return made


class Pipeline(RedisPipeline):
    """A client's pipeline."""

    outage: Outage

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all commands and return their replies."""
        with self.outage.attempt():
            return super().execute(raise_on_error)


def client() -> Client | None:
    """Return this process's client, or None where the settings name no Redis (tests)."""
    return client_of(settings.REDIS_URL)


@functools.lru_cache(maxsize=2)
def client_of(url: str) -> Client | None:
    """Return the client of one Redis, with its connection pool."""
    if not url:
        return None
    # A connection that Redis has closed is retried once; one that times out is not.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    made: Any = Client.from_url(url, retry=retry, **settings.REDIS_TIMEOUTS)
    client: Client = made
    return client


def is_away(*, always_ping: bool = False) -> bool:
    """Return whether Redis is away; during an outage it sends at most one command a second.

    Arguments:
        always_ping: whether to send one also if the last command was answered.
    """
    shared = client()
    if shared is None or not (always_ping or shared.outage.is_on):
        return False
    try:
        shared.ping()
    except BROKEN:
        return True
    return False
