"""Decide whether a session that wants to be a worker's only one may close the others.

The SDK reconnects a second after it was closed, and requests again to be the only one. Two such
desks would close each other for ever. So a session that was replaced and reconnects with the same
token within `BACK_SECONDS` closes no other; it stays beside them. A desk may also reconnect with a
new token: so all sessions of a worker together close others at most `MOST_REPLACEMENTS` times
within `WINDOW_SECONDS`.
"""

from __future__ import annotations

import itertools
import threading
from typing import Final

from cachetools import TTLCache

from routing.redis import clients

BACK_SECONDS: Final = 30
MOST_REPLACEMENTS: Final = 5
WINDOW_SECONDS: Final = 60

# Used when no Redis is configured (tests).
_lock = threading.Lock()
_replaced: Final[TTLCache[str, None]] = TTLCache(maxsize=10_000, ttl=BACK_SECONDS)
_replacements: Final[TTLCache[str, itertools.count[int]]] = TTLCache(
    maxsize=10_000, ttl=WINDOW_SECONDS
)


def record_replaced(token: str) -> None:
    """Record that a session was replaced, by the digest of its token."""
    client = clients.client()
    if client is None:
        with _lock:
            _replaced[token] = None
    else:
        client.set(_closed(token), 1, ex=BACK_SECONDS)


def may_replace(worker_sid: str, token: str) -> bool:
    """Return whether a session may close its worker's others, and count it if so.

    Arguments:
        token: the digest of the session's token.
    """
    client = clients.client()
    if client is None:
        with _lock:
            if token in _replaced:
                return False
            return (
                next(_replacements.setdefault(worker_sid, itertools.count(1))) <= MOST_REPLACEMENTS
            )
    if client.exists(_closed(token)):
        return False
    counted = f"cordboard:sdk:replacements:{worker_sid}"
    pipeline = client.pipeline()
    pipeline.set(counted, 0, ex=WINDOW_SECONDS, nx=True)
    pipeline.incr(counted)
    count: int = pipeline.execute()[1]
    return count <= MOST_REPLACEMENTS


def _closed(token: str) -> str:
    return f"cordboard:sdk:replaced:{token}"
