"""A row that is not what actions write is logged, explained and passed over; the rest flows."""

from __future__ import annotations

import pytest
from django.db.models import F

from agents import waiting
from routing import models
from routing.actions import offers
from routing.actions.support.errors import NotEligible
from routing.actors import SYSTEM
from routing.core.vocabulary import Refusal
from routing.explanations import facts, wording
from routing.explanations.explanation import Explanation
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

POISON = ["", "no json", "[1]", '"text"', "null", "7", '{"a": ', "[" * 100_000, '{"a":' * 50_000]


def poisoned(worker: models.Worker, text: str) -> None:
    """Write a row without an action."""
    models.Worker.objects.filter(pk=worker.pk).update(attributes=text, version=F("version") + 1)


def explained(task: models.Task) -> Explanation:
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    return facts.explain_task(row, now=NOW)


@pytest.mark.parametrize("text", POISON)
def test_a_poisoned_worker_is_passed_over(text: str, caplog: pytest.LogCaptureFixture) -> None:
    workspace = factories.workspace()
    sick = factories.worker(workspace, "Sick", capacity={"chat": 9})
    well = factories.worker(workspace, "Well")
    poisoned(sick, text)
    first, second = factories.task(workspace), factories.task(workspace)
    factories.run(workspace)
    assert factories.reservation(first).worker == well
    assert factories.status(second) == "pending"
    factories.run(workspace)
    assert [sick.sid in record.getMessage() for record in caplog.records].count(True) == 1
    (verdict,) = (c for c in explained(second).verdicts.inside if c.worker.sid == sick.sid)
    assert verdict.refusal == verdict.grab_refusal == Refusal.ATTRIBUTES_UNREADABLE
    poisoned(sick, "{}")
    factories.run(workspace)
    assert factories.reservation(second).worker == sick


@pytest.mark.parametrize("text", POISON)
def test_a_poisoned_task_stops_no_other(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """It got its lane before; its step and its lifetime still end."""
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    steps = [
        factories.target(queue, expression="task.lang IN worker.langs", timeout=10),
        factories.target(queue, expression="worker.any == task.any", timeout=10),
    ]
    factories.workflow(workspace, factories.filter_("1==1", *steps))
    factories.worker(workspace, attributes={"langs": ["en"]})
    sick = factories.task(workspace, attributes={"lang": "de"}, priority=9)
    well = factories.task(workspace, attributes={"lang": "en"}, timeout=1000)
    models.Task.objects.filter(pk=sick.pk).update(attributes=text)
    assert not explained(sick).readable
    assert "cannot be read" in wording.summarize(explained(sick))
    factories.run(workspace)
    assert factories.status(well) == "reserved"
    factories.run(workspace, later(10))
    sick.refresh_from_db()
    assert sick.target_index == 1
    factories.run(workspace, later(20))
    assert factories.status(sick) == "canceled"
    assert [sick.sid in record.getMessage() for record in caplog.records].count(True) == 1


def test_a_lane_with_an_invalid_expression_keeps_its_own_tasks_waiting_and_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=factories.target(queue, expression="worker.a == task.a"))
    sick = factories.task(workspace, attributes={"a": 1}, priority=9)
    well = factories.task(workspace, attributes={"a": 2})
    factories.worker(workspace, attributes={"a": 1})
    factories.worker(workspace, attributes={"a": 2})
    models.Lane.objects.filter(tasks=sick).update(expression="worker.a === (")
    factories.run(workspace)
    assert [factories.status(task) for task in (sick, well)] == ["pending", "reserved"]
    assert "unreadable lane id=" in caplog.text
    assert "cannot be read" in wording.summarize(explained(sick))


def test_a_task_on_a_lane_with_an_invalid_expression_cannot_be_grabbed() -> None:
    """The grab, its button and the explanation refuse it for the same reason."""
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=factories.target(queue, expression="worker.a == task.a"))
    sick = factories.task(workspace, attributes={"a": 1})
    worker = factories.worker(workspace, attributes={"a": 1})
    models.Lane.objects.filter(tasks=sick).update(expression="worker.a === (")
    sick = models.Task.objects.get(pk=sick.pk)
    with pytest.raises(NotEligible) as refused:
        offers.grab_task(task=sick, worker=worker, actor=SYSTEM, now=NOW)
    verdict = explained(sick).verdicts.find_verdict(worker.sid)
    assert verdict is not None
    assert refused.value.refusal == verdict.grab_refusal == Refusal.NOT_IN_QUEUE
    (row,) = waiting.load_queue_panel(worker, now=NOW).rows
    assert row.refusal == Refusal.NOT_IN_QUEUE


def test_a_queue_with_an_invalid_expression_admits_no_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    other = factories.workflow(workspace, default=factories.queue(workspace))
    sick = factories.task(workspace, workflow=queue_workflow(workspace, queue), priority=9)
    well = factories.task(workspace, workflow=other)
    factories.worker(workspace)
    models.TaskQueue.objects.filter(pk=queue.pk).update(target_workers="((")
    factories.run(workspace)
    assert [factories.status(task) for task in (sick, well)] == ["pending", "reserved"]
    assert queue.sid in caplog.text
    assert explained(sick).verdicts.inside == ()


def queue_workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    return factories.workflow(workspace, default=queue)
