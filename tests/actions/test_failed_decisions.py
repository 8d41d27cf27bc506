"""A decision that cannot be applied is logged once, pauses, and leaves the others alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from routing import models
from routing.core import snapshot
from routing.core.decisions import ReserveWorkers
from routing.router import failures, rounds
from routing.snapshots import due_work
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

OVER = 1_000
"""Seconds after which all offers of these tests are over."""


def break_row(offer: models.Reservation) -> None:
    """Let a slot be free that a reservation takes, so that it cannot be freed."""
    models.WorkerChannel.objects.filter(reservations=offer).update(consumed=0)


def repair_row(offer: models.Reservation) -> None:
    models.WorkerChannel.objects.filter(reservations=offer).update(consumed=1)


def count_logged(caplog: pytest.LogCaptureFixture, text: str) -> int:
    logged = [each for each in caplog.records if each.levelname == "ERROR"]
    return [text in each.getMessage() for each in logged].count(True)


@pytest.fixture
def broken(workspace: models.Workspace) -> models.Reservation:
    """Return an offer that cannot be timed out."""
    factories.worker(workspace, "Sick", capacity={"chat": 1})
    offer = factories.offered(workspace, timeout=100_000)
    break_row(offer)
    return offer


def test_an_offer_that_cannot_end_is_logged_once_and_stops_no_other(
    workspace: models.Workspace, broken: models.Reservation, caplog: pytest.LogCaptureFixture
) -> None:
    factories.worker(workspace, "Well", capacity={"chat": 1})
    models.WorkerChannel.objects.filter(reservations=broken).update(available=False)
    other = factories.offered(workspace, timeout=100_000)
    for second in range(20):
        factories.run(workspace, later(OVER + second))
    assert factories.status(broken) == "pending"
    assert factories.status(other) == "timeout"
    assert count_logged(caplog, broken.sid) == 1


def test_it_is_tried_again_after_pauses_that_grow(
    workspace: models.Workspace, broken: models.Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    whole = failures.Failures.add

    def add(self: failures.Failures, decision: Any, now: Any) -> bool:
        tried.append(int((now - later(OVER)).total_seconds()))
        return whole(self, decision, now)

    monkeypatch.setattr(failures.Failures, "add", add)
    for second in range(1_000):
        factories.run(workspace, later(OVER + second))
    assert tried == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811]


def test_it_ends_once_its_rows_are_repaired(
    workspace: models.Workspace, broken: models.Reservation
) -> None:
    factories.run(workspace, later(OVER))
    repair_row(broken)
    factories.run(workspace, later(OVER + 0.9))
    assert factories.status(broken) == "pending"
    factories.run(workspace, later(OVER + 1))
    assert factories.status(broken) == "timeout"
    assert not failures.process_failures.find_paused(object, now=NOW)


def test_a_cycle_reads_past_offers_that_cannot_end(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_work, "BATCH", 2)
    sick = [factories.worker(workspace, f"Sick {number}") for number in range(3)]
    for worker in sick:
        break_row(factories.offered(workspace, routing_target=worker.sid, timeout=100_000))
    well = factories.worker(workspace, "Well")
    offer = factories.offered(workspace, routing_target=well.sid, timeout=100_000, now=later(1))
    factories.run(workspace, later(OVER))
    assert factories.status(offer) == "timeout"


def test_a_task_that_cannot_be_offered_stops_no_other_and_ends_the_run(
    workspace: models.Workspace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.worker(workspace, capacity={"chat": 9})
    sick = factories.offered(workspace, priority=9)
    # The task waits, but its offer is still open.
    models.Task.objects.filter(pk=sick.task_id).update(
        assignment_status="pending", version=F("version") + 1, lane=factories.task(workspace).lane
    )
    factories.run(workspace)
    well = factories.task(workspace)
    ran: list[object] = []
    whole = rounds.run_round

    def run_round(*args: Any) -> tuple[int, bool]:
        ran.append(args)
        return whole(*args)

    monkeypatch.setattr(rounds, "run_round", run_round)
    for second in range(4):
        factories.run(workspace, later(second))
    assert factories.status(well) == "reserved"
    assert factories.status(sick.task) == "pending"
    assert len(ran) <= 8
    assert count_logged(caplog, "decision failed") == 1


def test_a_worker_whose_offers_fail_is_left_out_and_so_is_a_task() -> None:
    workers = [_worker(number) for number in (1, 2, 3)]
    seen = snapshot.Workspace(id=1, sid="WS", workers=workers)
    known = failures.process_failures
    for number in range(failures.DOUBTFUL):
        known.add(_offer(100 + number, workers[0]), NOW)
    for worker in workers:
        known.add(_offer(7, worker), NOW)
    known.add(_offer(8, workers[1]), NOW)
    left = failures.leave_out_failed(seen, now=NOW)
    assert [each.id for each in left.workers] == [2, 3]
    assert set(left.passed_over[7]) == {2, 3}
    assert set(left.passed_over[8]) == {2}
    assert failures.leave_out_failed(seen, now=NOW + timedelta(seconds=1)) == seen


def test_no_more_failures_are_remembered_than_the_limit() -> None:
    known = failures.Failures()
    worker = _worker(1)
    for number in range(failures.MOST + 10):
        assert known.add(_offer(number, worker), NOW)
    paused = known.find_paused(ReserveWorkers, now=NOW)
    assert len(paused) == failures.MOST
    assert (0, 1) not in paused


def _worker(number: int) -> snapshot.Worker:
    return snapshot.Worker(
        id=number,
        sid=f"WK{number}",
        friendly_name=str(number),
        activity_sid="WA",
        activity_name="Available",
        available=True,
        attributes={},
        channels={},
    )


def _offer(task_id: int, worker: snapshot.Worker) -> ReserveWorkers:
    task = snapshot.Task(
        id=task_id,
        sid=f"WT{task_id}",
        lane_id=1,
        version=0,
        priority=0,
        virtual_start_us=0,
        created_us=0,
    )
    return ReserveWorkers(task, ((worker, 0),))
