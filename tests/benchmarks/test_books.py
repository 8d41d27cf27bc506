"""The bookkeeper beside what it counts, and what a grab's place costs (bars P5 and P6)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from routing import models
from routing.actions import offers, tasks
from routing.actors import SYSTEM
from routing.db.pipeline import Pending
from routing.snapshots import grab_places
from routing.statistics import bookkeeper
from tests import factories
from tests.benchmarks.conftest import Table, median_ms
from tests.factories import NOW, later
from tests.statistics.generated_day import GeneratedDay

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

EVENTS = 3_000
WAITING = 2_000


def test_the_bookkeeper_beside_the_writing_of_events(table: Table) -> None:
    day = GeneratedDay(1)
    begun = time.perf_counter()
    day.go_on(until_events=EVENTS)
    writing = time.perf_counter() - begun
    begun = time.perf_counter()
    counted = 0
    # As the job does once a second: about as many events as one second of a busy floor has.
    while batch := bookkeeper.count_batch(day.workspace, now=day.now, limit=250):
        counted += batch
    counting = time.perf_counter() - begun
    table.add(
        f"P6  counting {counted:,} events, beside writing them (bar: 0.2x)",
        f"{counting / counted * 1e6:.0f} µs an event",
        f"{counting / writing:.3f}x",
        counting / writing <= 0.2,
    )


def test_the_place_of_a_grab(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace))
    worker = factories.worker(workspace, capacity={"chat": 50})
    for number in range(WAITING):
        factories.task(workspace, now=later(number / 100))
    newest = workspace.tasks.order_by("-pk")
    with_place, without = [], []
    send = grab_places.send_ahead, grab_places.send_older

    def none_ahead(task: models.Task) -> Pending[grab_places.Ahead]:
        return Pending(lambda: grab_places.Ahead(0, ()))

    def none_older(task: models.Task) -> Pending[int]:
        return Pending(lambda: 0)

    def grab() -> None:
        task = newest.filter(assignment_status="pending")[0]
        made = offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=NOW)
        given: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
        tasks.delete_task(task=made.task, **given)

    for _ in range(5):
        without.append(measure(monkeypatch, (none_ahead, none_older), grab))
        with_place.append(measure(monkeypatch, send, grab))
    ratio = sorted(with_place)[2] / sorted(without)[2]
    table.add(
        f"P5  grabbing the newest of {WAITING:,}, beside one without a place (bar: 1.1x)",
        f"{sorted(with_place)[2]:.2f} ms",
        f"{ratio:.2f}x",
        ratio <= 1.1,
    )


def measure(monkeypatch: pytest.MonkeyPatch, send: Any, grab: Any) -> float:
    monkeypatch.setattr(grab_places, "send_ahead", send[0])
    monkeypatch.setattr(grab_places, "send_older", send[1])
    return median_ms(grab, rounds=15)
