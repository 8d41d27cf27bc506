"""Redis is away: it is tried once a second and logged once, and the runners sweep themselves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery.exceptions import Reject
from django.db import OperationalError, connection

from config.job import Job, JobFailures
from config.patches import celery_consumer, kombu_channel
from routing import jobs, models, wakeups
from routing.actions import offers, workspaces
from routing.actors import SYSTEM
from routing.redis import clients
from routing.router import rounds, threads
from routing.webhook_delivery import standby
from routing.webhook_delivery.standby import Standby
from tests import factories
from tests.factories import NOW
from tests.redis import private_server

WS = "WS" + "0" * 32
LONGEST = 10
"""Seconds before a wait fails the test."""


@pytest.fixture
def redis_path(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Return where the Redis of the settings listens, which does not run."""
    settings.REDIS_URL = f"unix://{tmp_path}/redis.sock"
    clients.client_of.cache_clear()
    yield tmp_path / "redis.sock"
    clients.client_of.cache_clear()


def client() -> clients.Client:
    """Return the client of the settings' Redis."""
    found = clients.client()
    assert found is not None
    return found


def ask_in_pipeline() -> None:
    """Send one command by a pipeline."""
    pipeline: Any = client().pipeline()
    pipeline.get("anything")
    pipeline.execute()


def test_a_redis_that_is_away_is_tried_once_a_second_and_logged_once(
    redis_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    def fail(*_: object, **__: object) -> None:
        nonlocal asked
        asked += 1
        raise redis.TimeoutError("silent")

    with caplog.at_level(logging.WARNING), monkeypatch.context() as away:
        away.setattr(redis.Redis, "execute_command", fail)
        for _ in range(5):
            with pytest.raises(clients.BROKEN):
                client().get("anything")
        assert asked == 1
        client().outage._try_at = 0.0
        for _ in range(5):
            with pytest.raises(clients.BROKEN):
                client().get("anything")
        assert asked == 2
    with private_server(redis_path), caplog.at_level(logging.WARNING):
        client().outage._try_at = 0.0
        for _ in range(3):
            assert client().get("anything") is None
        ask_in_pipeline()
    told = [record.message.partition(" ")[0] for record in caplog.records]
    assert told == ["redis.away:", "redis.back"]


def test_a_pipeline_fails_at_once_too(redis_path: Path) -> None:
    for words in ("No such file", "Redis is away"):
        with pytest.raises(redis.ConnectionError, match=words):
            ask_in_pipeline()
    assert clients.is_away()


def test_without_redis_a_cycle_runs_without_a_lock(redis_path: Path) -> None:
    assert len(list(wakeups.claim_turns(WS))) == 1


def test_a_cycle_that_hangs_loses_its_lock_and_is_named(
    real_redis: redis.Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in wakeups.claim_turns(WS):
        assert list(wakeups.claim_turns(WS)) == []
        real_redis.pexpire(f"cordboard:cycle:{WS}", 0)
        assert len(list(wakeups.claim_turns(WS))) == 1
        # As if as much time had passed as a lock lasts.
        monkeypatch.setattr(wakeups, "LOCK_SECONDS", 0.0)
    assert f"cycle.hung workspace={WS}" in caplog.text


def test_a_cycle_that_lost_its_lock_leaves_the_lock_of_the_next_one(
    real_redis: redis.Redis,
) -> None:
    hung = wakeups.claim_turns(WS)
    next(hung)
    real_redis.pexpire(f"cordboard:cycle:{WS}", 0)
    for _ in wakeups.claim_turns(WS):
        hung.close()
        assert list(wakeups.claim_turns(WS)) == []


def test_a_runner_without_a_database_takes_no_lock_and_gives_the_wake_back(
    real_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("silent")

    monkeypatch.setattr(threads, "check_database", fail)
    wakeups.wake_router(WS)
    with pytest.raises(OperationalError):
        threads.Router()._take_wake()
    assert real_redis.lrange(wakeups.WOKEN, 0, -1) == [WS.encode()]
    assert not real_redis.exists(f"cordboard:cycle:{WS}")


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_router_finds_work_by_itself_and_goes_on_when_it_is_back(
    redis_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = factories.workspace()
    factories.worker(floor)
    factories.task(floor)
    ran = threading.Semaphore(0)

    def run(workspace: models.Workspace, due: object) -> bool:
        assert workspace.sid == floor.sid
        ran.release()
        return True

    monkeypatch.setattr(rounds, "run_for_a_while", run)
    monkeypatch.setattr(threads, "PAUSE_SECONDS", 0.01)
    running = threads.Router(threads=2)
    running.start()
    try:
        for _ in range(3):
            assert ran.acquire(timeout=LONGEST)
        with private_server(redis_path):
            client().outage._try_at = 0.0
            until(lambda: not client().outage.is_on)
            # Work whose wake was lost is found too, because other processes may not have Redis yet.
            while ran.acquire(blocking=False):
                pass
            for _ in range(3):
                assert ran.acquire(timeout=LONGEST)
    finally:
        running.stop(timeout=LONGEST)


@pytest.mark.django_db(transaction=True)
def test_without_redis_callbacks_that_are_due_are_posted(
    redis_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = factories.workspace()
    url = "https://example.com/hook"
    workspaces.update_workspace(workspace=floor, event_callback_url=url, actor=SYSTEM, now=NOW)
    factories.task(floor)
    posted: list[str] = []
    done = threading.Event()

    def post(sid: str) -> None:
        posted.append(sid)
        done.set()

    monkeypatch.setattr(standby, "post_due_callbacks", post)
    monkeypatch.setattr(standby, "PAUSE_SECONDS", 0.01)
    running = Standby()
    running.start()
    try:
        assert done.wait(LONGEST)
    finally:
        running.stop()
    assert set(posted) == {floor.sid}


@pytest.mark.django_db
def test_with_redis_only_jobs_post_callbacks(
    real_redis: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not clients.is_away(always_ping=True)


def test_a_job_runner_comes_back_within_two_seconds_and_logs_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Connection:
        def ensure_connection(self, note: Any, most: Any, **given: Any) -> str:
            self.given = given
            for _ in range(3):
                note(OSError("refused"), 1.0)
            return "connected"

    connection = Connection()
    made = celery_consumer.Consumer.__new__(celery_consumer.Consumer)
    with caplog.at_level(logging.WARNING):
        assert made.ensure_connected(connection) == "connected"
    assert connection.given["interval_max"] <= 2.0
    told = [record.message.partition(":")[0] for record in caplog.records]
    assert told == ["jobs.away", "jobs.back"]


def test_a_job_without_a_database_goes_back_to_its_queue(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(jobs.run_cycle, Job)

    def fail(**_: object) -> None:
        raise OperationalError("silent")

    monkeypatch.setattr(jobs.run_cycle, "run", fail)
    monkeypatch.setattr("config.job.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("config.job.process_failures", JobFailures())
    with pytest.raises(OperationalError):
        jobs.run_cycle()
    jobs.run_cycle.push_request(called_directly=False, is_eager=False)
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                with pytest.raises(Reject) as rejected:
                    jobs.run_cycle()
                assert vars(rejected.value)["requeue"]
    finally:
        jobs.run_cycle.pop_request()
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "jobs.database_failed"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_cycle_whose_connection_is_lost_ends_and_blames_no_task(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    floor = factories.workspace()
    factories.worker(floor, capacity={"chat": 5})
    tasks = [factories.task(floor) for _ in range(3)]
    tried: list[int] = []

    def lose(decided: Sequence[Any], **_: object) -> int:
        tried.append(len(decided))
        connection.close()
        raise OperationalError("the database does not answer")

    with monkeypatch.context() as lost:
        lost.setattr(offers, "reserve_workers", lose)
        with pytest.raises(OperationalError):
            factories.run(floor)
    assert tried == [3]
    assert not caplog.records
    factories.run(floor)
    assert [factories.status(task) for task in tasks] == ["reserved"] * 3


def test_a_job_that_ends_just_after_redis_was_lost_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise redis.ConnectionError("gone")

    parent = kombu_channel.Channel.__mro__[1]
    monkeypatch.setattr(parent, "basic_ack", fail)
    monkeypatch.setattr(parent, "basic_reject", fail)
    channel = kombu_channel.Channel.__new__(kombu_channel.Channel)
    for channel.connection in (None, SimpleNamespace(client="there")):
        channel.basic_ack("tag")
        channel.basic_reject("tag", requeue=True)
