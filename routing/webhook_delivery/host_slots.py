"""Share a runner's threads among receivers, so that unresponsive ones do not delay others.

A post waits for up to 15 seconds. Receivers that failed last time, or whose host has timed out
repeatedly, share a quarter of the threads. Among the others, no account and no host gets more than
its share. What gets no slot waits for the next sweep, a second later.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

THREADS: Final = 32
"""Threads of a callback runner; the slots below leave two of them for new jobs."""
FAILING: Final = "failing"
EVENTS: Final = "events"
QUESTIONS: Final = "questions"
SLOTS: Final = {FAILING: THREADS // 4, EVENTS: 12, QUESTIONS: 10}
"""Receivers posted to in parallel, by kind.

Questions have fewer, as they take 5 seconds at most.
"""
HOST_SLOTS: Final = 4
"""Receivers of one host posted to in parallel."""
LONG_SECONDS: Final = 4.0
"""Seconds that a failed round must take to count against the whole host."""
SUSPECT_AFTER: Final = 2
"""Number of such rounds in a row after which all receivers of a host count as failing."""
SUSPECT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """A request for a slot.

    Arguments:
        kind: `EVENTS` or `QUESTIONS`.
        account: identifies the account.
        host: the host of the posts.
        has_failed: whether the receiver failed last time.
    """

    kind: str
    account: str
    host: str
    has_failed: bool


class Slots:
    """The slots of one process."""

    def __init__(self) -> None:
        """Create the slots, all of them free."""
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, ...]] = Counter()
        # Rounds in a row that took long, and the time of the last one, by host.
        self._timeouts: LRUCache[str, tuple[int, float]] = LRUCache(maxsize=1_000)

    @contextlib.contextmanager
    def hold_slot(self, request: SlotRequest) -> Iterator[bool]:
        """Hold a slot for a block; yields whether there was one."""
        kind = FAILING if request.has_failed or self.is_suspect(request.host) else request.kind
        limits = {
            (kind,): SLOTS[kind],
            (kind, "account", request.account): SLOTS[kind] // 2,
            (kind, "host", request.host): HOST_SLOTS,
        }
        with self._lock:
            is_free = all(self._taken[key] < most for key, most in limits.items())
            if is_free:
                self._taken.update(limits.keys())
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._taken.subtract(limits.keys())
                    self._taken = +self._taken

    def record_round(self, host: str, *, has_failed: bool, seconds: float) -> None:
        """Record the result of a round of posts to a host."""
        with self._lock:
            if not has_failed:
                self._timeouts.pop(host, None)
            elif seconds >= LONG_SECONDS:
                count, _ = self._timeouts.get(host, (0, 0.0))
                self._timeouts[host] = count + 1, time.monotonic()

    def is_suspect(self, host: str) -> bool:
        """Return whether a host has recently timed out in several rounds."""
        with self._lock:
            count, since = self._timeouts.get(host, (0, 0.0))
        return count >= SUSPECT_AFTER and time.monotonic() - since < SUSPECT_SECONDS


process_slots: Final = Slots()
