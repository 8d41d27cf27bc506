"""The sweep alone does everything: with lost wakes, with two beats, and after a pause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from routing import jobs, models
from routing.actions import reservations, task_transitions, tasks, workers
from routing.actions.support.errors import NotNow
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, filter_, later, target

pytestmark = pytest.mark.django_db
Sweep = Callable[[datetime], None]


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Return a function that makes beat tick once, at a moment."""

    def tick(now: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: now)
        jobs.run_due_cycles()

    return tick


def _full(workspace: models.Workspace) -> tuple[models.Worker, models.Reservation, models.Task]:
    """Return a worker, the task in their one slot, and another that waits for it."""
    worker = factories.worker(workspace)
    held = factories.accepted(workspace)
    return worker, held, factories.task(workspace)


def _signs_on(workspace: models.Workspace) -> models.Task:
    worker = factories.worker(workspace, available=False)
    there = factories.activity(workspace)
    waiting = factories.task(workspace)
    workers.set_activity(worker=worker, activity=there, actor=SYSTEM, now=NOW)
    return waiting


def _gets_another_slot(workspace: models.Workspace) -> models.Task:
    worker, _, waiting = _full(workspace)
    factories.set_capacity(worker, configured_capacity=2)
    return waiting


def _switches_a_channel_on(workspace: models.Workspace) -> models.Task:
    worker = factories.worker(workspace)
    factories.set_capacity(worker, available=False)
    waiting = factories.task(workspace)
    factories.run(workspace)
    factories.set_capacity(worker, available=True)
    return waiting


def _completes(workspace: models.Workspace) -> models.Task:
    _, held, waiting = _full(workspace)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    return waiting


def _learns(workspace: models.Workspace) -> models.Task:
    queue = factories.queue(workspace, target_workers="level > 3")
    factories.workflow(workspace, default=queue)
    worker = factories.worker(workspace, attributes={"level": 1})
    waiting = factories.task(workspace)
    workers.update_worker(worker=worker, attributes='{"level": 9}', actor=SYSTEM, now=NOW)
    return waiting


def _asks_for_less(workspace: models.Workspace) -> models.Task:
    queue = factories.queue(workspace)
    asks = target(queue, expression="worker.level >= task.level")
    factories.workflow(workspace, filter_("1==1", asks))
    factories.worker(workspace, attributes={"level": 1})
    waiting = factories.task(workspace, attributes={"level": 5})
    tasks.update_task(task=waiting, attributes='{"level": 1}', actor=SYSTEM, now=NOW)
    return waiting


def _is_canceled(workspace: models.Workspace) -> models.Task:
    factories.worker(workspace)
    offered = factories.offered(workspace)
    waiting = factories.task(workspace)
    task_transitions.cancel_task(task=offered.task, actor=SYSTEM, now=NOW)
    return waiting


@pytest.mark.parametrize(
    "happens",
    [
        _signs_on,
        _gets_another_slot,
        _switches_a_channel_on,
        _completes,
        _learns,
        _asks_for_less,
        _is_canceled,
    ],
)
def test_the_sweep_finds_every_change_that_allows_an_offer_when_its_wake_is_lost(
    sweep: Sweep, happens: Callable[[models.Workspace], models.Task]
) -> None:
    waiting = happens(factories.workspace())
    assert factories.status(waiting) == "pending"
    sweep(later(1))
    assert factories.status(waiting) == "reserved"


def test_two_beats_do_everything_once(sweep: Sweep) -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    factories.task(workspace, timeout=30)
    before = factories.last_event()
    for _ in range(2):
        sweep(NOW)
    assert factories.event_types(before) == ["reservation.created"]
    before = factories.last_event()
    for _ in range(2):
        sweep(later(30))
    assert factories.event_types(before) == ["task.canceled", "reservation.canceled"]


def test_after_ten_minutes_without_a_beat_everything_due_is_done_at_once(sweep: Sweep) -> None:
    workspace = factories.workspace()
    unserved = factories.queue(workspace, target_workers='skill == "none"')
    factories.workflow(
        workspace,
        filter_("dead == true", target(unserved, timeout=10), target(unserved, timeout=20)),
        default=factories.queue(workspace),
    )
    worker = factories.worker(workspace)
    offered = factories.offered(workspace)
    old = factories.task(workspace, timeout=60)
    stuck = factories.task(workspace, attributes={"dead": True})
    sweep(later(600))
    assert factories.status(offered) == "timeout"
    assert factories.status(offered.task) == "pending"
    assert (factories.status(old), factories.status(stuck)) == ("canceled", "canceled")
    assert (old.reason or "").startswith("Task TTL Exceeded")
    assert stuck.reason == "Task canceled on Workflow timeout"
    worker.refresh_from_db()
    assert not worker.activity.available
    # Each change has the time at which it was made, and was made once.
    before = factories.last_event()
    sweep(later(601))
    assert factories.event_types(before) == []


def test_an_offer_cannot_be_accepted_after_its_deadline_though_no_beat_has_ticked(
    sweep: Sweep,
) -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    offered = factories.offered(workspace)
    with pytest.raises(NotNow):
        reservations.accept_reservation(reservation=offered, actor=SYSTEM, now=later(120))
    before = factories.last_event()
    sweep(later(121))
    assert "reservation.timeout" not in factories.event_types(before)
    assert factories.status(offered) == "timeout"
