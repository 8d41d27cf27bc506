"""Try a task on a workflow's page: with the text as it is typed, and nothing is saved."""

from __future__ import annotations

import json

import pytest

from routing import models
from routing.actions import workflows
from tests import factories
from tests.admin.visitors import Answer, Visitor, words

GOLD = '{"language": "es", "tier": "gold"}'


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    """Return a queue of workspace A."""
    return factories.queue(workspace, friendly_name="Support")


@pytest.fixture
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    """Return a workflow with a filter for gold and a default."""
    return factories.workflow(
        workspace,
        factories.filter_('tier == "gold"', factories.target(queue, timeout=30), name="Gold"),
        default=queue,
    )


def attempt(visitor: Visitor, workflow: models.Workflow, **fields: str) -> Answer:
    """Press the panel's button, with these fields of the page changed."""
    given = {"_try": "typed", "try-attributes": GOLD} | fields
    return visitor.send("routing_workflow_change", workflow.pk, **given)


def test_the_panel_names_the_filter_the_steps_and_who_gets_the_offer(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    factories.worker(workspace, "Ines")
    factories.worker(workspace, "Omar", available=False)
    text = words(attempt(alice, workflow))
    assert "Step 1, queue Support: Will be offered to Ines in the next cycle." in text
    assert "Gold ✓ the task goes here" in text
    assert "0 to 30 s" in text
    assert "Omar Offline The worker's activity does not take work." in text
    assert not workspace.tasks.exists()


def test_a_filter_that_does_not_match_says_what_it_read(
    alice: Visitor, workflow: models.Workflow
) -> None:
    text = words(attempt(alice, workflow, **{"try-attributes": '{"tier": "silver"}'}))
    assert 'task.tier == "gold" is false: task.tier is "silver"' in text
    assert "default_filter" in text


def test_the_text_is_tried_as_it_is_typed_and_stays_so(
    alice: Visitor, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    stored = workflows.current_configuration(workflow)
    typed = stored.replace("gold", "platinum")
    answer = attempt(alice, workflow, configuration=typed, friendly_name="Other")
    text = words(answer)
    assert 'task.tier == "platinum" is false: task.tier is "gold"' in text
    form = answer.context["adminform"].form
    assert (form["configuration"].value(), form["friendly_name"].value()) == (typed, "Other")
    workflow.refresh_from_db()
    assert workflows.current_configuration(workflow) == stored
    assert workflow.friendly_name != "Other"
    assert models.Event.objects.filter(resource_sid=workflow.sid).count() == 1


def test_problems_of_the_typed_text_are_listed(alice: Visitor, workflow: models.Workflow) -> None:
    text = words(attempt(alice, workflow, configuration='{"task_routing": {}}'))
    assert "The configuration has 1 problem; no task can be tried with it." in text
    assert "Expected at least one filter, or a default_filter" in text


def test_one_of_the_last_ten_tasks_is_tried_with_its_values(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    for number in range(11):
        factories.task(
            workspace,
            workflow=workflow,
            attributes={"subject": f"Order {number}", "tier": "gold"},
            priority=number,
            channel="chat",
            now=factories.later(number),
        )
    form = alice.see("routing_workflow_change", workflow.pk).context["trial_form"]
    labels = [label for _, label in form["task"].field.choices]
    assert [label.split(" (")[0] for label in labels] == [
        "–",
        *(f"Order {number}" for number in range(10, 0, -1)),
    ]
    newest = workspace.tasks.latest("pk")
    answer = attempt(alice, workflow, **{"_try": "task", "try-task": newest.sid})
    form = answer.context["trial_form"]
    assert json.loads(form["attributes"].value())["subject"] == "Order 10"
    assert (form["task_channel"].value(), form["priority"].value()) == ("chat", "10")
    assert "Gold ✓ the task goes here" in words(answer)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"try-attributes": "{"}, "attributes is not valid JSON"),
        ({"try-attributes": "[]"}, "must be a JSON object"),
        ({"try-priority": "-1"}, "greater than or equal to 0"),
        ({"try-floor": "moon"}, "Select a valid choice"),
        ({"try-step": "9"}, "step is 9; it must be a whole number from 1 to 1"),
        ({"try-at": "soon"}, "Enter a valid date/time"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(
    alice: Visitor, workflow: models.Workflow, fields: dict[str, str], message: str
) -> None:
    answer = attempt(alice, workflow, **fields)
    assert answer.context["trial"] is None
    errors = " ".join(str(e) for each in answer.context["trial_form"].errors.values() for e in each)
    assert message in errors


def test_a_new_workflow_is_tried_before_it_is_created(
    alice: Visitor, workspace: models.Workspace, queue: models.TaskQueue
) -> None:
    answer = alice.send("routing_workflow_add", friendly_name="New", _try="typed")
    assert "default_filter" in words(answer)
    assert not models.Workflow.objects.filter(friendly_name="New").exists()


def test_a_workflow_of_another_workspace_cannot_be_tried(
    bob: Visitor, workflow: models.Workflow
) -> None:
    given = {"_try": "typed", "try-attributes": GOLD, "configuration": "{}"}
    answer = bob.post("routing_workflow_change", workflow.pk, **given)
    assert "trial_form" not in (answer.context or {})
