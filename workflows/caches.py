"""A cache that is bounded by the size of what it holds, not by the number of its entries."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

ENTRY_SIZE: Final = 256
"""What every entry counts for besides its own size."""


class SizedCache(Generic[Value]):
    """Values by key; the ones used longest ago make room once all together are too large."""

    def __init__(self, budget: int) -> None:
        """Begin empty.

        Arguments:
            budget: the size that all entries may have together.
        """
        self._budget = budget
        self._entries: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, make: Callable[[], tuple[Value, int]]) -> Value:
        """Return the value of a key, made with its size if it is not held.

        What is larger than half of the budget is made each time, and what `make` raises is
        raised each time.
        """
        found = self._entries.get(key)
        if found is not None:
            with contextlib.suppress(KeyError):  # it may have made room a moment ago
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
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.size = 0
