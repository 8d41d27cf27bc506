"""Which workspaces' floors are watched now, in Redis.

Who watches renews its watch about once a second; couriers publish marks only for what is watched.
Without Redis, as in tests, only the watches of this process are known.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from routing.redis import clients

WATCH_SECONDS: Final = 5.0
"""Seconds after which a watch ends that is not renewed."""
_WATCHES: Final = "cordboard:floors:watched"

_lock: Final = threading.Lock()
_here: Final[dict[str, float]] = {}


def renew_watch(workspace_sid: str) -> bool:
    """Watch a floor for `WATCH_SECONDS`; return whether it was watched already.

    Raises `clients.BROKEN`.
    """
    client = clients.client()
    if client is None:
        with _lock:
            before = _here.get(workspace_sid, 0.0)
            _here[workspace_sid] = time.monotonic() + WATCH_SECONDS
        return before > time.monotonic()
    now = time.time()
    pipeline = client.pipeline()
    pipeline.zremrangebyscore(_WATCHES, "-inf", now)
    pipeline.zadd(_WATCHES, {workspace_sid: now + WATCH_SECONDS})
    return not pipeline.execute()[1]


def list_watched() -> frozenset[str]:
    """Return the sids of the workspaces that are watched; raises `clients.BROKEN`."""
    client = clients.client()
    if client is None:
        with _lock:
            now = time.monotonic()
            return frozenset(sid for sid, until in _here.items() if until > now)
    found: list[Any] = client.zrangebyscore(_WATCHES, time.time(), "+inf")
    return frozenset(each.decode() if isinstance(each, bytes) else each for each in found)


def forget_watches() -> None:
    """Forget the watches of this process."""
    with _lock:
        _here.clear()
