"""Decide whether a session that wants to be a worker's only one may close the others.

The SDK reconnects a second after it was closed, and requests again to be the only one. Two such
desks would close each other for ever. So a session that was replaced and reconnects with the same
token within `BACK_SECONDS` closes no other; it stays beside them. A desk may also reconnect with a
new token: so all sessions of a worker together close others at most `MOST_REPLACEMENTS` times
within `WINDOW_SECONDS`.
"""

from __future__ import annotations

import time
from typing import Final

from routing.redis import clients

BACK_SECONDS: Final = 30
MOST_REPLACEMENTS: Final = 5
WINDOW_SECONDS: Final = 60
_MOST_KNOWN: Final = 10_000

_alone: dict[str, tuple[float, int]] = {}
"""Counts by key, each with its expiry, used when no Redis is configured (tests)."""


def note_replaced(token: str) -> None:
    """Record that a session was replaced, by the digest of its token."""
    client = clients.client()
    if client is None:
        _count_alone(_closed(token), BACK_SECONDS)
    else:
        client.set(_closed(token), 1, ex=BACK_SECONDS)


def may_replace(worker_sid: str, token: str) -> bool:
    """Return whether a session may close its worker's others, and count it if so.

    Arguments:
        token: the digest of the session's token.
    """
    client = clients.client()
    counted = f"cordboard:sdk:replacements:{worker_sid}"
    if client is None:
        if _alone.get(_closed(token), (0.0, 0))[0] > time.monotonic():
            return False
        return _count_alone(counted, WINDOW_SECONDS) <= MOST_REPLACEMENTS
    if client.exists(_closed(token)):
        return False
    pipeline = client.pipeline()
    pipeline.set(counted, 0, ex=WINDOW_SECONDS, nx=True)
    pipeline.incr(counted)
    count: int = pipeline.execute()[1]
    return count <= MOST_REPLACEMENTS


def _closed(token: str) -> str:
    return f"cordboard:sdk:replaced:{token}"


def _count_alone(key: str, seconds: float) -> int:
    now = time.monotonic()
    ends, count = _alone.get(key, (0.0, 0))
    if ends <= now:
        if len(_alone) >= _MOST_KNOWN:
            _alone.clear()
        ends, count = now + seconds, 0
    _alone[key] = ends, count + 1
    return count + 1
