"""Beat: the jobs it sends, and its behaviour without Redis."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from config import celery_app, heartbeats
from config.scheduler import TickingScheduler


class Broker:
    """A broker that can be down, and records the jobs that were sent."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0
        self.sent: list[str] = []

    def send(self, name: str, *_: Any, **__: Any) -> None:
        """Take a job, or fail as the real one does."""
        self.asked += 1
        if not self.is_there:
            raise OperationalError("nobody there")
        self.sent.append(name)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Replace the real broker, and Redis with it, by a fake one."""
    broker = Broker()

    def tick() -> None:
        if not broker.is_there:
            raise RedisConnectionError("nobody there")

    monkeypatch.setattr(TickingScheduler, "send_task", lambda _, *args, **kw: broker.send(*args))
    monkeypatch.setattr(TickingScheduler, "producer", None)
    monkeypatch.setattr(heartbeats, "record_beat", tick)
    return broker


@pytest.fixture
def scheduler(broker: Broker) -> TickingScheduler:
    """Return beat's clockwork with one job that is always due."""
    app = Celery("of-the-test", set_as_current=False)
    app.conf.beat_schedule = {"often": {"task": "of.the.test", "schedule": 0.0}}
    return TickingScheduler(app=app)


def test_a_start_without_redis_is_logged_once_and_repeated_each_second(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses = []

    class Connection:
        def ensure_connection(self, note: Any, **options: float) -> Connection:
            for _ in range(3):
                note(OSError("refused"), options["interval_start"])
                pauses.append(options["interval_max"])
            return self

    monkeypatch.setattr(TickingScheduler, "connection", Connection())
    app = Celery("of-the-test", set_as_current=False)
    producer: Any = lambda connection, **_: connection  # noqa: E731 - for its type
    scheduler = TickingScheduler(app=app, Producer=producer)
    assert isinstance(scheduler.producer, Connection)
    assert caplog.messages == ["Beat cannot reach the job runners: refused"]
    assert pauses == [1.0] * 3


def test_each_entry_names_an_existing_job_that_does_not_pile_up() -> None:
    celery_app.loader.import_default_modules()
    for entry in celery_app.conf.beat_schedule.values():
        assert entry["task"] in celery_app.tasks
        assert entry["options"]["expires"] <= entry["schedule"]


def test_beat_writes_no_file() -> None:
    assert celery_app.conf.beat_scheduler == "config.scheduler:TickingScheduler"
    assert not list(Path.cwd().glob("celerybeat-schedule*"))


def test_loss_and_return_of_the_broker_are_each_logged_once(
    broker: Broker, scheduler: TickingScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="config.scheduler"):
        scheduler.tick()
        assert broker.sent == ["of.the.test"]
        assert not caplog.messages
        broker.is_there = False
        for _ in range(3):
            assert 0 < scheduler.tick() <= 1
        # Each try may wait for a timeout.
        assert broker.asked == 2
        assert len(caplog.messages) == 1
        broker.is_there = True
        scheduler.try_at = 0.0
        for _ in range(3):
            scheduler.tick()
    assert len(broker.sent) == 4
    assert len(caplog.messages) == 2
    assert not any(record.exc_info for record in caplog.records)
