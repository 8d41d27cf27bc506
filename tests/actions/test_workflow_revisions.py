"""Revisions of a workflow: every text with its author, a limited number, and restored ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from routing import models
from routing.actions import api_keys, task_queues, workflows
from routing.actions.support import workflow_revisions
from routing.actions.support.errors import ActionError, InvalidInput
from routing.actors import SYSTEM, Actor
from routing.core.event_catalog import EventType
from tests import factories
from tests.factories import NOW, later

KIM = Actor(type="user", sid="kim", source="admin")


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    return factories.queue(workspace)


@pytest.fixture
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    return factories.workflow(workspace, default=queue)


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    return factories.workspace()


def change(workflow: models.Workflow, text: str, seconds: int = 1, **given: Any) -> models.Workflow:
    values: dict[str, Any] = {"actor": KIM, "now": later(seconds)} | given
    return workflows.update_workflow(workflow=workflow, configuration=text, **values)


def text_of(queue: models.TaskQueue, number: int) -> str:
    one = factories.filter_(f"level == {number}", factories.target(queue))
    return factories.configuration(one, default=queue)


def numbers(workflow: models.Workflow) -> list[int | None]:
    return list(workflow.revisions.order_by("number").values_list("number", flat=True))


def newest_event(workflow: models.Workflow) -> models.Event:
    return models.Event.objects.filter(resource_sid=workflow.sid).latest("pk")


def test_every_new_text_is_a_revision_with_its_author_date_and_message(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    change(workflow, text_of(queue, 1), message="  Ask for a level ")
    first, second = workflow.revisions.order_by("number")
    assert (first.number, first.actor_type, first.actor_name) == (1, "system", "")
    assert (second.number, second.actor_type, second.actor_sid) == (2, "user", "kim")
    assert (second.actor_name, second.source) == ("kim", "admin")
    assert (second.message, second.date_created) == ("Ask for a level", later(1))
    assert workflow.revision == second
    assert newest_event(workflow).event_data["workflow_revision_number"] == "2"


def test_the_name_of_an_api_key_stays_after_it_is_gone(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    key, _ = api_keys.create_api_key(
        account=workflow.workspace.account, friendly_name="Deploy", now=NOW
    )
    actor = Actor(type="api-key", sid=key.sid, source="api")
    change(workflow, text_of(queue, 1), actor=actor)
    key.delete()
    assert workflow.revisions.get(number=2).actor_name == "Deploy"


def test_what_changes_no_text_is_no_revision(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    change(workflow, workflows.current_configuration(workflow))
    workflows.update_workflow(workflow=workflow, friendly_name="Other", actor=KIM, now=NOW)
    with pytest.raises(InvalidInput):
        change(workflow, "{}")
    assert numbers(workflow) == [1]
    assert "workflow_revision_number" not in newest_event(workflow).event_data


def test_a_restored_text_is_a_new_revision_and_an_event(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    first = workflows.current_configuration(workflow)
    for number in range(2, 8):
        change(workflow, text_of(queue, number), seconds=number)
    task = factories.task(workflow.workspace, now=later(9))
    restored = workflows.restore_revision(
        workflow=workflow, number=1, message="Too strict", actor=KIM, now=later(10)
    )
    assert numbers(workflow) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert workflows.current_configuration(restored) == first
    assert restored.revision is not None
    assert (restored.revision.number, restored.revision.restored_from) == (8, 1)
    assert restored.revision.message == "Too strict"
    event = newest_event(workflow)
    assert event.event_type == EventType.WORKFLOW_UPDATED
    assert event.actor_sid == "kim"
    assert event.event_data["workflow_revision_number"] == "8"
    assert event.event_data["workflow_revision_restored_from"] == "1"
    # The waiting task stays where it is.
    task.refresh_from_db()
    assert task.revision_id == workflow.revisions.get(number=7).pk


def test_waiting_tasks_follow_a_restored_text_on_request(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    change(workflow, text_of(queue, 1))
    task = factories.task(workflow.workspace, attributes={"level": 1}, now=later(2))
    restored = workflows.restore_revision(
        workflow=workflow, number=1, re_evaluate_tasks=True, actor=KIM, now=later(3)
    )
    task.refresh_from_db()
    assert task.revision_id == restored.revision_id


def test_a_text_whose_queue_is_gone_cannot_be_restored(
    workspace: models.Workspace, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    other = factories.queue(workspace)
    change(workflow, factories.configuration(default=other))
    workflow.refresh_from_db()
    task_queues.delete_task_queue(queue=queue, actor=SYSTEM, now=later(2))
    with pytest.raises(InvalidInput, match=r"default_filter\.queue: There is no task queue"):
        workflows.restore_revision(workflow=workflow, number=1, actor=KIM, now=later(3))
    assert numbers(workflow) == [1, 2]


@pytest.mark.parametrize(
    ("number", "message"), [(9, "has no revision 9"), (1, "the text that the workflow has now")]
)
def test_what_cannot_be_restored_is_refused(
    workflow: models.Workflow, number: int, message: str
) -> None:
    with pytest.raises(ActionError, match=message):
        workflows.restore_revision(workflow=workflow, number=number, actor=KIM, now=NOW)


def test_the_oldest_revisions_are_deleted_unless_a_task_refers_to_them(
    workflow: models.Workflow, queue: models.TaskQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow_revisions, "MOST_REVISIONS", 3)
    change(workflow, text_of(queue, 2))
    factories.task(workflow.workspace, now=later(2))
    for number in range(3, 8):
        change(workflow, text_of(queue, number))
    assert numbers(workflow) == [2, 5, 6, 7]


def test_two_revisions_never_have_one_number(workflow: models.Workflow) -> None:
    revision = workflow.revisions.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        models.WorkflowRevision.objects.create(
            id=1, workflow=workflow, number=1, configuration="", date_created=NOW
        )
    # A process of an older release writes revisions without numbers, as many as it likes.
    for key in (2, 3):
        models.WorkflowRevision.objects.create(
            id=key, workflow=workflow, configuration="", date_created=NOW
        )
    assert revision.number == 1


def test_a_message_that_is_too_long_is_refused(
    workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    with pytest.raises(InvalidInput, match="message is 256 characters long"):
        change(workflow, text_of(queue, 1), message="x" * 256)
    assert numbers(workflow) == [1]
