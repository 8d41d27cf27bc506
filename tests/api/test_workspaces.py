"""Workspaces by request."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


def test_a_new_workspace_has_its_activities_and_channels(api: Api) -> None:
    made = api.post("Workspaces", FriendlyName="Floor")
    assert made.status == 201
    root = f"Workspaces/{made['sid']}"
    names = [row["friendly_name"] for row in api.get(f"{root}/Activities")["activities"]]
    assert names == ["Offline", "Available", "Unavailable"]
    channels = [row["unique_name"] for row in api.get(f"{root}/TaskChannels")["channels"]]
    assert channels == ["default", "voice", "sms", "chat", "video"]
    assert made["default_activity_name"] == made["timeout_activity_name"] == "Offline"
    assert made["multi_task_enabled"] is True
    assert made["prioritize_queue_order"] == "FIFO"
    assert api.get(f"{root}/TaskQueues")["task_queues"] == []


@pytest.mark.parametrize("template", ["FIFO", "fifo"])
def test_the_template_fifo_adds_a_queue_and_a_workflow(api: Api, template: str) -> None:
    made = api.post("Workspaces", FriendlyName="Floor", Template=template)
    root = f"Workspaces/{made['sid']}"
    assert len(api.get(f"{root}/TaskQueues")["task_queues"]) == 1
    assert len(api.get(f"{root}/Workflows")["workflows"]) == 1


def test_every_parameter_can_be_set_at_creation(api: Api) -> None:
    made = api.post(
        "Workspaces",
        FriendlyName="Floor",
        EventCallbackUrl="https://example.com/events#rt=3000&rc=2",
        EventsFilter="task.created, task.canceled",
        MultiTaskEnabled="false",
        PrioritizeQueueOrder="lifo",
        DeskGrace=90,
        TimeZone="Europe/Berlin",
    )
    assert made["event_callback_url"] == "https://example.com/events#rt=3000&rc=2"
    assert made["events_filter"] == "task.created,task.canceled"
    assert made["multi_task_enabled"] is False
    assert made["prioritize_queue_order"] == "LIFO"
    assert (made["desk_grace"], made["time_zone"]) == (90, "Europe/Berlin")


def test_an_update_changes_what_it_names_and_nothing_else(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    before = api.get(root).json
    available = factories.activity(workspace)
    after = api.post(root, DefaultActivitySid=available.sid, MultiTaskEnabled="False").json
    assert after["default_activity_sid"] == available.sid
    assert after["default_activity_name"] == "Available"
    assert after["multi_task_enabled"] is False
    changed = {"default_activity_sid", "default_activity_name", "multi_task_enabled"}
    changed.add("date_updated")
    assert {k: v for k, v in before.items() if k not in changed} == {
        k: v for k, v in after.items() if k not in changed
    }


@pytest.mark.parametrize(
    ("name", "value"), [("DeskGrace", "-1"), ("DeskGrace", "86401"), ("TimeZone", "Mars/Base")]
)
def test_an_invalid_desk_grace_or_time_zone_is_refused(
    api: Api, root: str, name: str, value: str
) -> None:
    before = api.get(root).json
    answer = api.post(root, **{name: value})
    assert answer.status == 400
    assert value in answer.message
    assert api.get(root).json == before


def test_an_empty_value_clears_what_can_be_empty(api: Api, root: str) -> None:
    api.post(root, EventCallbackUrl="https://example.com/", EventsFilter="task.created")
    cleared = api.post(root, EventCallbackUrl="", EventsFilter="")
    assert (cleared["event_callback_url"], cleared["events_filter"]) == ("", None)
    answer = api.post(root, FriendlyName="")
    assert (answer.status, answer.message[:12]) == (400, "FriendlyName")


def test_switching_multitasking_off_and_on_keeps_every_capacity(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 4})
    api.post(root, MultiTaskEnabled="false")
    api.post(root, MultiTaskEnabled="true")
    channel = api.get(f"{root}/Workers/{worker.sid}/Channels/chat")
    assert channel["configured_capacity"] == 4


def test_two_workspaces_of_one_name_are_refused(api: Api, workspace: models.Workspace) -> None:
    answer = api.post("Workspaces", FriendlyName=workspace.friendly_name)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert workspace.friendly_name in answer.message
    assert models.Workspace.objects.count() == 1


def test_the_list_is_filtered_by_the_exact_name(api: Api, workspace: models.Workspace) -> None:
    api.post("Workspaces", FriendlyName="Another")
    found = api.get("Workspaces", FriendlyName=workspace.friendly_name)["workspaces"]
    assert [row["sid"] for row in found] == [workspace.sid]
    assert api.get("Workspaces", FriendlyName="Anoth")["workspaces"] == []


def test_deleting_a_workspace_deletes_its_live_tasks(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace)
    factories.accepted(workspace)
    answer = api.delete(root)
    assert (answer.status, answer.response.content) == (204, b"")
    assert api.get(root).status == 404
    assert not models.Task.objects.exists()


def test_names_are_case_sensitive_and_unknown_ones_are_ignored(api: Api, root: str) -> None:
    assert api.post("Workspaces", friendlyname="Floor").status == 400
    assert api.post(root, OperatingUnitSid="OU1", friendly_name="x").status == 200
    assert api.get(root)["friendly_name"] != "x"


def test_an_empty_form_changes_nothing(api: Api, root: str) -> None:
    before = factories.last_event()
    stood = api.get(root).json
    assert api.post(root, Unknown="1").json == stood
    assert factories.event_types(before) == []
