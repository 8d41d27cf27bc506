"""What `/metrics` tells of the router: what began a cycle, lost wakes, waits for a first offer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import generate_latest

from routing import instruments, models, wakeups
from routing.instruments import Cause
from routing.router import threads
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(settings: Any, real_redis: object) -> models.Workspace:
    """Return a workspace on which metrics are measured, with wakes in Redis."""
    settings.METRICS = True
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace))
    return workspace


def read() -> str:
    found = instruments.find_instruments()
    assert found is not None
    return generate_latest(found.registry()).decode()


def value(name: str) -> float:
    for line in read().splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    return 0.0


FINDS = 'cordboard_sweep_finds_total{kind="wakes"}'
LATENCY = "cordboard_offer_latency_seconds"


def test_a_sweep_that_offers_what_no_wake_has_announced_is_counted(
    floor: models.Workspace,
) -> None:
    factories.worker(floor)
    factories.task(floor, now=timezone.now())
    threads.run_workspace(floor.sid, cause=Cause.SWEEP)
    assert value(FINDS) == 1
    assert value('cordboard_cycle_offers_total{cause="sweep"}') == 1


def test_a_sweep_that_comes_before_its_wake_has_found_nothing(floor: models.Workspace) -> None:
    factories.worker(floor)
    factories.task(floor, now=timezone.now())
    wakeups.wake_router(floor.sid)
    threads.run_workspace(floor.sid, cause=Cause.SWEEP)
    assert models.Reservation.objects.count() == 1
    assert value(FINDS) == 0


def test_a_sweep_that_finds_a_deadline_does_its_usual_work(floor: models.Workspace) -> None:
    for _ in range(2):
        factories.worker(floor)
    factories.offered(floor, now=timezone.now() - timedelta(minutes=10))
    threads.run_workspace(floor.sid, cause=Cause.SWEEP)
    assert models.Reservation.objects.filter(reservation_status="timeout").count() == 1
    assert models.Reservation.objects.count() == 2
    assert value(FINDS) == 0


def test_only_tasks_that_find_a_free_worker_are_measured(floor: models.Workspace) -> None:
    threads.run_workspace(floor.sid)
    late = factories.task(floor, now=timezone.now())
    # This round considers the task, and no worker is free.
    threads.run_workspace(floor.sid)
    factories.worker(floor)
    threads.run_workspace(floor.sid)
    assert factories.status(late) == "reserved"
    assert value(f"{LATENCY}_count") == 0
    factories.worker(floor)
    threads.run_workspace(floor.sid)
    factories.task(floor, now=timezone.now())
    threads.run_workspace(floor.sid)
    assert value(f"{LATENCY}_count") == 1
    assert 0 < value(f"{LATENCY}_sum") < 60


def test_the_first_round_of_a_workspace_measures_no_wait(floor: models.Workspace) -> None:
    factories.worker(floor)
    factories.task(floor, now=timezone.now() - timedelta(hours=1))
    threads.run_workspace(floor.sid)
    assert models.Reservation.objects.count() == 1
    assert value(f"{LATENCY}_count") == 0
