"""Which queues a worker serves: found by all queues once, then only by those that matter."""

from __future__ import annotations

from typing import Any

import pytest

from agents import served_queues, waiting_tasks
from routing import models
from routing.actions import task_queues, workers
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW

# Within a transaction nothing is cached.
pytestmark = pytest.mark.django_db(transaction=True)

BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


def names(worker: models.Worker) -> list[str]:
    served = served_queues.load_served_queues(worker)
    return [queue.friendly_name for queue in served.queues]


def test_every_change_of_queue_or_worker_shows_at_once() -> None:
    floor = factories.workspace()
    ada = factories.worker(floor, "Ada", attributes={"level": 1}, capacity={"chat": 2})
    first = factories.queue(floor, friendly_name="First", target_workers="level > 0")
    assert names(ada) == names(ada) == ["First"]
    second = factories.queue(floor, friendly_name="Second", target_workers="level > 1")
    assert names(ada) == ["First"]
    task_queues.update_task_queue(queue=second, target_workers="level == 1", **BY)
    assert names(ada) == ["First", "Second"]
    task_queues.update_task_queue(queue=second, friendly_name="A second", **BY)
    assert names(ada) == ["A second", "First"]
    task_queues.delete_task_queue(queue=first, **BY)
    assert names(ada) == ["A second"]
    workers.update_worker(worker=ada, attributes='{"level": true}', **BY)
    # 1 and true are equal in Python only.
    assert names(ada) == []


def test_a_queue_that_reads_load_is_asked_each_time() -> None:
    floor = factories.workspace()
    idle = "worker.channel.chat.available_capacity_percentage == 100"
    factories.workflow(floor, default=factories.queue(floor, friendly_name="All"))
    factories.queue(floor, friendly_name="Idle", target_workers=idle)
    ada = factories.worker(floor, "Ada", capacity={"chat": 2})
    assert names(ada) == ["All", "Idle"]
    factories.offered(floor)
    assert names(ada) == ["All"]
    assert served_queues.load_served_queues(ada).by_load


def test_queues_of_others_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = factories.workspace()
    ada = factories.worker(floor, "Ada", attributes={"level": 1}, capacity={"chat": 2})
    factories.queue(floor, friendly_name="First", target_workers="level > 0")
    factories.queue(floor, friendly_name="Other", target_workers="level > 1")
    assert names(ada) == ["First"]
    monkeypatch.setattr(waiting_tasks, "list_all_queues", None)
    factories.set_capacity(ada, configured_capacity=4)
    assert names(ada) == ["First"]
