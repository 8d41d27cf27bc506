"""Limits of the bytes that requests keep in memory while they are received and answered."""

from __future__ import annotations

from collections import Counter
from typing import Final

SMALL_BYTES: Final = 16 * 1024
"""A body up to this size is always taken, so that large ones never keep small ones out."""
TOTAL_BYTES: Final = 64 * 1024 * 1024
"""What all larger bodies of one process may hold together."""
CLIENT_BYTES: Final = TOTAL_BYTES // 4
"""What those of one client may hold."""


class Budget:
    """The bytes of bodies that are held now, in all and by client."""

    def __init__(self, *, total: int = TOTAL_BYTES, client: int = CLIENT_BYTES) -> None:
        """Begin with none."""
        self._total = total
        self._client = client
        self._held: Counter[str] = Counter()

    def take(self, client: str, size: int) -> bool:
        """Reserve bytes for a client, unless that is more than it or all may hold."""
        if self._held.total() + size > self._total or self._held[client] + size > self._client:
            return False
        self._held[client] += size
        return True

    def give_back(self, client: str, size: int) -> None:
        """Release bytes of a client."""
        self._held[client] -= size
        if self._held[client] <= 0:
            del self._held[client]


class Share:
    """What one request holds of a budget."""

    def __init__(self, budget: Budget, client: str) -> None:
        """Begin with nothing."""
        self._budget = budget
        self._client = client
        self.received = 0
        self._held = 0

    def add(self, size: int) -> bool:
        """Count bytes that have come; return whether there was room for them."""
        self.received += size
        if self.received <= SMALL_BYTES:
            return True
        wanted = self.received - self._held
        if not self._budget.take(self._client, wanted):
            return False
        self._held += wanted
        return True

    def release(self) -> None:
        """Give everything back; a second call does nothing."""
        self._budget.give_back(self._client, self._held)
        self._held = 0
