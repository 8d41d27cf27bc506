"""Slots are claimed by whoever gets them, in whatever order those looked at their clocks."""

from __future__ import annotations

from routing import diagnosis, models
from routing.actions import grabs
from routing.actors import SYSTEM
from tests import factories
from tests.factories import later


def grab(task: models.Task, worker: models.Worker, *, seconds: float) -> None:
    grabs.grab_task(task=task, worker=worker, actor=SYSTEM, now=later(seconds))


def test_an_offer_by_a_clock_that_was_read_earlier_does_not_make_the_last_one_older(
    floor: models.Workspace,
) -> None:
    """Who waits for a worker's lock has read the clock before whoever is at work."""
    worker = factories.worker(floor, capacity={"chat": 2, "sms": 1})
    grab(factories.task(floor, channel="chat"), worker, seconds=5)
    grab(factories.task(floor, channel="sms"), worker, seconds=3)
    grab(factories.task(floor, channel="chat"), worker, seconds=4)
    worker.refresh_from_db()
    chat = factories.worker_channel(worker, "chat")
    sms = factories.worker_channel(worker, "sms")
    at = [
        round(us / 1e6 - factories.NOW.timestamp())
        for us in (_reserved(worker), _reserved(chat), _reserved(sms))
    ]
    assert at == [5, 5, 3]
    assert list(diagnosis.problems()) == []


def _reserved(row: models.Worker | models.WorkerChannel) -> int:
    assert row.last_reserved_us is not None
    return row.last_reserved_us
