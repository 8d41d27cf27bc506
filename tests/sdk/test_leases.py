"""Sessions over several web processes: counted together, and ended when a process dies."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis as redis_client

from routing import jobs, models
from routing.sdk import desk_grace, leases
from routing.sdk.leases import SessionCounts
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("real_redis")

SWEEP_SECONDS = 5
LEASE_SECONDS = leases.LEASE_MS // 1000


class Process:
    """A web process as Redis sees it."""

    def __init__(self, name: str = "") -> None:
        self.name = name or uuid.uuid4().hex
        self.held = SessionCounts()

    def has(self, worker: models.Worker, count: int = 1, *, watched: bool = True) -> Process:
        """Set how many sessions of a worker the process has."""
        self.held = SessionCounts(
            workers={**self.held.workers, worker.sid: count},
            watched={**self.held.watched, worker.sid: int(watched and count > 0)},
        )
        return self

    def renew(self, now: datetime) -> None:
        """Renew its lease; it writes everything where that is not there."""
        leases.renew_lease(self.name, self.held, now=now)


def live(*processes: Process, since: int = 0, until: int, sweeping: bool = True) -> None:
    """Advance the clock while these processes renew leases and a sweep looks for dead ones."""
    for second in range(since, until + 1, SWEEP_SECONDS):
        for process in processes:
            process.renew(later(second))
        if sweeping:
            desk_grace.sweep(now=later(second))


def later(seconds: float) -> datetime:
    """Return a moment of a test."""
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def alice(db: None) -> models.Worker:
    """Return a worker who is available."""
    return factories.worker(factories.workspace(), "Alice")


def activity(worker: models.Worker) -> str:
    """Return a worker's present activity."""
    worker.refresh_from_db()
    return worker.activity.friendly_name


def test_a_worker_whose_last_session_died_with_its_process_goes_offline(
    alice: models.Worker,
) -> None:
    killed = Process().has(alice)
    live(killed, until=60)
    live(since=65, until=60 + LEASE_SECONDS)
    assert activity(alice) == "Available"
    live(since=60 + LEASE_SECONDS + 5, until=60 + LEASE_SECONDS + 10)
    assert activity(alice) == "Offline"
    event = models.Event.objects.order_by("pk").last()
    assert event is not None
    assert (event.event_type, event.source) == ("worker.activity.update", "sdk")
    assert leases.list_dead_processes(now=later(60 + LEASE_SECONDS + 15)) == {}


def test_a_worker_who_is_with_another_process_by_then_stays(alice: models.Worker) -> None:
    killed, other = Process().has(alice), Process()
    live(killed, other, until=20)
    other.has(alice)
    live(other, since=25, until=200)
    assert activity(alice) == "Available"
    # The other process is responsible now.
    live(since=205, until=300)
    assert activity(alice) == "Offline"


def test_a_session_without_the_option_leaves_its_worker_s_activity_alone(
    alice: models.Worker,
) -> None:
    live(Process().has(alice, watched=False), until=20)
    live(since=25, until=200)
    assert activity(alice) == "Available"
    asking, other = Process().has(alice), Process().has(alice, watched=False)
    live(asking, other, since=205, until=220)
    live(other, since=225, until=300)
    assert activity(alice) == "Available"


def test_a_worker_whose_session_ended_before_is_not_affected_by_a_process_that_dies(
    alice: models.Worker,
) -> None:
    process = Process().has(alice)
    live(process, until=20)
    live(process.has(alice, 0), since=25, until=30)
    live(since=35, until=200)
    assert activity(alice) == "Available"


def test_a_redis_that_lost_everything_puts_no_worker_offline(
    alice: models.Worker, real_redis: redis_client.Redis
) -> None:
    process = Process().has(alice)
    live(process, until=20)
    real_redis.flushdb()
    live(since=25, until=200)
    assert activity(alice) == "Available"
    # A living process finds its lease missing, and writes everything.
    assert not leases.renew_lease(process.name, SessionCounts(), now=later(205))
    assert leases.renew_lease(process.name, process.held, now=later(205))
    assert leases.count_worker_sessions(alice.sid, now=later(205)) == 1


@pytest.mark.parametrize("gap", [20, 60, 3_600])
def test_a_redis_that_was_away_and_kept_everything_puts_no_worker_offline(
    alice: models.Worker, gap: int
) -> None:
    process, dead = Process().has(alice), Process()
    live(process, dead, until=60)
    back = 60 + gap
    # The sweep is back first, and finds every lease expired.
    live(since=back, until=back)
    live(process, since=back + 5, until=back + 200)
    assert activity(alice) == "Available"
    live(since=back + 205, until=back + 300)
    assert activity(alice) == "Offline"


@pytest.mark.parametrize("gap", [5, 10, 15])
def test_an_interruption_that_is_too_short_to_notice_ends_no_lease(
    alice: models.Worker, gap: int
) -> None:
    process = Process().has(alice)
    live(process, until=60)
    desk_grace.sweep(now=later(64))
    # Renewed for the last time just before, and again as late as can be after.
    desk_grace.sweep(now=later(64 + gap))
    desk_grace.sweep(now=later(64 + gap + 4))
    process.renew(later(64 + gap + 5))
    desk_grace.sweep(now=later(64 + gap + 5))
    assert activity(alice) == "Available"


def test_a_process_that_died_while_redis_was_away_is_noticed_after_a_while(
    alice: models.Worker,
) -> None:
    live(Process().has(alice), until=60)
    live(since=600, until=600 + LEASE_SECONDS - 5)
    assert activity(alice) == "Available"
    live(since=600 + LEASE_SECONDS, until=600 + LEASE_SECONDS)
    assert activity(alice) == "Offline"


def test_the_next_sweep_does_what_one_left_undone(
    alice: models.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(Process().has(alice), until=60)
    live(since=65, until=90)

    def broken(*_: object, **__: object) -> None:
        raise OSError("no database")

    with monkeypatch.context() as patched:
        patched.setattr(desk_grace, "put_offline", broken)
        with pytest.raises(OSError, match="no database"):
            desk_grace.sweep(now=later(95))
    assert activity(alice) == "Available"
    desk_grace.sweep(now=later(100))
    assert activity(alice) == "Offline"


def test_a_deleted_worker_is_skipped(alice: models.Worker) -> None:
    live(Process().has(alice), until=60)
    sid = alice.sid
    alice.delete()
    live(since=65, until=200)
    assert not models.Worker.objects.filter(sid=sid)


def test_the_sweep_waits_while_redis_is_away(
    redis_switch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="routing.jobs")
    redis_switch(True)
    jobs.sweep_sessions()
    assert "wait for the next sweep" in caplog.text
    redis_switch(False)
    caplog.clear()
    jobs.sweep_sessions()
    assert not caplog.records
