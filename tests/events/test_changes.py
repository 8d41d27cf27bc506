"""The field `changes` of events: what a change has changed, from what to what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing import models
from routing.actions import (
    activities,
    outcome_codes,
    task_channels,
    task_queues,
    task_transitions,
    tasks,
    transfers,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actions.erasures import erase_tasks
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import GrabPolicy
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

GIVEN: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


def last(event_type: str) -> Any:
    event = models.Event.objects.filter(event_type=event_type).latest("pk")
    return json.loads(event.event_data["changes"])


def test_each_noun_says_what_was_changed() -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace, friendly_name="Support")
    workflow = factories.workflow(workspace, default=queue)
    code = factories.outcome_code(workspace, friendly_name="Done")
    workspaces.update_workspace(workspace=workspace, desk_grace=60, **GIVEN)
    assert last("workspace.updated") == {"desk_grace": ["30", "60"]}
    task_queues.update_task_queue(queue=queue, grab_policy=GrabPolicy.OFF, **GIVEN)
    assert last("task-queue.updated") == {"grab_policy": ["anything", "off"]}
    task_queues.update_task_queue(queue=queue, target_workers="level > 2", **GIVEN)
    assert last("task-queue.expression.updated") == {"target_workers": ["1==1", "level > 2"]}
    workflows.update_workflow(workflow=workflow, task_reservation_timeout=30, **GIVEN)
    assert last("workflow.updated") == {"task_reservation_timeout": ["120", "30"]}
    outcome_codes.update_outcome_code(code=code, active=False, **GIVEN)
    assert last("outcome-code.updated") == {"active": ["true", "false"]}
    activities.rename_activity(
        activity=factories.activity(workspace, "Available"), friendly_name="At work", **GIVEN
    )
    assert last("activity.updated") == {"friendly_name": ["Available", "At work"]}
    task_channels.update_task_channel(
        channel=factories.channel(workspace), occupancy_weight=2, **GIVEN
    )
    assert last("task-channel.updated") == {"occupancy_weight": ["1", "2"]}


def test_a_change_to_the_same_value_is_no_change() -> None:
    workspace = factories.workspace()
    workspaces.update_workspace(workspace=workspace, desk_grace=30, **GIVEN)
    assert last("workspace.updated") == {}


def test_the_old_value_is_that_of_the_database_whatever_the_caller_has_read() -> None:
    workspace = factories.workspace()
    stale = models.Workspace.objects.get(pk=workspace.pk)
    workspaces.update_workspace(workspace=workspace, desk_grace=60, **GIVEN)
    workspaces.update_workspace(workspace=stale, desk_grace=90, **GIVEN)
    assert last("workspace.updated") == {"desk_grace": ["60", "90"]}


def test_passwords_in_urls_are_left_out() -> None:
    workspace = factories.workspace()
    url = "https://kim:secret@example.com/hook"
    workspaces.update_workspace(workspace=workspace, event_callback_url=url, **GIVEN)
    assert last("workspace.updated") == {"event_callback_url": ["", "https://example.com/hook"]}


def test_workers_and_their_channels_say_what_was_changed() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace, "Ada")
    workers.update_worker(
        worker=worker,
        friendly_name="Ada L.",
        activity=factories.activity(workspace, "Offline"),
        **GIVEN,
    )
    assert last("worker.attributes.update") == {"friendly_name": ["Ada", "Ada L."]}
    worker_channels.update_worker_channel(
        channel=factories.worker_channel(worker),
        configured_capacity=4,
        reserved_for_manual=1,
        available=False,
        **GIVEN,
    )
    capacity = {"configured_capacity": ["1", "4"], "reserved_for_manual": ["0", "1"]}
    assert last("worker.capacity.update") == capacity
    assert last("worker.channel.availability.update") == {"available": ["true", "false"]}


def test_a_task_says_what_was_changed_and_to_where_that_led() -> None:
    workspace = factories.workspace()
    first, second = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(
        workspace,
        factories.filter_("vip == true", factories.target(second, priority=7)),
        default=first,
    )
    task = factories.task(workspace)
    old, new = factories.channel(workspace, "chat"), factories.channel(workspace, "sms")
    tasks.update_task(task=task, attributes='{"vip": true}', task_channel=new, **GIVEN)
    assert last("task.updated") == {
        "attributes": ["{}", '{"vip": true}'],
        "priority": ["0", "7"],
        "task_queue_sid": [first.sid, second.sid],
        "task_channel_sid": [old.sid, new.sid],
    }


def test_the_end_of_a_task_says_what_was_changed_with_it() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    task_transitions.complete_task(task=held.task, priority=3, **GIVEN)
    assert last("task.updated") == {"priority": ["0", "3"]}
    waiting = factories.task(workspace)
    task_transitions.cancel_task(task=waiting, priority=4, **GIVEN)
    assert last("task.updated") == {"priority": ["0", "4"]}


def test_a_transfer_says_what_it_changed() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    held = factories.accepted(workspace)
    transfers.begin_transfer(
        reservation=held, to=factories.queue(workspace).sid, priority=9, **GIVEN
    )
    assert last("task.updated") == {"priority": ["0", "9"]}


def test_deletions_name_the_capacities_that_go_with_them() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace, capacity={"leads": 3})
    leads = factories.channel(workspace, "leads")
    task_channels.delete_task_channel(channel=leads, **GIVEN)
    event = models.Event.objects.get(event_type="task-channel.deleted")
    assert json.loads(event.event_data["worker_channels"]) == {worker.sid: [3, True, 0]}
    workers.delete_worker(worker=worker, **GIVEN)
    event = models.Event.objects.get(event_type="worker.deleted")
    chat = factories.channel(workspace).sid
    assert json.loads(event.event_data["worker_channels"])[chat] == [1, True, 0]


def test_an_erasure_reaches_the_old_and_the_new_attributes() -> None:
    workspace = factories.workspace()
    task = factories.task(workspace, attributes={"customer": "Wolf"})
    tasks.update_task(task=task, attributes='{"customer": "Wolf", "vip": true}', **GIVEN)
    task_transitions.cancel_task(task=task, actor=Actor(type="account"), now=later(1))
    erase_tasks(workspace_sid=workspace.sid, where="customer == 'Wolf'", actor=SYSTEM, now=later(2))
    assert not models.Event.objects.filter(event_data__icontains="Wolf").exists()
