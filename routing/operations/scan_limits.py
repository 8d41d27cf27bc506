"""Limit each account to one list request with a Python filter at a time.

Such a filter uses the CPU the whole time. Several at once would slow down all other callers.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from routing.operations.errors import ApiError

WAIT_SECONDS: Final = 0.5
"""Seconds that a request waits for the account's other one."""

_locks: dict[str, tuple[threading.Lock, int]] = {}
"""By account, its lock and the number of requests that hold it or wait for it."""
_guard = threading.Lock()


@contextlib.contextmanager
def limit_scans(account: str, is_needed: bool) -> Iterator[None]:
    """Hold the account's lock, if needed; raises `ApiError` if another request keeps it."""
    if not is_needed:
        yield
        return
    with _guard:
        lock, users = _locks.get(account, (threading.Lock(), 0))
        _locks[account] = lock, users + 1
    try:
        if not lock.acquire(timeout=WAIT_SECONDS):
            raise ApiError(
                "Another list of this account is being filtered by an expression; try again in 1"
                " second",
                status=429,
                code=20429,
                headers={"Retry-After": "1"},
            )
        try:
            yield
        finally:
            lock.release()
    finally:
        with _guard:
            lock, users = _locks.pop(account)
            if users > 1:
                _locks[account] = lock, users - 1
