"""Detect when all sessions that started together with one token have read their lists.

An SDK request identifies its token, but not which of the token's sessions it belongs to. A session
that starts alone owns the lists that are read. If several start together, each waits until as many
lists as sessions were read. So no session gets events before its own lists were read.
"""

from __future__ import annotations

import weakref
from typing import Final

LONGEST: Final = 5.0
"""Seconds after which a session stops waiting for more lists."""


class ListBarrier:
    """A group of sessions of one token that started before the first had read all its lists."""

    def __init__(self, now: float) -> None:
        """Create an empty group."""
        self.begun = now
        self.sessions = 0
        self._lists: set[str] = set()

    def count_read(self, notice_id: str) -> None:
        """Count a read of the lists; every session gets the notice of it."""
        self._lists.add(notice_id)

    @property
    def is_over(self) -> bool:
        """Return whether as many lists as sessions were read."""
        return len(self._lists) >= self.sessions


class ListBarriers:
    """The groups of one event loop, each kept while its sessions live."""

    def __init__(self) -> None:
        """Create an empty registry."""
        self._of_tokens: weakref.WeakValueDictionary[str, ListBarrier] = (
            weakref.WeakValueDictionary()
        )

    def join(self, digest: str, *, now: float) -> ListBarrier:
        """Return the group that a new session joins.

        Arguments:
            digest: the token's digest.
            now: the time of the monotonic clock.
        """
        found = self._of_tokens.get(digest)
        if found is None or found.is_over or now - found.begun > LONGEST:
            found = self._of_tokens[digest] = ListBarrier(now)
        found.sessions += 1
        return found
