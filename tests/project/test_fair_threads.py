"""Threads are shared: no client has all of them, writers leave some, and clients take turns."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from config import fair_threads
from config.fair_threads import FairThreads, TooManyWaiting


class Busy:
    """A lane whose requests last until a test releases them."""

    def __init__(
        self,
        threads: int,
        *,
        waiting: int = 100,
        waiting_by_client: int = 100,
        readers_only: int = 0,
    ) -> None:
        self.lane = FairThreads(
            "test",
            threads=threads,
            waiting=waiting,
            waiting_by_client=waiting_by_client,
            readers_only=readers_only,
        )
        self.asked: list[asyncio.Task[None]] = []
        self.begun: list[str] = []
        self._holds: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    def ask(self, client: str, *, writes: bool = False, count: int = 1) -> None:
        """Start a client's request that lasts until it is released."""
        hold = self._holds.setdefault(client, threading.Semaphore(0))

        def work() -> None:
            with self._lock:
                self.begun.append(client)
            hold.acquire()

        for _ in range(count):
            self.asked.append(
                asyncio.ensure_future(self.lane.run(work, client=client, writes=writes))
            )

    def release(self, client: str, count: int = 1) -> None:
        """End so many of a client's."""
        self._holds[client].release(count)

    async def running(self, count: int) -> Counter[str]:
        """Return the clients of the requests that have begun, once there are so many."""
        while len(self.begun) < count:
            await asyncio.sleep(0.001)
        # Whatever could begin beside them has begun by now: turns are given in the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(self.begun) == count
        return Counter(self.begun)

    async def end(self) -> None:
        """Release all requests."""
        for client in self._holds:
            self.release(client, len(self.asked))
        await asyncio.gather(*self.asked, return_exceptions=True)
        self.lane.threads.shutdown()


async def test_a_client_with_slow_requests_gets_half_of_the_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_threads, "QUICK_SECONDS", 0.0)
    busy = Busy(8)
    busy.ask("greedy", count=20)
    assert await busy.running(4) == {"greedy": 4}
    busy.ask("modest")
    assert (await busy.running(5))["modest"] == 1
    busy.release("greedy")
    assert (await busy.running(6))["greedy"] == 5
    await busy.end()
    assert len(busy.begun) == 21


async def test_a_client_with_quick_requests_leaves_one_thread_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_threads, "QUICK_SECONDS", 3_600.0)
    busy = Busy(8)
    busy.ask("greedy", count=20)
    assert await busy.running(7) == {"greedy": 7}
    busy.ask("modest", count=3)
    assert await busy.running(8) == {"greedy": 7, "modest": 1}
    await busy.end()
    assert len(busy.begun) == 23


async def test_writing_requests_leave_threads_to_reading_requests() -> None:
    busy = Busy(8, readers_only=2)
    for number in range(10):
        busy.ask(f"writer {number}", writes=True)
    await busy.running(6)
    busy.ask("reader", count=2)
    assert (await busy.running(8))["reader"] == 2
    await busy.end()
    assert len(busy.begun) == 12


async def test_waiting_clients_take_turns() -> None:
    busy = Busy(1)
    busy.ask("first")
    await busy.running(1)
    busy.ask("greedy", count=3)
    busy.ask("modest", count=1)
    for client in ("first", "greedy", "modest", "greedy", "greedy"):
        busy.release(client)
    await asyncio.gather(*busy.asked)
    assert busy.begun == ["first", "greedy", "modest", "greedy", "greedy"]
    await busy.end()


async def test_requests_beyond_the_queue_are_refused_at_once() -> None:
    busy = Busy(1, waiting=3, waiting_by_client=2)
    busy.ask("greedy", count=4)
    busy.ask("second", count=1)
    busy.ask("third", count=1)
    await busy.running(1)
    with pytest.raises(TooManyWaiting) as full:
        await busy.asked[3]
    assert full.value.by_client
    with pytest.raises(TooManyWaiting) as full:
        await busy.asked[5]
    assert not full.value.by_client
    await busy.end()
    assert Counter(busy.begun) == {"greedy": 3, "second": 1}


async def test_a_client_that_stops_waiting_takes_no_turn_and_leaves_no_state() -> None:
    busy = Busy(1)
    busy.ask("first")
    await busy.running(1)
    busy.ask("gone")
    busy.ask("patient")
    await asyncio.sleep(0)
    busy.asked[1].cancel()
    await asyncio.sleep(0)
    busy.release("first")
    assert await busy.running(2) == {"first": 1, "patient": 1}
    await busy.end()
    assert not busy.lane._running
    assert not busy.lane._waiting


async def test_a_failing_request_frees_its_thread() -> None:
    lane = FairThreads("test", threads=1, waiting=1, waiting_by_client=1)

    def fail() -> None:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await lane.run(fail, client="any")
    lane.threads.shutdown()
