"""Coalesce announcements of work in Redis, so that a burst of changes costs one run.

An announcement sets the mark of its key. Only if the mark was not set, a run must be started. A run
clears the mark before it loads its work, and is repeated if the mark was set again. All of this
only saves work: sweeps find what a lost mark hides, and a mark whose run was lost expires.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from routing.redis import clients
from routing.redis.scripts import load_script

MARK_MS: Final = 1_000
"""Milliseconds for which a mark whose run was lost blocks others: the interval of the sweeps."""
_LONGEST_LIST: Final = 10_000
"""Length limit of a list of keys; the oldest keys are left to the sweep."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The state of a key at the end of a run.

    Arguments:
        is_announced: whether the key was announced since the run began.
        was_locked: whether the run had the lock until its end.
    """

    is_announced: bool
    was_locked: bool


class Coalescer:
    """Announcements and runs of keys; all methods raise `clients.BROKEN` while Redis is away.

    Arguments:
        mark_prefix: what the names of the marks begin with; the key follows.
        lock_prefix: what the names of locks begin with, where runs of a key exclude each other.
        lock_seconds: after this time another run may begin, also if the first one still goes on.
        list_name: the list to which announced keys are appended, if runners wait for one.
    """

    def __init__(
        self,
        mark_prefix: str,
        *,
        lock_prefix: str | None = None,
        lock_seconds: float = 0.0,
        list_name: str | None = None,
    ) -> None:
        """Create it without a round trip."""
        self._mark_prefix = mark_prefix
        self._lock_prefix = lock_prefix
        self._lock_ms = int(lock_seconds * 1_000)
        self._list_name = list_name

    def announce(self, key: str) -> bool:
        """Announce work of a key; return whether a run must be started for it.

        False also if no Redis is configured.
        """
        client = clients.client()
        if client is None:
            return False
        keys = [self._mark(key), *([] if self._list_name is None else [self._list_name])]
        announce = load_script(client, "announce")
        return bool(announce(keys=keys, args=[MARK_MS, key, _LONGEST_LIST]))

    def begin(self, key: str) -> str | None:
        """Begin a run, and return a token to end it with; None if another run has the lock."""
        client = clients.client()
        token = secrets.token_hex(8)
        if client is None:
            return token
        begin = load_script(client, "begin")
        return token if begin(keys=self._keys(key), args=[token, self._lock_ms]) else None

    def finish(self, key: str, token: str = "") -> Finish:
        """End a run, and return whether another one must follow.

        Arguments:
            token: the token of `begin`; not needed where runs have no locks.
        """
        client = clients.client()
        if client is None:
            return Finish(is_announced=False, was_locked=True)
        is_announced, was_locked = load_script(client, "finish")(keys=self._keys(key), args=[token])
        return Finish(bool(is_announced), bool(was_locked))

    def is_announced(self, key: str) -> bool | None:
        """Return whether the mark of a key is set; None if no Redis is configured."""
        client = clients.client()
        return None if client is None else bool(client.exists(self._mark(key)))

    def clear(self, key: str) -> None:
        """Clear the mark of a key, so that its next announcement starts a run."""
        client = clients.client()
        if client is not None:
            client.delete(self._mark(key))

    def _mark(self, key: str) -> str:
        return f"{self._mark_prefix}{key}"

    def _keys(self, key: str) -> list[str]:
        lock = [] if self._lock_prefix is None else [f"{self._lock_prefix}{key}"]
        return [self._mark(key), *lock]
