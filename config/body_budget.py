"""Limit the memory for request bodies while they are received and answered."""

from __future__ import annotations

from collections import Counter
from typing import Final

SMALL_BYTES: Final = 16 * 1024
"""A body up to this size is always accepted, so that large ones never block small ones."""
TOTAL_BYTES: Final = 64 * 1024 * 1024
"""Maximum bytes of all larger bodies in a process."""
CLIENT_BYTES: Final = TOTAL_BYTES // 4
"""Maximum bytes of all larger bodies of one client."""


class BodyBudget:
    """The bytes of bodies in memory, in total and by client."""

    def __init__(self, *, total: int = TOTAL_BYTES, client: int = CLIENT_BYTES) -> None:
        """Create an empty budget."""
        self._total = total
        self._client = client
        self._held: Counter[str] = Counter()

    def take(self, client: str, size: int) -> bool:
        """Reserve bytes for a client; return whether they fit the client's limit and the total."""
        if self._held.total() + size > self._total or self._held[client] + size > self._client:
            return False
        self._held[client] += size
        return True

    def give_back(self, client: str, size: int) -> None:
        """Release bytes of a client."""
        self._held[client] -= size
        if self._held[client] <= 0:
            del self._held[client]


class BodyShare:
    """The part of a budget that one request holds."""

    def __init__(self, budget: BodyBudget, client: str) -> None:
        """Create an empty share."""
        self._budget = budget
        self._client = client
        self.received = 0
        self._held = 0

    def add(self, size: int) -> bool:
        """Count received bytes; return whether they fit the budget."""
        self.received += size
        if self.received <= SMALL_BYTES:
            return True
        wanted = self.received - self._held
        if not self._budget.take(self._client, wanted):
            return False
        self._held += wanted
        return True

    def release(self) -> None:
        """Release all bytes; a second call does nothing."""
        self._budget.give_back(self._client, self._held)
        self._held = 0
