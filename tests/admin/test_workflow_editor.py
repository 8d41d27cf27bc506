"""The editor of a workflow's text: an outline with names, and every error at its line."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from routing import models
from tests import factories
from tests.admin.visitors import Answer, Visitor, words


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    """Return a queue of workspace A."""
    return factories.queue(workspace, friendly_name="Support")


@pytest.fixture
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    """Return a workflow with a filter and a default."""
    gold = factories.filter_('tier == "gold"', factories.target(queue, timeout=30), name="Gold")
    return factories.workflow(workspace, gold, default=queue)


def ask(visitor: Visitor, workspace: models.Workspace, text: str) -> Answer:
    """Ask for the outline of a text, as the page's script does."""
    path = reverse("admin:routing_workflow_outline", args=[workspace.sid])
    return visitor.client.post(path, {"configuration": text})


def test_the_page_has_an_outline_with_names_of_queues(
    alice: Visitor, workflow: models.Workflow
) -> None:
    text = words(alice.see("routing_workflow_change", workflow.pk))
    assert 'Gold tier == "gold" Support seconds 30' in text
    assert "All other tasks: Support" in text
    assert "No errors" in text


def test_the_editor_proposes_what_expressions_of_the_workspace_read(
    alice: Visitor, workflow: models.Workflow, workspace: models.Workspace
) -> None:
    attributes = {"tier": "gold", "order": {"number": 7, "not a name": 1}}
    factories.task(workspace, attributes=attributes)
    factories.worker(workspace, "Ann", attributes={"languages": ["en"]})
    factories.task(factories.workspace(), attributes={"elsewhere": 1})
    names = json.loads(
        alice.see("routing_workflow_change", workflow.pk).context["expression_names"]
    )
    assert names == sorted(names)
    assert [name for name in names if name.startswith("task.")] == [
        "task.order.number",
        "task.tier",
    ]
    assert {"worker.languages", "worker.friendly_name", "taskrouter.dayOfWeek"} <= set(names)
    assert "worker.channel.chat.available_capacity_percentage" in names


def test_a_text_that_is_typed_has_its_outline_with_all_errors_at_their_lines(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    bad = {
        "task_routing": {
            "filters": [{"expression": "a ==", "targets": [{"queue": "WQ9", "timeout": 0}]}]
        }
    }
    answer = ask(alice, workspace, json.dumps(bad, indent=1).replace("\n", "\r\n"))
    assert answer.status_code == 200
    lines = [(each.line, each.path) for each in answer.context["outline"].problems]
    assert lines == [
        (5, "task_routing.filters[0].expression"),
        (8, "task_routing.filters[0].targets[0].queue"),
        (9, "task_routing.filters[0].targets[0].timeout"),
    ]
    assert 'data-errors="3"' in answer.content.decode()
    assert models.WorkflowRevision.objects.count() == 1


def test_a_save_that_is_refused_keeps_the_outline_of_the_typed_text(
    alice: Visitor, workflow: models.Workflow
) -> None:
    answer = alice.send("routing_workflow_change", workflow.pk, configuration='{\n"x": 1}')
    assert [each.line for each in answer.context["outline"].problems] == [1]


def test_markup_in_a_text_is_escaped(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    text = json.dumps(
        {"task_routing": {"filters": [{"friendly_name": "<script>x</script>", "<b>": 1}]}}
    )
    shown = ask(alice, workspace, text).content.decode()
    assert "<script>" not in shown
    assert "<b>" not in shown


def test_the_outline_of_another_workspace_is_not_found(
    bob: Visitor, charlie: Visitor, workspace: models.Workspace
) -> None:
    assert ask(bob, workspace, "{}").status_code == 404
    assert ask(charlie, workspace, "{}").status_code in (302, 403)
    assert bob.get(reverse("admin:routing_workflow_outline", args=["WS"])).status_code == 405
