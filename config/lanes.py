"""Share a fixed number of threads among clients, so that none of them keeps the others waiting."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")
Waiting = tuple[int, "asyncio.Future[None]"]
"""Since when, as a number that only grows, and what is set when its turn has come."""

READERS_ONLY: Final = 2
"""Threads that requests which write leave free: they may all wait for the database's one lock."""


class Full(Exception):
    """So much waits already that a request cannot be taken.

    Arguments:
        by_client: whether it is the client's own requests that wait.
    """

    def __init__(self, *, by_client: bool) -> None:
        super().__init__()
        self.by_client = by_client


class Lane:
    """Threads, and fair turns at them.

    One client has at most half of the threads at a time; what else it asks waits, up to a number.
    Of those who wait, clients take turns. All methods are called in one event loop.
    """

    def __init__(self, name: str, *, threads: int, waiting: int, waiting_by_client: int) -> None:
        """Start with idle threads.

        Arguments:
            waiting: how many requests may wait at once.
            waiting_by_client: how many of these may be one client's.
        """
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads
        self._most_by_client = max(threads // 2, 1)
        self._most_writing = max(threads - READERS_ONLY, 1)
        self._most_waiting = waiting
        self._most_waiting_by_client = waiting_by_client
        self._running: Counter[str] = Counter()
        self._writing = 0
        self._waiting: Counter[str] = Counter()
        self._reads: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._writes: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._number = 0

    async def run(
        self, function: Callable[..., T], *args: Any, client: str, writes: bool = False
    ) -> T:
        """Call a function in one of the threads, when it is the client's turn; raises `Full`."""
        await self._turn(client, writes)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.threads, function, *args)
        # The thread is busy until it is done, also when the one who waits for it gives up.
        work.add_done_callback(lambda _: self._done(client, writes))
        return await asyncio.shield(work)

    async def _turn(self, client: str, writes: bool) -> None:
        """Wait for a turn, which is then counted as running."""
        if not self._waiting[client] and self._may_run(client, writes):
            self._begin(client, writes)
            return
        if self._waiting[client] >= self._most_waiting_by_client:
            raise Full(by_client=True)
        if self._waiting.total() >= self._most_waiting:
            raise Full(by_client=False)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        ring = self._writes if writes else self._reads
        ring.setdefault(client, deque()).append((self._number, turn))
        self._waiting[client] += 1
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._done(client, writes)
            raise

    def _may_run(self, client: str, writes: bool) -> bool:
        return (
            self._running.total() < self._most
            and self._running[client] < self._most_by_client
            and not (writes and self._writing >= self._most_writing)
        )

    def _begin(self, client: str, writes: bool) -> None:
        self._running[client] += 1
        self._writing += writes

    def _done(self, client: str, writes: bool) -> None:
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        self._writing -= writes
        self._next()

    def _next(self) -> None:
        """Give free threads to those who may have them."""
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
                self._begin(client, writes)
                turn.set_result(None)

    def _first(self) -> tuple[str, bool] | None:
        """Return who is next among those who may run, by client and whether it writes."""
        if self._running.total() >= self._most:
            return None
        rings = [(self._reads, False)]
        if self._writing < self._most_writing:
            rings.append((self._writes, True))
        found = [first for ring, writes in rings for first in self._first_of(ring, writes)]
        return min(found)[1:] if found else None

    def _first_of(
        self, ring: OrderedDict[str, deque[Waiting]], writes: bool
    ) -> list[tuple[int, str, bool]]:
        # Only clients that have their share of threads are passed over, and these are few.
        for client, queue in ring.items():
            if self._running[client] < self._most_by_client:
                return [(queue[0][0], client, writes)]
        return []
