"""Share a fixed number of threads fairly among clients."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")
Waiting = tuple[int, "asyncio.Future[int]"]
"""An increasing number, and the future that is set when the request may run."""

READERS_ONLY: Final = 2
"""Threads that writing requests leave free on SQLite, as they may all wait for its one lock."""
FOR_OTHERS: Final = 1
"""Threads that one client leaves free for others, however quick its requests are."""
QUICK_SECONDS: Final = 0.25
"""A client may use more than half of the threads while all its requests run shorter than this."""


class TooManyWaiting(Exception):
    """Too many requests are waiting to accept another one.

    Arguments:
        by_client: whether it is the client's own requests that wait.
    """

    def __init__(self, *, by_client: bool) -> None:
        super().__init__()
        self.by_client = by_client


class FairThreads:
    """Threads, with a fair order of requests.

    One client has at most half of the threads at a time, or all but one while its requests are
    quick; its other requests wait, up to a limit. Waiting clients take turns. All methods are
    called in one event loop.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        waiting: int,
        waiting_by_client: int,
        readers_only: int = 0,
    ) -> None:
        """Start with idle threads.

        Arguments:
            readers_only: how many threads requests that write leave free.
            waiting: how many requests may wait at once.
            waiting_by_client: how many of these may be one client's.
        """
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads
        self._most_by_client = max(threads // 2, 1)
        self._most_if_quick = max(threads - FOR_OTHERS, self._most_by_client)
        self._most_writing = max(threads - readers_only, 1)
        self._most_waiting = waiting
        self._most_waiting_by_client = waiting_by_client
        self._running: dict[str, dict[int, float]] = {}
        """By client, the number and start time of each running request, oldest first."""
        self._busy = 0
        self._writing = 0
        self._waiting: Counter[str] = Counter()
        self._reads: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._writes: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._number = 0

    async def run(
        self, function: Callable[..., T], *args: Any, client: str, writes: bool = False
    ) -> T:
        """Call a function in a thread when the client may run; raises `TooManyWaiting`."""
        number = await self._turn(client, writes)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.threads, function, *args)
        # The thread is busy until the function returns, even if the caller is cancelled.
        work.add_done_callback(lambda _: self._done(client, writes, number))
        return await asyncio.shield(work)

    async def _turn(self, client: str, writes: bool) -> int:
        """Wait until the request may run, and return its number."""
        if not self._waiting[client] and self._may_run(client, writes):
            return self._begin(client, writes)
        if self._waiting[client] >= self._most_waiting_by_client:
            raise TooManyWaiting(by_client=True)
        if self._waiting.total() >= self._most_waiting:
            raise TooManyWaiting(by_client=False)
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._number += 1
        ring = self._writes if writes else self._reads
        ring.setdefault(client, deque()).append((self._number, turn))
        self._waiting[client] += 1
        self._next()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._done(client, writes, turn.result())
            raise

    def _may_run(self, client: str, writes: bool) -> bool:
        return (
            self._busy < self._most
            and not (writes and self._writing >= self._most_writing)
            and self._has_room(client)
        )

    def _has_room(self, client: str) -> bool:
        """Return whether a client may have one more thread."""
        running = self._running.get(client, {})
        if len(running) < self._most_by_client:
            return True
        if len(running) >= self._most_if_quick:
            return False
        return time.monotonic() - next(iter(running.values())) < QUICK_SECONDS

    def _begin(self, client: str, writes: bool) -> int:
        self._number += 1
        self._running.setdefault(client, {})[self._number] = time.monotonic()
        self._busy += 1
        self._writing += writes
        return self._number

    def _done(self, client: str, writes: bool, number: int) -> None:
        del self._running[client][number]
        if not self._running[client]:
            del self._running[client]
        self._busy -= 1
        self._writing -= writes
        self._next()

    def _next(self) -> None:
        """Start the waiting requests that may run."""
        while (found := self._first()) is not None:
            client, writes = found
            ring = self._writes if writes else self._reads
            _, turn = ring[client].popleft()
            if ring[client]:
                ring.move_to_end(client)
            else:
                del ring[client]
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
            if not turn.cancelled():
                turn.set_result(self._begin(client, writes))

    def _first(self) -> tuple[str, bool] | None:
        """Return the next client that may run, and whether its request writes."""
        if self._busy >= self._most:
            return None
        rings = [(self._reads, False)]
        if self._writing < self._most_writing:
            rings.append((self._writes, True))
        found = [first for ring, writes in rings for first in self._first_of(ring, writes)]
        return min(found)[1:] if found else None

    def _first_of(
        self, ring: OrderedDict[str, deque[Waiting]], writes: bool
    ) -> list[tuple[int, str, bool]]:
        # Only clients that use their share of threads are skipped, and these are few.
        for client, queue in ring.items():
            if self._has_room(client):
                return [(queue[0][0], client, writes)]
        return []
