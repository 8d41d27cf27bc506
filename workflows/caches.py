"""A cache bounded by the total size of its entries, not by their number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")

ENTRY_SIZE: Final = 256
"""Size that every entry counts in addition to its own."""


class SizedCache(Generic[Value]):
    """A thread-safe cache that evicts the least recently used entries beyond its budget."""

    def __init__(self, budget: int) -> None:
        """Create an empty cache.

        Arguments:
            budget: the maximum total size of all entries.
        """
        self._entries: LRUCache[Hashable, tuple[Value, int]] = LRUCache(
            maxsize=budget, getsizeof=_entry_size
        )
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> float:
        """Return the total size of all entries."""
        return self._entries.currsize

    def get(self, key: Hashable, make: Callable[[], tuple[Value, int]]) -> Value:
        """Return the value of a key; on a miss, `make` returns it with its size.

        A value larger than half of the budget is not cached, and neither is an exception of `make`.
        """
        with self._lock:
            try:
                return self._entries[key][0]
            except KeyError:
                pass
        value, size = make()
        if size + ENTRY_SIZE <= self._entries.maxsize // 2:
            with self._lock:
                self._entries.setdefault(key, (value, size))
        return value

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._entries.clear()


def _entry_size(entry: tuple[object, int]) -> int:
    return entry[1] + ENTRY_SIZE
