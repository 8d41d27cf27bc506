"""Workspaces, activities and task channels in the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from routing import models
from tests import factories
from tests.admin.visitors import Visitor, errors, words

Happened = Callable[[], list[str]]


def test_multitasking_is_switched_off_and_on_and_every_capacity_stays(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 4, "voice": 2})
    recorded_events()
    alice.send("routing_workspace_change", workspace.pk, multi_task_enabled=None)
    workspace.refresh_from_db()
    assert not workspace.multi_task_enabled
    alice.send("routing_workspace_change", workspace.pk, multi_task_enabled="on")
    workspace.refresh_from_db()
    assert workspace.multi_task_enabled
    assert factories.worker_channel(worker, "chat").configured_capacity == 4
    assert factories.worker_channel(worker, "voice").configured_capacity == 2
    assert recorded_events() == ["workspace.updated"] * 2


def test_a_workspace_takes_its_activities_and_its_queue_order(
    alice: Visitor, workspace: models.Workspace
) -> None:
    lunch = factories.activity(workspace, "Lunch")
    alice.send(
        "routing_workspace_change",
        workspace.pk,
        default_activity=lunch.pk,
        timeout_activity=lunch.pk,
        prioritize_queue_order="LIFO",
    )
    workspace.refresh_from_db()
    assert workspace.default_activity == workspace.timeout_activity == lunch
    assert workspace.prioritize_queue_order == "LIFO"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("event_callback_url", "ftp://example.org", "not an absolute http"),
        ("events_filter", "task.created,task.exploded", "task.exploded"),
        ("friendly_name", "Floor B", "exists already"),
        ("friendly_name", "bell \x07", "control character"),
    ],
)
def test_an_invalid_value_of_a_workspace_is_refused_at_its_field(
    olga: Visitor,
    workspace: models.Workspace,
    recorded_events: Happened,
    field: str,
    value: str,
    why: str,
) -> None:
    factories.workspace(account=workspace.account, friendly_name="Floor B")
    recorded_events()
    answer = olga.send("routing_workspace_change", workspace.pk, **{field: value})
    assert why in errors(answer, field)
    assert recorded_events() == []


def test_an_operator_creates_a_workspace_that_routes_at_once(olga: Visitor) -> None:
    account = factories.account()
    olga.send("routing_workspace_add", account=account.pk, friendly_name="Floor C", template="FIFO")
    workspace = models.Workspace.objects.get(friendly_name="Floor C")
    assert workspace.task_queues.count() == workspace.workflows.count() == 1
    assert set(workspace.task_channels.values_list("unique_name", flat=True)) == {
        "default",
        "voice",
        "sms",
        "chat",
        "video",
    }


def test_an_operator_deletes_a_workspace_with_all_that_is_in_it(
    olga: Visitor, workspace: models.Workspace
) -> None:
    factories.worker(workspace)
    factories.accepted(workspace)
    assert "all its tasks" in words(olga.see("routing_workspace_delete", workspace.pk))
    olga.post("routing_workspace_delete", workspace.pk, post="yes")
    assert not models.Workspace.objects.filter(pk=workspace.pk).exists()


def test_an_operator_makes_and_ends_supervisors_on_the_page_of_the_workspace(
    olga: Visitor, workspace: models.Workspace
) -> None:
    dana = User.objects.create_user("dana")
    row = {"memberships-TOTAL_FORMS": "1", "memberships-0-user": str(dana.pk)}
    olga.send("routing_workspace_change", workspace.pk, **row)
    dana.refresh_from_db()
    assert dana.is_staff
    visitor = Visitor(dana)
    assert visitor.see("index").status_code == 200

    olga.send("routing_workspace_change", workspace.pk, **{"memberships-0-DELETE": "on"})
    assert not models.Membership.objects.exists()
    assert visitor.client.get("/admin/", follow=True).status_code == 403


def test_the_form_has_a_field_for_the_workspace_if_there_are_several(
    olga: Visitor, workspace: models.Workspace, other: models.Workspace
) -> None:
    assert "to which workspace" in words(olga.see("routing_activity_add"))
    olga.send("routing_activity_add", query=f"?workspace={other.sid}", friendly_name="Lunch")
    assert models.Activity.objects.get(friendly_name="Lunch").workspace == other


def test_the_form_has_no_field_for_the_only_workspace(
    alice: Visitor, workspace: models.Workspace
) -> None:
    alice.send("routing_activity_add", friendly_name="Lunch")
    assert models.Activity.objects.get(friendly_name="Lunch").workspace == workspace


def test_an_activity_is_added_renamed_and_deleted(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    recorded_events()
    alice.send("routing_activity_add", friendly_name="Lunch", available=None)
    lunch = models.Activity.objects.get(friendly_name="Lunch")
    alice.send("routing_activity_change", lunch.pk, friendly_name="Dinner")
    lunch.refresh_from_db()
    assert lunch.friendly_name == "Dinner"
    alice.post("routing_activity_delete", lunch.pk, post="yes")
    assert not models.Activity.objects.filter(pk=lunch.pk).exists()
    assert recorded_events() == ["activity.created", "activity.updated", "activity.deleted"]


def test_whether_an_activity_takes_work_is_fixed_once_it_exists(
    alice: Visitor, workspace: models.Workspace
) -> None:
    offline = factories.activity(workspace, "Offline")
    assert "available" not in alice.form("routing_activity_change", offline.pk)
    alice.send("routing_activity_change", offline.pk, available="on")
    offline.refresh_from_db()
    assert not offline.available


def test_an_activity_in_use_cannot_be_deleted_and_the_page_says_by_what(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.worker(workspace)
    available = factories.activity(workspace)
    recorded_events()
    answer = alice.post("routing_activity_delete", available.pk, post="yes")
    assert "in use by a worker" in words(answer)
    assert recorded_events() == []


def test_a_channel_is_added_renamed_and_deleted(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    recorded_events()
    alice.send("routing_taskchannel_add", friendly_name="E-mail", unique_name="email")
    channel = workspace.task_channels.get(unique_name="email")
    assert factories.worker_channel(worker, "email").configured_capacity == 1
    alice.send("routing_taskchannel_change", channel.pk, friendly_name="Mail")
    channel.refresh_from_db()
    assert (channel.friendly_name, channel.unique_name) == ("Mail", "email")
    alice.post("routing_taskchannel_delete", channel.pk, post="yes")
    assert not workspace.task_channels.filter(unique_name="email").exists()
    assert recorded_events() == [
        "task-channel.created",
        "task-channel.updated",
        "task-channel.deleted",
    ]


@pytest.mark.parametrize(
    ("name", "why"), [("chat", "exists already"), ("2nd line", "cannot be used in expressions")]
)
def test_an_invalid_channel_name_is_refused_at_its_field(
    alice: Visitor, workspace: models.Workspace, name: str, why: str
) -> None:
    answer = alice.send("routing_taskchannel_add", friendly_name="More", unique_name=name)
    assert why in errors(answer, "unique_name")
    assert workspace.task_channels.count() == 5


def test_a_channels_unique_name_is_fixed(alice: Visitor, workspace: models.Workspace) -> None:
    chat = factories.channel(workspace)
    assert "unique_name" not in alice.form("routing_taskchannel_change", chat.pk)


def test_channels_that_are_needed_are_not_deleted(
    alice: Visitor, workspace: models.Workspace
) -> None:
    factories.worker(workspace)
    task = factories.accepted(workspace).task
    answer = alice.post("routing_taskchannel_delete", factories.channel(workspace).pk, post="yes")
    assert "has unfinished tasks" in words(answer)
    default = factories.channel(workspace, "default")
    answer = alice.post("routing_taskchannel_delete", default.pk, post="yes")
    assert "'default' cannot be deleted" in words(answer)

    alice.post("routing_task_step_in", task.pk, do="complete")
    alice.post("routing_taskchannel_delete", factories.channel(workspace).pk, post="yes")
    assert not workspace.task_channels.filter(unique_name="chat").exists()


def test_one_click_creates_the_five_custom_channels_once(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.channel(workspace, "custom2")
    recorded_events()
    answer = alice.send("routing_taskchannel_custom")
    names = [f"custom{number}" for number in range(1, 6)]
    assert workspace.task_channels.filter(unique_name__in=names).count() == 5
    assert "custom1, custom3, custom4, custom5" in words(answer)
    assert recorded_events() == ["task-channel.created"] * 4

    answer = alice.send("routing_taskchannel_custom")
    assert "already; nothing was changed" in words(answer)
    assert recorded_events() == []


def test_the_custom_channels_are_offered_on_the_list_and_on_the_workspace(
    alice: Visitor, workspace: models.Workspace
) -> None:
    assert "Add custom1–custom5" in words(alice.see("routing_taskchannel_changelist"))
    assert "Add custom1–custom5" in words(alice.see("routing_workspace_change", workspace.pk))
