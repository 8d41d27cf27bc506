"""Workspaces, activities, channels, queues and workflows: what may change, and what is in use."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import models
from routing.actions import (
    activities,
    task_channels,
    task_queues,
    task_transitions,
    tasks,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actions.support.errors import InUse, InvalidInput, StaleState
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, filter_, target

Happened = Callable[[], list[str]]


def test_a_new_workspace_has_three_activities_and_five_channels(recorded_events: Happened) -> None:
    workspace = factories.workspace()
    assert [a.friendly_name for a in workspace.activities.order_by("pk")] == [
        "Offline",
        "Available",
        "Unavailable",
    ]
    assert workspace.default_activity == workspace.timeout_activity
    assert {c.unique_name for c in workspace.task_channels.all()} == {
        "default",
        "voice",
        "sms",
        "chat",
        "video",
    }
    assert recorded_events() == [
        "workspace.created",
        *["activity.created"] * 3,
        *["task-channel.created"] * 5,
    ]


@pytest.mark.django_db
def test_the_fifo_template_routes_from_the_first_task() -> None:
    workspace = factories.workspace(template="FIFO")
    factories.worker(workspace)
    queue = factories.offered(workspace).task.task_queue
    assert queue is not None
    assert queue.friendly_name == "Sample Queue"


def test_multitasking_off_and_on_again_keeps_every_capacity(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace, capacity={"chat": 4})
    for enabled in (False, True):
        workspaces.update_workspace(
            workspace=workspace, multi_task_enabled=enabled, actor=SYSTEM, now=NOW
        )
        assert factories.worker_channel(worker).configured_capacity == 4


def test_deleting_a_workspace_takes_live_tasks_along_and_leaves_its_events(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    factories.accepted(workspace)
    factories.task(workspace)
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=NOW)
    assert not models.Workspace.objects.exists()
    assert not models.Task.objects.exists()
    assert factories.event_types()[-1] == "workspace.deleted"
    assert "task.created" in factories.event_types()


def test_an_unknown_event_type_in_the_filter_is_refused(workspace: models.Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"task\.craeted"):
        workspaces.update_workspace(
            workspace=workspace, events_filter="task.craeted", actor=SYSTEM, now=NOW
        )
    changed = workspaces.update_workspace(
        workspace=workspace, events_filter=" task.created, task.canceled", actor=SYSTEM, now=NOW
    )
    assert changed.events_filter == "task.created,task.canceled"


def test_an_activity_in_use_cannot_be_deleted(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    for activity in (worker.activity, workspace.default_activity):
        assert activity is not None
        with pytest.raises(InUse):
            activities.delete_activity(activity=activity, actor=SYSTEM, now=NOW)
    unused = factories.activity(workspace, "Unavailable")
    activities.delete_activity(activity=unused, actor=SYSTEM, now=NOW)
    assert not workspace.activities.filter(friendly_name="Unavailable").exists()


def test_a_workspace_has_at_most_a_hundred_activities(workspace: models.Workspace) -> None:
    for number in range(97):
        factories.activity(workspace, f"Activity {number}")
    with pytest.raises(InvalidInput, match="at most 100"):
        factories.activity(workspace, "One too many")


def test_a_new_channel_reaches_every_worker_and_is_routed_on(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    factories.channel(workspace, "fax")
    assert factories.worker_channel(worker, "fax").configured_capacity == 1
    assert factories.offered(workspace, channel="fax").worker == worker


def test_the_five_custom_channels_are_added_once(workspace: models.Workspace) -> None:
    made = task_channels.add_custom_channels(workspace=workspace, actor=SYSTEM, now=NOW)
    assert [c.unique_name for c in made] == [f"custom{n}" for n in range(1, 6)]
    assert task_channels.add_custom_channels(workspace=workspace, actor=SYSTEM, now=NOW) == []


@pytest.mark.parametrize("name", ["web-chat", "web chat", "1st", "", "ü", "x" * 65])
def test_names_that_expressions_cannot_read_are_refused(
    workspace: models.Workspace, name: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        task_channels.create_task_channel(
            workspace=workspace, friendly_name="Web", unique_name=name, actor=SYSTEM, now=NOW
        )
    assert refused.value.field == "unique_name"


def test_unique_names_are_kept_in_lower_case_and_collide_so(workspace: models.Workspace) -> None:
    made = task_channels.create_task_channel(
        workspace=workspace, friendly_name="Web", unique_name="Web_1", actor=SYSTEM, now=NOW
    )
    assert made.unique_name == "web_1"
    with pytest.raises(InvalidInput, match="exists already"):
        task_channels.create_task_channel(
            workspace=workspace, friendly_name="Web", unique_name="WEB_1", actor=SYSTEM, now=NOW
        )


def test_a_channel_with_work_or_called_default_cannot_be_deleted(
    workspace: models.Workspace,
) -> None:
    fax = factories.channel(workspace, "fax")
    task = factories.task(workspace, channel="fax")
    with pytest.raises(InUse, match="unfinished tasks"):
        task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    with pytest.raises(InUse, match="default"):
        task_channels.delete_task_channel(
            channel=factories.channel(workspace, "default"), actor=SYSTEM, now=NOW
        )
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=NOW)
    task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    assert task.task_channel.unique_name == "default"


def test_a_queue_in_use_cannot_be_deleted(workspace: models.Workspace) -> None:
    queue, spare = factories.queue(workspace), factories.queue(workspace)
    workflow = factories.workflow(workspace, default=queue)
    factories.task(workspace)
    with pytest.raises(InUse, match="target of the workflow"):
        task_queues.delete_task_queue(queue=queue, actor=SYSTEM, now=NOW)
    workflows.update_workflow(
        workflow=workflow,
        configuration=factories.configuration(default=spare),
        actor=SYSTEM,
        now=NOW,
    )
    with pytest.raises(InUse, match="still has tasks"):
        task_queues.delete_task_queue(queue=queue, actor=SYSTEM, now=NOW)
    workflows.update_workflow(workflow=workflow, re_evaluate_tasks=True, actor=SYSTEM, now=NOW)
    task_queues.delete_task_queue(queue=queue, actor=SYSTEM, now=NOW)
    assert list(workspace.task_queues.all()) == [spare]


def test_an_expression_that_does_not_parse_is_shown_with_a_caret(
    workspace: models.Workspace,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        factories.queue(workspace, target_workers="skill-level > 3")
    assert "^" in refused.value.message
    assert refused.value.field == "target_workers"
    assert factories.queue(workspace, target_workers="skill_level > 3").pk is not None


def test_a_new_expression_and_any_other_change_of_a_queue_are_recorded_as_different_events(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    queue = factories.queue(workspace)
    recorded_events()
    task_queues.update_task_queue(queue=queue, target_workers="level > 1", actor=SYSTEM, now=NOW)
    task_queues.update_task_queue(queue=queue, max_reserved_workers=3, actor=SYSTEM, now=NOW)
    assert recorded_events() == ["task-queue.expression.updated", "task-queue.updated"]


def test_waiting_tasks_follow_the_configuration_they_started_with(
    workspace: models.Workspace,
) -> None:
    old, new = factories.queue(workspace), factories.queue(workspace)
    workflow = factories.workflow(workspace, filter_("1==1", target(old, timeout=10), target(old)))
    task = factories.task(workspace)
    workflows.update_workflow(
        workflow=workflow,
        configuration=factories.configuration(default=new),
        actor=SYSTEM,
        now=NOW,
    )
    factories.run(workspace, factories.later(10))
    task.refresh_from_db()
    assert (task.task_queue, task.target_index) == (old, 1)
    assert factories.task(workspace).task_queue == new
    workflows.update_workflow(workflow=workflow, re_evaluate_tasks=True, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    assert task.task_queue == new


def test_an_unacceptable_configuration_leaves_the_old_one(workspace: models.Workspace) -> None:
    workflow = factories.workflow(workspace)
    before = workflows.current_configuration(workflow)
    with pytest.raises(InvalidInput) as refused:
        workflows.update_workflow(
            workflow=workflow,
            configuration='{"task_routing": {"filters": [{"expression": "a >"}]}}',
            actor=SYSTEM,
            now=NOW,
        )
    assert "task_routing.filters[0].expression" in refused.value.message
    assert "task_routing.filters[0].targets" in refused.value.message
    workflow.refresh_from_db()
    assert workflows.current_configuration(workflow) == before


def test_a_workflow_with_waiting_tasks_cannot_be_deleted(workspace: models.Workspace) -> None:
    workflow = factories.workflow(workspace)
    task = factories.task(workspace)
    with pytest.raises(InUse):
        workflows.delete_workflow(workflow=workflow, actor=SYSTEM, now=NOW)
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=NOW)
    workflows.delete_workflow(workflow=workflow, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    assert task.workflow is None


def test_changes_of_capacity_and_of_availability_are_different_events(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    channel = factories.worker_channel(worker)
    recorded_events()
    worker_channels.update_worker_channel(
        channel=channel, configured_capacity=3, available=False, actor=SYSTEM, now=NOW
    )
    assert recorded_events() == ["worker.capacity.update", "worker.channel.availability.update"]
    worker_channels.update_worker_channel(
        channel=channel, configured_capacity=3, actor=SYSTEM, now=NOW
    )
    assert recorded_events() == []


@pytest.mark.parametrize("capacity", [-1, 51])
def test_capacities_out_of_range_are_refused(workspace: models.Workspace, capacity: int) -> None:
    worker = factories.worker(workspace)
    with pytest.raises(InvalidInput, match="from 0 to 50"):
        factories.set_capacity(worker, configured_capacity=capacity)
    assert factories.worker_channel(worker).configured_capacity == 1


@pytest.mark.django_db
def test_creating_something_in_a_workspace_that_was_just_deleted_is_refused() -> None:
    workspace = factories.workspace()
    workflow = factories.workflow(workspace)
    stale = models.Workspace.objects.get(pk=workspace.pk)
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState, match="deleted"):
        tasks.create_task(workspace=stale, workflow=workflow, actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState, match="deleted"):
        workers.create_worker(workspace=stale, friendly_name="Ann", actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState, match="deleted"):
        task_channels.create_task_channel(
            workspace=stale, friendly_name="x", unique_name="x", actor=SYSTEM, now=NOW
        )
