"""Workflows in the admin: every problem at its path, every warning shown, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from routing import models
from routing.actions import workflows
from tests import factories
from tests.admin.visitors import Visitor, errors, words
from tests.factories import filter_, target

Happened = Callable[[], list[str]]
INVERTED = "worker.channel.chat.available_capacity_percentage < 75"


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    """Return a queue of workspace A."""
    return factories.queue(workspace, friendly_name="Support")


@pytest.fixture
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    """Return a workflow that puts every task into the queue."""
    return factories.workflow(workspace, default=queue)


def test_the_form_of_a_new_workflow_starts_with_a_working_example(
    alice: Visitor, queue: models.TaskQueue, recorded_events: Happened
) -> None:
    recorded_events()
    alice.send("routing_workflow_add", friendly_name="Everything")
    made = models.Workflow.objects.get(friendly_name="Everything")
    assert queue.sid in workflows.current_configuration(made)
    assert recorded_events() == ["workflow.created"]


def test_every_problem_is_listed_with_its_path_and_nothing_changes(
    alice: Visitor, workflow: models.Workflow, queue: models.TaskQueue, recorded_events: Happened
) -> None:
    before = workflows.current_configuration(workflow)
    recorded_events()
    broken = factories.configuration(
        filter_("type == ", target(queue)),
        filter_("type == 'chat'", target(queue, priority=-1)),
        default={"queue": "WQnowhere"},
    )
    answer = alice.send("routing_workflow_change", workflow.pk, configuration=broken)
    said = errors(answer, "configuration")
    assert "task_routing.filters[0].expression: " in said
    assert "^" in said
    assert "task_routing.filters[1].targets[0].priority: " in said
    assert "task_routing.default_filter.queue: " in said
    workflow.refresh_from_db()
    assert workflows.current_configuration(workflow) == before
    assert recorded_events() == []


def test_broken_json_is_marked_with_line_and_column(
    alice: Visitor, workflow: models.Workflow
) -> None:
    answer = alice.send(
        "routing_workflow_change", workflow.pk, configuration='{\n  "task_routing": {,}\n}'
    )
    assert "line 2, column 20" in errors(answer, "configuration")


def test_queues_of_another_workspace_do_not_exist_here(
    alice: Visitor, workflow: models.Workflow, other: models.Workspace
) -> None:
    theirs = factories.configuration(default=factories.queue(other))
    answer = alice.send("routing_workflow_change", workflow.pk, configuration=theirs)
    assert "in this workspace" in errors(answer, "configuration")


def test_an_inverted_percentage_is_saved_and_warned_of_after_saving_and_on_the_page(
    alice: Visitor, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    text = factories.configuration(filter_("1==1", target(queue, expression=INVERTED)))
    answer = alice.send("routing_workflow_change", workflow.pk, configuration=text)
    for said in (words(answer), words(alice.see("routing_workflow_change", workflow.pk))):
        assert "task_routing.filters[0].targets[0].expression" in said
        assert "worker.channel.chat.available_capacity_percentage > 25" in said
        assert "worker.channel.chat.busy_capacity_percentage < 75" in said
    workflow.refresh_from_db()
    assert INVERTED in workflows.current_configuration(workflow)


def test_a_comparison_the_right_way_round_gets_no_warning(
    alice: Visitor, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    right = "worker.channel.chat.busy_capacity_percentage < 75"
    text = factories.configuration(filter_("1==1", target(queue, expression=right)))
    answer = alice.send("routing_workflow_change", workflow.pk, configuration=text)
    assert "idle worker out" not in words(answer)
    assert "Doubtful: Nothing." in words(alice.see("routing_workflow_change", workflow.pk))


def test_a_configuration_sent_back_unchanged_is_no_new_revision(
    alice: Visitor, workspace: models.Workspace, queue: models.TaskQueue, recorded_events: Happened
) -> None:
    text = json.dumps(json.loads(factories.configuration(default=queue)), indent=2)
    workflow = factories.workflow(workspace, configuration=text)
    recorded_events()
    alice.send(
        "routing_workflow_change",
        workflow.pk,
        configuration=text.replace("\n", "\r\n"),
        task_reservation_timeout="33",
    )
    assert workflow.revisions.count() == 1
    assert recorded_events() == ["workflow.updated"]


def test_waiting_tasks_are_routed_again_only_on_request(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    task = factories.task(workspace)
    elsewhere = factories.queue(workspace, friendly_name="Elsewhere")
    text = factories.configuration(default=elsewhere)
    alice.send("routing_workflow_change", workflow.pk, configuration=text)
    task.refresh_from_db()
    assert task.task_queue != elsewhere
    alice.send("routing_workflow_change", workflow.pk, re_evaluate_tasks="on")
    task.refresh_from_db()
    assert task.task_queue == elsewhere


def test_an_outdated_form_does_not_overwrite_a_changed_configuration(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    page = alice.form("routing_workflow_change", workflow.pk)
    theirs = factories.configuration(filter_("type == 'theirs'", target(queue)))
    alice.send("routing_workflow_change", workflow.pk, configuration=theirs)

    mine = factories.configuration(filter_("type == 'mine'", target(queue)))
    answer = alice.post("routing_workflow_change", workflow.pk, **page | {"configuration": mine})
    assert "Someone else has changed this configuration" in errors(answer, "configuration")
    workflow.refresh_from_db()
    assert workflows.current_configuration(workflow) == theirs


def test_a_callback_that_is_no_address_is_refused_at_its_field(
    alice: Visitor, workflow: models.Workflow
) -> None:
    answer = alice.send(
        "routing_workflow_change", workflow.pk, assignment_callback_url="javascript:alert(1)"
    )
    assert "not an absolute http" in errors(answer, "assignment_callback_url")


def test_a_workflow_with_waiting_tasks_is_not_deleted(
    alice: Visitor, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    factories.task(workspace)
    answer = alice.post("routing_workflow_delete", workflow.pk, post="yes")
    assert "still leads waiting tasks" in words(answer)
    assert models.Workflow.objects.filter(pk=workflow.pk).exists()


def test_the_page_helps_with_an_example_and_the_language(
    alice: Visitor, workflow: models.Workflow
) -> None:
    assert "How a configuration is written" in words(
        alice.see("routing_workflow_change", workflow.pk)
    )
    assert "busy_capacity_percentage" in words(alice.see("language"))
