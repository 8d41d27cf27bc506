"""Slots are claimed in the order of the locks, even if the clocks were read in another order."""

from __future__ import annotations

from routing import diagnosis, models
from routing.actions import offers
from routing.actors import SYSTEM
from tests import factories
from tests.factories import later


def grab(task: models.Task, worker: models.Worker, *, seconds: float) -> None:
    offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=later(seconds))


def test_a_clock_that_was_read_earlier_does_not_move_the_last_offer_back(
    workspace: models.Workspace,
) -> None:
    """A process that waits for the worker's lock has read its clock before the lock's holder."""
    worker = factories.worker(workspace, capacity={"chat": 2, "sms": 1})
    grab(factories.task(workspace, channel="chat"), worker, seconds=5)
    grab(factories.task(workspace, channel="sms"), worker, seconds=3)
    grab(factories.task(workspace, channel="chat"), worker, seconds=4)
    worker.refresh_from_db()
    chat = factories.worker_channel(worker, "chat")
    sms = factories.worker_channel(worker, "sms")
    at = [
        round(us / 1e6 - factories.NOW.timestamp())
        for us in (_reserved(worker), _reserved(chat), _reserved(sms))
    ]
    assert at == [5, 5, 3]
    assert list(diagnosis.find_problems()) == []


def _reserved(row: models.Worker | models.WorkerChannel) -> int:
    assert row.last_reserved_us is not None
    return row.last_reserved_us
