"""A row that is not what actions write is logged, explained and passed over; the rest flows."""

from __future__ import annotations

import pytest
from django.db.models import F

from routing import models
from routing.core.vocabulary import Refusal
from routing.explanations import facts, wording
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

POISON = ["", "no json", "[1]", '"text"', "null", "7", '{"a": ', "[" * 100_000, '{"a":' * 50_000]


def poisoned(worker: models.Worker, text: str) -> None:
    """Write a row without an action."""
    models.Worker.objects.filter(pk=worker.pk).update(attributes=text, version=F("version") + 1)


def explained(task: models.Task) -> facts.Explanation:
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    return facts.explain_task(row, now=NOW)


@pytest.mark.parametrize("text", POISON)
def test_a_poisoned_worker_is_passed_over(text: str, caplog: pytest.LogCaptureFixture) -> None:
    floor = factories.workspace()
    sick = factories.worker(floor, "Sick", capacity={"chat": 9})
    well = factories.worker(floor, "Well")
    poisoned(sick, text)
    first, second = factories.task(floor), factories.task(floor)
    factories.run(floor)
    assert factories.reservation(first).worker == well
    assert factories.status(second) == "pending"
    factories.run(floor)
    assert [sick.sid in record.getMessage() for record in caplog.records].count(True) == 1
    (candidate,) = (c for c in explained(second).candidates.inside if c.worker.sid == sick.sid)
    assert candidate.refusal == candidate.grab_refusal == Refusal.ATTRIBUTES_UNREADABLE
    poisoned(sick, "{}")
    factories.run(floor)
    assert factories.reservation(second).worker == sick


@pytest.mark.parametrize("text", POISON)
def test_a_poisoned_task_stops_no_other(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """It got its lane before; its step and its lifetime still end."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    steps = [
        factories.target(queue, expression="task.lang IN worker.langs", timeout=10),
        factories.target(queue, expression="worker.any == task.any", timeout=10),
    ]
    factories.workflow(floor, factories.filter_("1==1", *steps))
    factories.worker(floor, attributes={"langs": ["en"]})
    sick = factories.task(floor, attributes={"lang": "de"}, priority=9)
    well = factories.task(floor, attributes={"lang": "en"}, timeout=1000)
    models.Task.objects.filter(pk=sick.pk).update(attributes=text)
    assert not explained(sick).readable
    assert "cannot be read" in wording.summary(explained(sick))
    factories.run(floor)
    assert factories.status(well) == "reserved"
    factories.run(floor, later(10))
    sick.refresh_from_db()
    assert sick.target_index == 1
    factories.run(floor, later(20))
    assert factories.status(sick) == "canceled"
    assert [sick.sid in record.getMessage() for record in caplog.records].count(True) == 1


def test_a_lane_with_an_invalid_expression_keeps_its_own_tasks_waiting_and_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(floor, default=factories.target(queue, expression="worker.a == task.a"))
    sick = factories.task(floor, attributes={"a": 1}, priority=9)
    well = factories.task(floor, attributes={"a": 2})
    factories.worker(floor, attributes={"a": 1})
    factories.worker(floor, attributes={"a": 2})
    models.Lane.objects.filter(tasks=sick).update(expression="worker.a === (")
    factories.run(floor)
    assert [factories.status(task) for task in (sick, well)] == ["pending", "reserved"]
    assert "unreadable lane id=" in caplog.text
    assert "cannot be read" in wording.summary(explained(sick))


def test_a_queue_with_an_invalid_expression_admits_no_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(floor, default=queue)
    other = factories.workflow(floor, default=factories.queue(floor))
    sick = factories.task(floor, workflow=queue_workflow(floor, queue), priority=9)
    well = factories.task(floor, workflow=other)
    factories.worker(floor)
    models.TaskQueue.objects.filter(pk=queue.pk).update(target_workers="((")
    factories.run(floor)
    assert [factories.status(task) for task in (sick, well)] == ["pending", "reserved"]
    assert queue.sid in caplog.text
    assert explained(sick).candidates.inside == ()


def queue_workflow(floor: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    return factories.workflow(floor, default=queue)
