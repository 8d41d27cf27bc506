"""Let each account look through rows with one request at a time.

A filter that only Python can ask computes all the time that it takes, to be read and to be asked:
several at once would slow down everybody else.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from routing.api.errors import ApiError

WAIT_SECONDS: Final = 0.5
"""How long a request waits for the account's other one."""

_turns: dict[str, tuple[threading.Lock, int]] = {}
"""By account, its lock and how many requests have it or wait for it."""
_guard = threading.Lock()


@contextlib.contextmanager
def turn(account: str, is_needed: bool) -> Iterator[None]:
    """Hold the account's only turn, if needed; raises `ApiError` when it does not come soon."""
    if not is_needed:
        yield
        return
    with _guard:
        lock, users = _turns.get(account, (threading.Lock(), 0))
        _turns[account] = lock, users + 1
    try:
        if not lock.acquire(timeout=WAIT_SECONDS):
            raise ApiError(
                "Other lists of this account are filtered by expressions just now; try again in 1"
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
            lock, users = _turns.pop(account)
            if users > 1:
                _turns[account] = lock, users - 1
