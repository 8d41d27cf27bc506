"""A cache bounded by the total size of its entries, not by their number."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

ENTRY_SIZE: Final = 256
"""Size that every entry counts in addition to its own."""


class SizedCache(Generic[Value]):
    """A cache that evicts the least recently used entries when they exceed the budget."""

    def __init__(self, budget: int) -> None:
        """Create an empty cache.

        Arguments:
            budget: the maximum total size of all entries.
        """
        self._budget = budget
        self._entries: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, make: Callable[[], tuple[Value, int]]) -> Value:
        """Return the value of a key; on a miss, `make` returns it with its size.

        A value larger than half of the budget is not cached, and neither is an exception of `make`.
        """
        found = self._entries.get(key)
        if found is not None:
            with contextlib.suppress(KeyError):  # it may just have been evicted
                self._entries.move_to_end(key)
            return found[0]
        value, size = make()
        size += ENTRY_SIZE
        if size <= self._budget // 2:
            with self._lock:
                if key not in self._entries:
                    self._entries[key] = value, size
                    self.size += size
                while self.size > self._budget:
                    self.size -= self._entries.popitem(last=False)[1][1]
        return value

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._entries.clear()
            self.size = 0
