"""Slow down callers who guess credentials, without locking out the owners.

Failures are counted per sid and address, so that guessing from one place does not slow down valid
callers elsewhere. The first few are free, as people mistype; each further one blocks for longer.
While Redis is unreachable, no caller is slowed down.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import logging
import math
import threading
from typing import Final

import redis
from cachetools import LRUCache
from django.conf import settings

from routing.operations.errors import ApiError
from routing.redis import clients

logger = logging.getLogger(__name__)

FREE_FAILURES: Final = 10
"""Number of failures without a consequence."""
MEMORY_SECONDS: Final = 900
"""Seconds after which failures are forgotten if no other follows."""
LONGEST_BLOCK_SECONDS: Final = 60
"""Seconds for which a caller is blocked at most."""


def record_failure(sid: str, address: str | None, *, now: float) -> None:
    """Count a failure; the more failures, the longer the block after it.

    Arguments:
        now: seconds since the epoch.
    """
    name = _failure_key(sid, address)
    client = clients.client()
    try:
        count = _local_failures.add(name, now) if client is None else _count_in_redis(client, name)
        if count > FREE_FAILURES:
            seconds = min(2 ** min(count - FREE_FAILURES, 16), LONGEST_BLOCK_SECONDS)
            if client is None:
                _local_failures.close(name, now + seconds)
            else:
                client.set(f"cordboard:closed:{name}", 1, ex=seconds)
    except clients.BROKEN as error:
        logger.debug("authentication failure not counted: error=%s", error)


def check_not_blocked(sid: str, address: str | None, *, now: float) -> None:
    """Refuse a caller with too many recent failures, even with right credentials."""
    name = _failure_key(sid, address)
    client = clients.client()
    try:
        if client is None:
            left = _local_failures.closing_time(name) - now
        else:
            left = int(client.pttl(f"cordboard:closed:{name}")) / 1_000
    except clients.BROKEN as error:
        logger.debug("authentication failures not looked up: error=%s", error)
        return
    if left > 0:
        wait = math.ceil(left)
        raise ApiError(
            f"Too many wrong credentials for {sid[:34]} came from your address; try again in"
            f" {wait} {'second' if wait == 1 else 'seconds'}",
            status=429,
            code=20429,
            headers={"Retry-After": str(wait)},
        )


def _failure_key(sid: str, address: str | None) -> str:
    return hashlib.sha256(f"{sid}\n{address}".encode()).hexdigest()[:32]


def _count_in_redis(client: redis.Redis, name: str) -> int:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.incr(f"cordboard:failures:{name}")
        pipeline.expire(f"cordboard:failures:{name}", MEMORY_SECONDS)
        return int(pipeline.execute()[0])


class _LocalFailures:
    """Counts in this process only, used when no Redis is configured."""

    def __init__(self, most: int = 10_000) -> None:
        self.counts: LRUCache[str, tuple[int, float]] = LRUCache(maxsize=most)
        self.closed_until: LRUCache[str, float] = LRUCache(maxsize=most)
        self.lock = threading.Lock()

    def add(self, name: str, now: float) -> int:
        """Add one failure and return the count."""
        with self.lock:
            count, last = self.counts.get(name, (0, now))
            count = 1 if now - last >= MEMORY_SECONDS else count + 1
            self.counts[name] = count, now
            return count

    def close(self, name: str, until: float) -> None:
        """Block the name until a moment."""
        with self.lock:
            self.closed_until[name] = until

    def closing_time(self, name: str) -> float:
        """Return the moment until which the name is blocked; 0 if it never was."""
        with self.lock:
            return self.closed_until.get(name, 0.0)


_local_failures = _LocalFailures()


class ValidCredentials:
    """Bounded in-process cache of digests of recently valid credentials, with their account.

    These skip the query to Redis, and keep working while another client behind the same address (an
    office or a proxy) guesses.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._known: LRUCache[bytes, str] = LRUCache(maxsize=most)
        self._lock = threading.Lock()

    def find_account(self, *presented: str | None) -> str | None:
        """Return the account of cached credentials, and mark them as recently used."""
        digest = _digest(presented)
        with self._lock:
            return self._known.get(digest)

    def add(self, *presented: str | None, account_sid: str) -> None:
        """Cache valid credentials."""
        with self._lock:
            self._known[_digest(presented)] = account_sid


class ProvenSecrets:
    """Bounded in-process cache of sealed secrets that were presented, which saves opening them.

    Only a success is cached, as a digest. A refusal always opens what it compares, so that it takes
    the same time for a known sid as for an unknown one.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._digests: LRUCache[str, bytes] = LRUCache(maxsize=most)
        self._lock = threading.Lock()

    def matches(self, sealed: str, presented: str) -> bool:
        """Return whether this secret was presented for the sealed one before."""
        with self._lock:
            known = self._digests.get(sealed)
        return known is not None and hmac.compare_digest(known, _digest((presented,)))

    def add(self, sealed: str, presented: str) -> None:
        """Cache a secret that matched."""
        with self._lock:
            self._digests[sealed] = _digest((presented,))


def _digest(presented: tuple[str | None, ...]) -> bytes:
    # What an older key proved no longer counts once that key is dropped.
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return hashlib.blake2b(repr(presented).encode(), key=_digest_key(keys), digest_size=16).digest()


@functools.lru_cache(maxsize=2)
def _digest_key(secret_keys: tuple[str, ...]) -> bytes:
    return hashlib.sha256(repr(secret_keys).encode()).digest()
