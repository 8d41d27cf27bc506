"""Tell when sessions that began together with one token have all read their lists.

A request of the SDK says by its token whose it is, and not for which of that token's sessions. The
lists of a session that begins alone are its own; of several, each waits until there were as many
lists as sessions, so that it is told of nothing before its own were read.
"""

from __future__ import annotations

import weakref
from typing import Final

LONGEST: Final = 5.0
"""Seconds after which a session waits for no more lists."""


class Beginning:
    """Sessions of one token, none of which can have got all its lists before the last began."""

    def __init__(self, now: float) -> None:
        """Begin with nobody."""
        self.begun = now
        self.sessions = 0
        self._lists: set[str] = set()

    def hear(self, notice_id: str) -> None:
        """Count a list, of which every session is told."""
        self._lists.add(notice_id)

    @property
    def is_over(self) -> bool:
        """Tell whether there were as many lists as sessions."""
        return len(self._lists) >= self.sessions


class Beginnings:
    """Those of one event loop, each for as long as its sessions last."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of_tokens: weakref.WeakValueDictionary[str, Beginning] = weakref.WeakValueDictionary()

    def join(self, digest: str, *, now: float) -> Beginning:
        """Return the beginning that a new session has a part in.

        Arguments:
            digest: of the token.
            now: of the monotonic clock.
        """
        found = self._of_tokens.get(digest)
        if found is None or found.is_over or now - found.begun > LONGEST:
            found = self._of_tokens[digest] = Beginning(now)
        found.sessions += 1
        return found
