"""The router's threads: each wake gets a cycle, and no error ends a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from routing import models, wakeups
from routing.router import rounds, threads
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 10
"""Seconds before a wait fails the test."""


class Cycles:
    """Record the workspaces of cycles; the one named `failing` fails, the one `held` waits."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.failing = self.held = ""
        self.more = threading.Condition()
        self.go_on = threading.Event()

    def run(self, workspace: models.Workspace, due: object = None) -> bool:
        with self.more:
            self.ran.append(workspace.sid)
            self.more.notify_all()
        if workspace.sid == self.failing:
            raise RuntimeError("a cycle that fails")
        return workspace.sid != self.held or self.go_on.wait(LONGEST)

    def wait_for(self, found: Callable[[list[str]], bool]) -> None:
        with self.more:
            assert self.more.wait_for(lambda: found(self.ran), LONGEST), self.ran


@pytest.fixture
def cycles(real_redis: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cycles]:
    """Run two threads over recording cycles."""
    noted = Cycles()
    monkeypatch.setattr(rounds, "run_for_a_while", noted.run)
    monkeypatch.setattr(threads, "PAUSE_SECONDS", 0.0)
    running = threads.Router(threads=2)
    running.start()
    yield noted
    noted.go_on.set()
    running.stop(timeout=LONGEST)


def test_a_wake_is_answered_by_a_cycle(cycles: Cycles) -> None:
    one, other = factories.workspace(), factories.workspace()
    wakeups.wake_router(one.sid)
    cycles.wait_for(lambda ran: ran == [one.sid])
    wakeups.wake_router(other.sid)
    cycles.wait_for(lambda ran: ran == [one.sid, other.sid])


def test_a_wake_of_a_deleted_workspace_does_nothing(cycles: Cycles) -> None:
    there = factories.workspace()
    wakeups.wake_router("WS" + "0" * 32)
    wakeups.wake_router(there.sid)
    cycles.wait_for(lambda ran: ran == [there.sid])


def test_a_cycle_that_fails_ends_no_thread(cycles: Cycles, monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Semaphore(0)
    monkeypatch.setattr(threads.logger, "exception", lambda message: told.release())
    bad, good = factories.workspace(), factories.workspace()
    cycles.failing = bad.sid
    for _ in range(3):  # more often than there are threads
        wakeups.wake_router(bad.sid)
        assert told.acquire(timeout=LONGEST)
    wakeups.wake_router(good.sid)
    cycles.wait_for(lambda ran: ran == [bad.sid] * 3 + [good.sid])


def test_a_long_cycle_delays_no_other_workspace(cycles: Cycles) -> None:
    long, other = factories.workspace(), factories.workspace()
    cycles.held = long.sid
    wakeups.wake_router(long.sid)
    cycles.wait_for(lambda ran: ran == [long.sid])
    wakeups.wake_router(other.sid)
    cycles.wait_for(lambda ran: ran == [long.sid, other.sid])


def test_wakes_are_taken_again_when_redis_is_back(
    cycles: Cycles, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    taken = wakeups.take_wake

    def gone() -> str | None:
        asked.set()
        raise RedisConnectionError("gone")

    monkeypatch.setattr(wakeups, "take_wake", gone)
    assert asked.wait(LONGEST)
    monkeypatch.setattr(wakeups, "take_wake", taken)
    there = factories.workspace()
    wakeups.wake_router(there.sid)
    cycles.wait_for(lambda ran: ran == [there.sid])


def test_work_that_a_run_leaves_wakes_the_next(
    real_redis: object, sent: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = factories.workspace()
    monkeypatch.setattr(wakeups, "LONGEST_RUN_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "run_for_a_while", lambda *given: False)
    threads.run_workspace(floor.sid)
    assert floor.sid in sent()
