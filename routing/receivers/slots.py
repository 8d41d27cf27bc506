"""Share a runner's threads among receivers, so that those that answer nothing delay no others.

A post waits for up to 15 seconds. Receivers that failed last time, or whose host lets several wait
in vain, have a quarter of the threads; among the others no account and no host has more than its
part. What finds no slot is left to the next sweep, a second later.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

THREADS: Final = 32
"""What a runner for callbacks has; the slots below leave two of them to look at further calls."""
FAILING: Final = "failing"
EVENTS: Final = "events"
QUESTIONS: Final = "questions"
SLOTS: Final = {FAILING: THREADS // 4, EVENTS: 12, QUESTIONS: 10}
"""Receivers posted to at once, by kind: an answer about an offer is worth five seconds only."""
HOST_SLOTS: Final = 4
"""Receivers of one host posted to at once."""
LONG_SECONDS: Final = 4.0
"""What a failed round must have taken to speak against the whole host."""
SUSPECT_AFTER: Final = 2
"""Such rounds, one after another, after which all receivers of a host count as failing."""
SUSPECT_SECONDS: Final = 120.0
_MOST_HOSTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to post.

    Arguments:
        kind: `EVENTS` or `QUESTIONS`.
        account: what stands for the account.
        host: where the posts go.
        has_failed: whether the receiver took nothing last time.
    """

    kind: str
    account: str
    host: str
    has_failed: bool


class Slots:
    """The slots of one process."""

    def __init__(self) -> None:
        """Begin with all of them free."""
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, ...]] = Counter()
        self._long: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @contextlib.contextmanager
    def slot(self, wish: Wish) -> Iterator[bool]:
        """Hold a slot for a block; the value tells whether there was one."""
        kind = FAILING if wish.has_failed or self.is_suspect(wish.host) else wish.kind
        limits = {
            (kind,): SLOTS[kind],
            (kind, "account", wish.account): SLOTS[kind] // 2,
            (kind, "host", wish.host): HOST_SLOTS,
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

    def note(self, host: str, *, has_failed: bool, seconds: float) -> None:
        """Remember how a round of posts to a host went."""
        with self._lock:
            if not has_failed:
                self._long.pop(host, None)
            elif seconds >= LONG_SECONDS:
                count = self._long.pop(host, (0, 0.0))[0] + 1
                self._long[host] = count, time.monotonic()
                if len(self._long) > _MOST_HOSTS:
                    self._long.popitem(last=False)

    def is_suspect(self, host: str) -> bool:
        """Return whether a host has let several rounds wait in vain lately."""
        count, since = self._long.get(host, (0, 0.0))
        return count >= SUSPECT_AFTER and time.monotonic() - since < SUSPECT_SECONDS


slots: Final = Slots()
