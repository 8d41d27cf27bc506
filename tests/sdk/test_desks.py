"""Workers are signed off a while after their last desk closed, even if its process died."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
import redis as redis_client

from routing import models
from routing.actions import workers, workspaces
from routing.actors import SYSTEM
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ReservationStatus
from routing.sdk import desk_grace, lease_renewal, leases
from routing.sdk.leases import SessionCounts
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("real_redis")

SWEEP_SECONDS = 5
LEASE_SECONDS = leases.LEASE_MS // 1000
GRACE = 30


class Process:
    """A web process as Redis sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.desks: dict[str, int] = {}
        self.sessions: dict[str, int] = {}

    def has(self, worker: models.Worker, count: int, *, now: datetime) -> None:
        """Write how many desks of a worker it has."""
        self.desks[worker.sid] = count
        self.renew(now)
        if not count:
            del self.desks[worker.sid]

    def renew(self, now: datetime) -> None:
        """Renew the lease and write everything."""
        leases.renew_lease(
            self.name, SessionCounts(desks=self.desks, workers=self.sessions), now=now
        )


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def live(*processes: Process, since: int, until: int) -> None:
    """Advance the clock while these processes renew their leases and the jobs sweep."""
    for second in range(since, until + 1, SWEEP_SECONDS):
        for process in processes:
            process.renew(later(second))
        desk_grace.sweep(now=later(second))


@pytest.fixture
def alice(db: None) -> models.Worker:
    """Return a worker who is available; the sweep has been running for a while."""
    live(since=-60, until=-5)
    return factories.worker(factories.workspace(), "Alice")


def activity(worker: models.Worker) -> str:
    worker.refresh_from_db()
    return worker.activity.friendly_name


def test_a_worker_whose_last_desk_has_gone_is_signed_off_after_the_grace(
    alice: models.Worker,
) -> None:
    web = Process("web")
    web.has(alice, 1, now=later(0))
    live(web, since=0, until=60)
    web.has(alice, 0, now=later(60))
    live(web, since=60, until=60 + GRACE - SWEEP_SECONDS)
    assert activity(alice) == "Available"
    live(web, since=60 + GRACE, until=60 + GRACE)
    assert activity(alice) == "Offline"
    event = models.Event.objects.filter(event_type=EventType.WORKER_ACTIVITY_UPDATE).get()
    assert (event.actor_type, event.source) == ("system", "desk")
    assert list(leases.load_closed_desks()) == []


def test_a_desk_that_comes_back_in_time_or_is_open_elsewhere_keeps_its_worker(
    alice: models.Worker,
) -> None:
    web, other = Process("web"), Process("other")
    web.has(alice, 1, now=later(0))
    web.has(alice, 0, now=later(10))
    live(web, other, since=10, until=20)
    other.has(alice, 1, now=later(25))
    live(web, other, since=25, until=200)
    assert activity(alice) == "Available"
    other.has(alice, 0, now=later(205))
    live(web, other, since=205, until=205 + GRACE)
    assert activity(alice) == "Offline"


def test_the_desks_of_a_process_that_was_killed_are_gone_once_its_lease_has_run_out(
    alice: models.Worker,
) -> None:
    web, other = Process("web"), Process("other")
    web.has(alice, 1, now=later(0))
    live(web, other, since=0, until=60)
    live(other, since=65, until=60 + LEASE_SECONDS + GRACE)
    assert activity(alice) == "Available"
    live(other, since=65 + LEASE_SECONDS + GRACE, until=70 + LEASE_SECONDS + GRACE)
    assert activity(alice) == "Offline"


def test_open_offers_are_rescinded_and_go_to_others_with_their_age(alice: models.Worker) -> None:
    workspace = alice.workspace
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    offer = factories.offered(workspace)
    bob = factories.worker(workspace, "Bob")
    web = Process("web")
    web.has(alice, 1, now=later(0))
    web.has(alice, 0, now=later(1))
    live(web, since=5, until=1 + GRACE + SWEEP_SECONDS)
    offer.refresh_from_db()
    assert offer.reservation_status == ReservationStatus.RESCINDED
    factories.run(workspace, later(60))
    (again,) = models.Reservation.objects.filter(reservation_status="pending")
    assert again.worker == bob
    assert again.task == offer.task
    assert again.task.date_created == offer.task.date_created


def test_workers_without_a_desk_are_left_alone(alice: models.Worker) -> None:
    web = Process("web")
    live(web, since=0, until=300)
    assert activity(alice) == "Available"


def test_a_session_of_the_sdk_counts_as_an_open_desk(alice: models.Worker) -> None:
    web = Process("web")
    web.sessions[alice.sid] = 1
    web.has(alice, 1, now=later(0))
    web.has(alice, 0, now=later(5))
    live(web, since=5, until=100)
    assert activity(alice) == "Available"
    # The session decides what its end causes: here, nothing.
    web.sessions[alice.sid] = 0
    live(web, since=105, until=300)
    assert activity(alice) == "Available"


def test_a_workspace_sets_the_grace_or_none(alice: models.Worker) -> None:
    web = Process("web")

    def leave(grace: int, *, since: int) -> None:
        workspaces.update_workspace(
            workspace=alice.workspace, desk_grace=grace, actor=SYSTEM, now=NOW
        )
        web.has(alice, 1, now=later(since))
        web.has(alice, 0, now=later(since))

    leave(0, since=0)
    live(web, since=0, until=300)
    assert activity(alice) == "Available"
    leave(120, since=300)
    live(web, since=300, until=415)
    assert activity(alice) == "Available"
    live(web, since=420, until=420)
    assert activity(alice) == "Offline"


def test_a_worker_who_takes_no_work_stays_in_their_activity(alice: models.Worker) -> None:
    unavailable = factories.activity(alice.workspace, "Unavailable")
    workers.set_activity(worker=alice, activity=unavailable, actor=SYSTEM, now=NOW)
    web = Process("web")
    web.has(alice, 1, now=later(0))
    web.has(alice, 0, now=later(0))
    live(web, since=5, until=100)
    assert activity(alice) == "Unavailable"


def test_no_worker_is_signed_off_after_an_interruption_before_desks_could_reconnect(
    alice: models.Worker,
) -> None:
    web, other = Process("web"), Process("other")
    web.has(alice, 1, now=later(0))
    other.has(alice, 1, now=later(0))
    live(web, other, since=0, until=10)
    other.has(alice, 0, now=later(10))
    # Redis is away for ten minutes, and the sweep is back before the processes are.
    desk_grace.sweep(now=later(600))
    assert activity(alice) == "Available"
    live(web, other, since=605, until=700)
    assert activity(alice) == "Available"


async def test_the_desks_of_a_process_are_written_as_they_come_and_go(
    real_redis: redis_client.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: asyncio.Queue[dict[str, int]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    renew = leases.renew_lease

    def note(process: str, held: SessionCounts, *, now: datetime) -> bool:
        known = renew(process, held, now=now)
        loop.call_soon_threadsafe(written.put_nowait, dict(held.desks))
        return known

    monkeypatch.setattr(leases, "renew_lease", note)
    here = lease_renewal.Desks()
    here.add("WKa")
    here.add("WKa")
    here.add("WKb")
    assert await asyncio.wait_for(written.get(), 5) == {"WKa": 2, "WKb": 1}
    # A new lease: everything once more.
    assert await asyncio.wait_for(written.get(), 5) == {"WKa": 2, "WKb": 1}
    here.remove("WKa")
    here.remove("WKb")
    assert await asyncio.wait_for(written.get(), 5) == {"WKa": 1, "WKb": 0}
    assert [sid for batch in leases.load_closed_desks() for sid, _ in batch] == ["WKb"]
    here.remove("WKa")
    assert await asyncio.wait_for(written.get(), 5) == {"WKa": 0}
