"""Traps of tasks: how they come in, what may be done to them when, and how long they stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from routing import housekeeping, models
from tests import factories
from tests.api.conftest import Answer, Api


def refused(answer: Answer) -> bool:
    return (answer.status, answer["code"]) == (400, 20001)


def test_a_task_without_a_channel_is_on_default(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.workflow(workspace)
    assert api.post(f"{root}/Tasks")["task_channel_unique_name"] == "default"
    assert api.post(f"{root}/Tasks", TaskChannel="sms")["task_channel_unique_name"] == "sms"


def test_a_channel_is_found_by_sid_and_by_unique_name(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.workflow(workspace)
    chat, worker = factories.channel(workspace), factories.worker(workspace)
    own = factories.worker_channel(worker)
    for name in (chat.sid, "chat"):
        assert api.get(f"{root}/TaskChannels/{name}")["sid"] == chat.sid
        assert api.post(f"{root}/Tasks", TaskChannel=name)["task_channel_sid"] == chat.sid
    for name in (own.sid, chat.sid, "chat"):
        assert api.get(f"{root}/Workers/{worker.sid}/Channels/{name}")["sid"] == own.sid


@pytest.mark.parametrize("name", ["web-chat", "web chat", "2nd", ""])
def test_a_channels_unique_name_must_be_an_identifier(
    api: Api, root: str, workspace: models.Workspace, name: str
) -> None:
    assert refused(api.post(f"{root}/TaskChannels", FriendlyName="New", UniqueName=name))
    made = api.post(f"{root}/TaskChannels", FriendlyName="New", UniqueName="web_chat$2")
    assert made.status == 201


def test_the_workflow_may_be_left_out_with_one_and_must_not_with_two(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    one = factories.workflow(workspace)
    assert api.post(f"{root}/Tasks")["workflow_sid"] == one.sid
    factories.workflow(workspace)
    assert refused(api.post(f"{root}/Tasks"))
    assert api.post(f"{root}/Tasks", WorkflowSid=one.sid).status == 201


def test_friendly_name_is_accepted_for_filter_friendly_name(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(
        workspace,
        {"friendly_name": "VIPs", "expression": "1==1", "targets": [factories.target(queue)]},
    )
    before = factories.last_event()
    factories.task(workspace)
    matched = models.Event.objects.get(pk__gt=before, event_type="workflow.target-matched")
    assert matched.event_data["workflow_filter_name"] == "VIPs"


def leads_to(queue: models.TaskQueue) -> str:
    return factories.configuration(default=queue)


def test_a_saved_workflow_does_not_re_route_waiting_tasks_by_default(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    old, new = factories.queue(workspace), factories.queue(workspace)
    workflow = factories.workflow(workspace, default=old)
    waiting = f"{root}/Tasks/{api.post(f'{root}/Tasks')['sid']}"
    path = f"{root}/Workflows/{workflow.sid}"
    assert api.post(path, Configuration=leads_to(new)).status == 200
    assert api.get(waiting)["task_queue_sid"] == old.sid
    assert api.post(f"{root}/Tasks")["task_queue_sid"] == new.sid
    assert api.post(path, ReEvaluateTasks="true").status == 200
    assert api.get(waiting)["task_queue_sid"] == new.sid


def test_a_waiting_task_follows_the_steps_of_its_old_configuration(
    workspace: models.Workspace,
) -> None:
    from routing.actions import workflows
    from routing.actors import SYSTEM

    first, second, other = (factories.queue(workspace) for _ in range(3))
    workflow = factories.workflow(
        workspace,
        factories.filter_("1==1", factories.target(first, timeout=10), factories.target(second)),
    )
    task = factories.task(workspace)
    workflows.update_workflow(
        workflow=workflow, configuration=leads_to(other), actor=SYSTEM, now=factories.later(5)
    )
    factories.run(workspace, factories.later(10))
    task.refresh_from_db()
    assert task.task_queue == second


def test_an_invalid_configuration_leaves_the_old_one_active(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue = factories.queue(workspace)
    workflow = factories.workflow(workspace, default=queue)
    path = f"{root}/Workflows/{workflow.sid}"
    before = api.get(path)["configuration"]
    for bad in ("{", "{}", factories.configuration(default={"queue": "WQ" + "0" * 32})):
        assert refused(api.post(path, Configuration=bad, FriendlyName="Renamed"))
    after = api.get(path)
    assert (after["configuration"], after["friendly_name"]) == (before, workflow.friendly_name)
    assert api.post(f"{root}/Tasks")["task_queue_sid"] == queue.sid


def test_a_workflow_with_waiting_tasks_cannot_be_deleted_and_a_workspace_can(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    workflow = factories.workflow(workspace)
    factories.worker(workspace)
    path = f"{root}/Workflows/{workflow.sid}"
    offer = factories.offered(workspace)
    assert refused(api.delete(path))
    waiting = factories.task(workspace)
    assert api.delete(f"{root}/Tasks/{offer.task.sid}").status == 204
    assert refused(api.delete(path))
    assert factories.status(waiting) == "pending"
    assert api.delete(root).status == 204
    assert not models.Task.objects.exists()


def test_a_workflow_whose_tasks_are_all_over_is_deleted(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    workflow = factories.workflow(workspace)
    task = f"{root}/Tasks/{factories.task(workspace).sid}"
    api.post(task, AssignmentStatus="canceled")
    assert api.delete(f"{root}/Workflows/{workflow.sid}").status == 204
    assert api.get(task)["workflow_sid"] is None


def test_a_pending_task_is_not_completed_and_an_assigned_one_not_canceled(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace)
    assigned = f"{root}/Tasks/{factories.accepted(workspace).task.sid}"
    pending = f"{root}/Tasks/{factories.task(workspace).sid}"
    assert refused(api.post(pending, AssignmentStatus="completed"))
    assert refused(api.post(assigned, AssignmentStatus="canceled"))
    assert api.post(pending, AssignmentStatus="canceled").status == 200
    assert api.post(assigned, AssignmentStatus="completed").status == 200


def test_completing_and_new_attributes_need_two_requests(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace)
    task = f"{root}/Tasks/{factories.accepted(workspace).task.sid}"
    note = '{"note": "done"}'
    assert refused(api.post(task, AssignmentStatus="completed", Attributes=note))
    assert api.get(task)["assignment_status"] == "assigned"
    assert api.post(task, AssignmentStatus="completed").status == 200
    assert api.post(task, Attributes=note)["attributes"] == note


def test_finished_tasks_stay_readable_and_go_without_an_event(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    """Here they stay for days rather than minutes."""
    with time_machine.travel(factories.NOW, tick=False) as clock:
        factories.worker(workspace)
        done = f"{root}/Tasks/{factories.accepted(workspace).task.sid}"
        canceled = f"{root}/Tasks/{factories.task(workspace).sid}"
        api.post(done, AssignmentStatus="completed")
        api.post(canceled, AssignmentStatus="canceled")
        before = factories.last_event()
        clock.shift(timedelta(days=30))
        housekeeping.delete_old_rows(now=timezone.now())
        for path in (done, canceled):
            assert api.get(path).status == 200
        clock.shift(timedelta(seconds=1))
        housekeeping.delete_old_rows(now=timezone.now())
        for path in (done, canceled):
            assert (api.get(path).status, api.get(path)["code"]) == (404, 20404)
        assert factories.event_types(before) == []
