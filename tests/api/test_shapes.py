"""The property names and types of every resource, as client libraries rely on them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
COMMON = {"sid", "account_sid", "date_created", "date_updated", "url"}
STATISTICS = {"statistics", "real_time_statistics", "cumulative_statistics"}

SHAPES: dict[str, tuple[set[str], set[str] | None]] = {
    "workspace": (
        COMMON
        | {"friendly_name", "default_activity_sid", "default_activity_name"}
        | {"timeout_activity_sid", "timeout_activity_name", "event_callback_url", "events_filter"}
        | {"multi_task_enabled", "prioritize_queue_order", "links", "desk_grace", "time_zone"}
        | {"rejection_pause", "rejection_reasons", "day_starts_at", "withdrawn_reasons"}
        | {"title_attributes", "subtitle_attributes", "attribute_labels", "hidden_attributes"},
        STATISTICS
        | {"activities", "task_queues", "tasks", "workers", "workflows", "task_channels", "events"},
    ),
    "activity": (
        COMMON | {"workspace_sid", "friendly_name", "available", "links"},
        {"workspace"},
    ),
    "task_channel": (
        COMMON
        | {"workspace_sid", "friendly_name", "unique_name", "channel_optimized_routing", "links"}
        | {"occupancy_weight"},
        {"workspace"},
    ),
    "outcome_code": (
        COMMON | {"workspace_sid", "unique_name", "friendly_name", "active", "position", "links"},
        {"workspace"},
    ),
    "task_queue": (
        COMMON
        | {"workspace_sid", "friendly_name", "target_workers", "max_reserved_workers"}
        | {"task_order", "reservation_activity_sid", "reservation_activity_name"}
        | {"assignment_activity_sid", "assignment_activity_name", "links"}
        | {"grab_policy", "grab_limit", "grab_after"}
        | {"expected_handling_time", "wrap_up_limit", "outcome_policy", "wrap_up_end"},
        STATISTICS
        | {"assignment_activity", "reservation_activity", "workspace", "list_statistics"}
        | {"bulk_real_time_statistics"},
    ),
    "workflow": (
        COMMON
        | {"workspace_sid", "friendly_name", "configuration", "document_content_type"}
        | {"assignment_callback_url", "fallback_assignment_callback_url"}
        | {"task_reservation_timeout", "links", "warnings"},
        STATISTICS,
    ),
    "worker": (
        COMMON
        | {"workspace_sid", "friendly_name", "activity_sid", "activity_name", "available"}
        | {"attributes", "date_status_changed", "links"},
        STATISTICS
        | {"channels", "activity", "workspace", "worker_statistics", "worker_channels"}
        | {"reservations"},
    ),
    "worker_channel": (
        COMMON
        | {"workspace_sid", "worker_sid", "task_channel_sid", "task_channel_unique_name"}
        | {"configured_capacity", "available", "assigned_tasks", "available_capacity_percentage"}
        | {"busy_capacity_percentage", "reserved_for_manual"},
        None,
    ),
    "task": (
        COMMON
        | {"workspace_sid", "age", "assignment_status", "attributes", "addons", "priority"}
        | {"reason", "timeout", "task_queue_sid", "task_queue_friendly_name"}
        | {"task_queue_entered_date", "task_channel_sid", "task_channel_unique_name"}
        | {"workflow_sid", "workflow_friendly_name", "virtual_start_time", "routing_target"}
        | {"ignore_capacity", "links"},
        {"task_queue", "workflow", "workspace", "reservations"},
    ),
    "reservation": (
        COMMON
        | {"workspace_sid", "task_sid", "worker_sid", "worker_name", "reservation_status", "links"}
        | {"rejection_reason", "outcome_code", "outcome_note", "wrap_up_deadline"},
        {"task", "worker", "workspace"},
    ),
}

ASKED_BY_POST = {"bulk_real_time_statistics"}
"""Links that name their subjects in a body."""


@pytest.fixture
def samples(workspace: models.Workspace, api: Api, root: str) -> dict[str, dict[str, Any]]:
    """Return one of each noun, as the API shows it."""
    worker = factories.worker(workspace, attributes={"a": 1})
    busy = factories.activity(workspace, "Busy")
    queue = factories.queue(workspace, reservation_activity=busy, assignment_activity=busy)
    factories.workflow(workspace, default=queue)
    reservation = factories.accepted(workspace)
    paths = {
        "workspace": root,
        "activity": f"{root}/Activities/{busy.sid}",
        "task_channel": f"{root}/TaskChannels/chat",
        "outcome_code": f"{root}/OutcomeCodes/{factories.outcome_code(workspace).sid}",
        "task_queue": f"{root}/TaskQueues/{queue.sid}",
        "workflow": f"{root}/Workflows/{workspace.workflows.get().sid}",
        "worker": f"{root}/Workers/{worker.sid}",
        "worker_channel": f"{root}/Workers/{worker.sid}/Channels/chat",
        "task": f"{root}/Tasks/{reservation.task.sid}",
        "reservation": f"{root}/Tasks/{reservation.task.sid}/Reservations/{reservation.sid}",
    }
    return {noun: api.get(path).json for noun, path in paths.items()}


@pytest.mark.parametrize("noun", SHAPES)
def test_a_noun_has_exactly_these_properties(samples: dict[str, Any], noun: str) -> None:
    properties, links = SHAPES[noun]
    assert set(samples[noun]) == properties
    assert (set(samples[noun]["links"]) if links is not None else None) == links


@pytest.mark.parametrize("noun", SHAPES)
def test_urls_and_links_lead_to_what_they_name(
    samples: dict[str, Any], api: Api, noun: str
) -> None:
    sample = samples[noun]
    assert api.send("GET", sample["url"])["sid"] == sample["sid"]
    for name, url in sample.get("links", {}).items():
        assert url.startswith("http://testserver/v1/Workspaces/"), name
        assert api.send("GET", url).status == (405 if name in ASKED_BY_POST else 200), name


@pytest.mark.parametrize("noun", SHAPES)
def test_dates_are_whole_seconds_of_utc(samples: dict[str, Any], noun: str) -> None:
    dates = {k: v for k, v in samples[noun].items() if k.startswith("date_") or k.endswith("_date")}
    assert len(dates) >= 2
    for name, value in dates.items():
        assert DATE.fullmatch(value), name


@pytest.mark.parametrize("noun", SHAPES)
def test_a_list_shows_the_same_properties(samples: dict[str, Any], api: Api, noun: str) -> None:
    url = samples[noun]["url"].rsplit("/", 1)[0]
    answer = api.send("GET", url)
    (shown,) = (row for row in answer[answer["meta"]["key"]] if row["sid"] == samples[noun]["sid"])
    # Warnings of a configuration are computed for single workflows only.
    assert set(shown) == SHAPES[noun][0] - {"warnings"}


def test_types_are_those_of_the_reference(samples: dict[str, Any]) -> None:
    task = samples["task"]
    assert type(task["age"]) is type(task["priority"]) is type(task["timeout"]) is int
    assert task["addons"] == "{}"
    assert type(task["attributes"]) is str
    assert task["reason"] is task["routing_target"] is task["ignore_capacity"] is None
    assert samples["worker"]["available"] is True
    assert samples["workspace"]["event_callback_url"] == ""
    assert samples["workspace"]["events_filter"] is None
    assert samples["workflow"]["document_content_type"] == "application/json"
    assert samples["workflow"]["fallback_assignment_callback_url"] is None
    channel = samples["worker_channel"]
    assert (channel["assigned_tasks"], channel["available_capacity_percentage"]) == (1, 0)
    assert channel["busy_capacity_percentage"] == 100


def test_json_texts_come_back_unchanged(api: Api, workspace: models.Workspace, root: str) -> None:
    attributes = '{ "b":1.0,\n\t"a" : "\\u00e4",  "list":[ ] }'
    worker = api.post(f"{root}/Workers", FriendlyName="Alice", Attributes=attributes)
    assert worker["attributes"] == attributes
    queue = factories.queue(workspace)
    text = json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}}, indent=7)
    workflow = api.post(f"{root}/Workflows", FriendlyName="w", Configuration=text)
    assert workflow["configuration"] == text
    task = api.post(f"{root}/Tasks", Attributes=attributes)
    assert task["attributes"] == attributes
    assert api.get(f"{root}/Tasks")["tasks"][0]["attributes"] == attributes


def test_a_reservations_url_is_that_of_the_view(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace)
    reservation = factories.offered(workspace)
    task = f"{root}/Tasks/{reservation.task.sid}/Reservations/{reservation.sid}"
    side = f"{root}/Workers/{worker.sid}/Reservations/{reservation.sid}"
    assert api.get(task)["url"].endswith(task)
    assert api.get(side)["url"].endswith(side)
    assert api.get(task)["sid"] == api.get(side)["sid"]


def test_urls_have_the_scheme_and_host_that_the_client_used(api: Api, root: str) -> None:
    answer = api.send("GET", root, headers={"Host": "localhost:9000"})
    assert answer["url"].startswith("http://localhost:9000/v1/")


def test_separators_of_lines_are_escaped_as_scripts_may_not_contain_them(
    api: Api, root: str
) -> None:
    name = "Day\u2028and\u2029night"
    answer = api.post(f"{root}/Activities", FriendlyName=name)
    assert answer["friendly_name"] == name
    assert rb"Day\u2028and\u2029night" in answer.response.content


def test_an_answer_without_a_body_has_no_type(api: Api, root: str) -> None:
    lunch = api.post(f"{root}/Activities", FriendlyName="Lunch")
    answer = api.delete(f"{root}/Activities/{lunch['sid']}")
    assert (answer.status, answer.response.content) == (204, b"")
    assert "Content-Type" not in answer.response.headers
