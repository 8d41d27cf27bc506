"""Count each account's requests in time windows, if the operator has set a limit.

Windows are aligned to the clock, so that all web processes share them without coordination: each
counts in Redis under the window's key. While Redis is unreachable, requests pass.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache
from django.conf import settings

from routing.operations.errors import ApiError
from routing.redis import clients

logger = logging.getLogger(__name__)

_UNITS: Final = {1: "second", 60: "minute", 3600: "hour"}


@dataclass(frozen=True, slots=True)
class RateLimitUse:
    """The use of an account's limit, after one request.

    Arguments:
        seconds: the length of a window.
        left: the requests left in the window; below 0 if this one exceeds the limit.
        wait: seconds until the next window begins.
    """

    limit: int
    seconds: int
    left: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the rate limit headers of an answer."""
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(self.left, 0)),
            "X-Rate-Limit-Config": f"{self.limit}/{_UNITS[self.seconds]}",
        }

    def check(self) -> None:
        """Raise `ApiError` if the request exceeds the limit."""
        if self.left >= 0:
            return
        unit = "second" if self.wait == 1 else "seconds"
        raise ApiError(
            f"Too many requests: at most {self.limit} in one {_UNITS[self.seconds]} are allowed;"
            f" try again in {self.wait} {unit}",
            status=429,
            code=20429,
            headers={"Retry-After": str(self.wait)},
        )


def count_request(account_sid: str, *, now: float) -> RateLimitUse | None:
    """Count one request of an account; None if there is no limit.

    Arguments:
        now: seconds since the epoch.
    """
    if settings.RATE_LIMIT is None:
        return None
    limit, seconds = settings.RATE_LIMIT
    window = int(now // seconds)
    used = increment_counter(f"cordboard:rate:{account_sid}:{seconds}:{window}", seconds=seconds)
    wait = max(math.ceil((window + 1) * seconds - now), 1)
    return RateLimitUse(limit, seconds, limit - used, wait)


def increment_counter(key: str, *, seconds: int, more: int = 1) -> int:
    """Add to a counter shared by all processes and return it; 0 while Redis is unreachable.

    Arguments:
        seconds: how long the counter is kept.
    """
    client = clients.client()
    if client is None:
        return _local_counters.add(key, more)
    try:
        with client.pipeline(transaction=False) as pipeline:
            pipeline.incrby(key, more)
            pipeline.expire(key, seconds + 1)
            return int(pipeline.execute()[0])
    except clients.BROKEN as error:
        logger.debug("requests not counted: error=%s", error)
        return 0


class _LocalCounters:
    """Counts in this process only, used when no Redis is configured: the current window's keys."""

    def __init__(self) -> None:
        self.counts: LRUCache[str, int] = LRUCache(maxsize=1_000)
        self.lock = threading.Lock()

    def add(self, key: str, more: int) -> int:
        """Add to a counter and return it."""
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + more
            return self.counts[key]


_local_counters = _LocalCounters()
