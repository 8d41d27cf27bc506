"""Many workspaces share the job runners: one cycle in each at a time, no waiting for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from config.celery import app
from routing import jobs, models, wakeups
from routing.redis import clients
from routing.router import rounds
from routing.snapshots import due_work
from tests import factories

WS = "WS" + "0" * 32
LONGEST = 10.0
"""Seconds that a test waits for what should come at once."""


class Runner:
    """A job runner of four threads, like the real one, that takes what wakes have sent."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(4)

    def take(self) -> list[Future[None]]:
        """Start every job that was queued since the last call."""
        taken = self._client.lpop(wakeups.WOKEN, 100) or []
        return [self._pool.submit(self._do, sid.decode()) for sid in taken]

    def _do(self, sid: str) -> None:
        jobs.run_cycle(workspace_sid=sid)

    def end(self) -> None:
        """Wait for all that has begun."""
        self._pool.shutdown()


@pytest.fixture
def runner(real_redis: Any) -> Iterator[Runner]:
    """Return a job runner that is empty."""
    made = Runner(real_redis)
    yield made
    made.end()


class Floors:
    """Fake cycles that record their workspace, and one of which can be held."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.held = ""
        self.holding = threading.Event()
        self.go_on = threading.Event()

    def run(self, workspace: models.Workspace, due: object = None) -> bool:
        """Record the workspace; wait if it is the held one."""
        self.ran.append(workspace.sid)
        if workspace.sid == self.held:
            self.holding.set()
            assert self.go_on.wait(LONGEST)
        return True


@pytest.fixture
def floors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Floors]:
    """Replace the real cycles by recording ones."""
    made = Floors()
    monkeypatch.setattr(rounds, "run_for_a_while", made.run)
    yield made
    made.go_on.set()


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return the sids of two workspaces that jobs in other threads can see."""
    found = [models.Workspace(sid="WS" + digit * 32) for digit in "ab"]
    by_sid = {workspace.sid: workspace for workspace in found}

    def load(sid: str, now: object) -> list[tuple[models.Workspace, None]]:
        return [(by_sid[sid], None)]

    monkeypatch.setattr(due_work, "load_workspace_with_due_work", load)
    return found[0].sid, found[1].sid


def test_while_one_workspace_has_a_long_cycle_another_is_served(
    real_redis: object, runner: Runner, floors: Floors, two: tuple[str, str]
) -> None:
    long, other = two
    floors.held = long
    wakeups.wake_router(long)
    (running,) = runner.take()
    assert floors.holding.wait(LONGEST)
    # More wakes than the runner has threads: none of them waits for the cycle under way.
    for _ in range(8):
        jobs.run_cycle(workspace_sid=long)
        wakeups.wake_router(long)
    for job in runner.take():
        job.result(LONGEST)
    wakeups.wake_router(other)
    for job in runner.take():
        job.result(LONGEST)
    assert floors.ran == [long, other]
    assert not running.done()
    floors.go_on.set()
    running.result(LONGEST)
    # The long cycle has seen the wake that came while it ran.
    assert floors.ran == [long, other, long]


def test_a_lock_lasts_much_longer_than_a_cycle(real_redis: Any) -> None:
    for _ in wakeups.claim_turns(WS):
        left = real_redis.pttl(f"cordboard:cycle:{WS}")
        assert left > 2 * rounds.LONGEST.total_seconds() * 1000
        assert list(wakeups.claim_turns(WS)) == []
    assert len(list(wakeups.claim_turns(WS))) == 1


def test_a_dead_runner_s_lock_gives_way_by_itself(real_redis: Any) -> None:
    under_way = wakeups.claim_turns(WS)
    next(under_way)
    assert 0 < real_redis.pttl(f"cordboard:cycle:{WS}") <= wakeups.LOCK_SECONDS * 1000
    under_way.close()


def test_a_workspace_woken_without_end_queues_behind_the_others_after_a_while(
    real_redis: object, sent: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "LONGEST_RUN_SECONDS", 0.0)
    turns = 0
    for _ in wakeups.claim_turns(WS):
        turns += 1
        wakeups.wake_router(WS)
    assert turns == 1
    # The wake's own job, which may come while the cycle runs, and the continuation.
    assert sent() == [WS, WS]


def test_a_redis_that_is_lost_during_a_cycle_ends_the_job(
    real_redis: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = clients.client()

    def lost(*_: object) -> None:
        raise RedisConnectionError("gone")

    turns = 0
    for _ in wakeups.claim_turns(WS):
        turns += 1
        monkeypatch.setattr(client, "execute_command", lost)
    assert turns == 1


def test_a_runner_takes_no_more_jobs_than_it_has_threads_for() -> None:
    """What it took beyond that would wait for its long cycles while other runners are idle."""
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_acks_late


@pytest.mark.django_db
def test_every_workspace_with_something_waiting_is_swept_by_a_job_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        jobs.run_cycle, "apply_async", lambda kwargs, **_: sent.append(kwargs["workspace_sid"])
    )
    waiting = [factories.task(factories.workspace()).workspace.sid for _ in range(3)]
    jobs.run_due_cycles()
    assert sent == waiting
