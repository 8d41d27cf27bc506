"""Workflows by request."""

from __future__ import annotations

import json

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    return factories.queue(workspace)


@pytest.fixture
def path(api: Api, queue: models.TaskQueue, root: str) -> str:
    """Return the path of a workflow that puts every task into the queue."""
    made = api.post(
        f"{root}/Workflows",
        FriendlyName="All",
        Configuration=factories.configuration(default=queue),
    )
    assert made.status == 201, made.json
    return f"{root}/Workflows/{made['sid']}"


def test_a_new_workflow_has_what_it_was_given(api: Api, queue: models.TaskQueue, root: str) -> None:
    text = factories.configuration(default=queue)
    made = api.post(
        f"{root}/Workflows",
        FriendlyName="All",
        Configuration=text,
        AssignmentCallbackUrl="https://example.com/a",
        FallbackAssignmentCallbackUrl="https://example.com/b",
        TaskReservationTimeout=30,
    )
    assert (made.status, made["configuration"], made["warnings"]) == (201, text, [])
    assert made["assignment_callback_url"] == "https://example.com/a"
    assert made["fallback_assignment_callback_url"] == "https://example.com/b"
    assert made["task_reservation_timeout"] == 30


def test_urls_are_cleared_by_an_empty_value(api: Api, path: str) -> None:
    api.post(path, AssignmentCallbackUrl="https://example.com/a")
    assert api.post(path, AssignmentCallbackUrl="")["assignment_callback_url"] is None
    assert api.get(path)["task_reservation_timeout"] == 120


def test_a_free_percentage_compared_the_wrong_way_round_is_warned_about(
    api: Api, queue: models.TaskQueue, path: str
) -> None:
    doubtful = factories.configuration(
        factories.filter_(
            "1==1",
            factories.target(
                queue, expression="worker.channel.chat.available_capacity_percentage < 75"
            ),
        )
    )
    saved = api.post(path, Configuration=doubtful)
    (warning,) = saved["warnings"]
    assert saved.status == 200
    assert warning["path"] == "task_routing.filters[0].targets[0].expression"
    assert "busy_capacity_percentage" in warning["message"]
    assert api.get(path)["warnings"] == saved["warnings"]
    meant = doubtful.replace("< 75", "> 25")
    assert api.post(path, Configuration=meant)["warnings"] == []


def test_every_problem_of_a_configuration_is_reported_with_its_path(
    api: Api, queue: models.TaskQueue, path: str
) -> None:
    stood = api.get(path)["configuration"]
    faulty = factories.configuration(
        factories.filter_("skill-level > 3", factories.target(queue)),
        factories.filter_("1==1", {"timeout": "soon"}),
    )
    answer = api.post(path, Configuration=faulty, FriendlyName="New name")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("Configuration")
    for place in ("filters[0].expression", "filters[1].targets[0].queue", "[0].timeout"):
        assert place in answer.message
    assert api.get(path)["configuration"] == stood
    assert api.get(path)["friendly_name"] == "All"


def test_a_hundred_problems_are_all_reported_with_their_paths(
    api: Api, queue: models.TaskQueue, path: str
) -> None:
    bad = {"queue": queue.sid, "timeout": "soon", "expression": "worker.level >"}
    faulty = factories.configuration(*(factories.filter_("level =", bad) for _ in range(40)))
    answer = api.post(path, Configuration=faulty)
    assert (answer.status, answer["code"]) == (400, 20001)
    for number in range(40):
        here = f"task_routing.filters[{number}]"
        for place in ("expression", "targets[0].timeout", "targets[0].expression"):
            assert f"{here}.{place}: " in answer.message


@pytest.mark.parametrize(
    "configuration",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"task_routing": {}}',
        "[" * 100_000,
        '{"a":' * 10_000,
        '{"task_routing":{"default_filter":{"queue":"WQ00000000000000000000000000000000"}}}',
        '{"task_routing":1,"task_routing":2}',
        "x" * 1_038_577,
    ],
)
def test_an_invalid_configuration_is_refused(
    api: Api, root: str, path: str, configuration: str
) -> None:
    assert api.post(path, Configuration=configuration).status == 400
    answer = api.post(f"{root}/Workflows", FriendlyName="w", Configuration=configuration)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert len(api.get(f"{root}/Workflows")["workflows"]) == 1


@pytest.mark.parametrize("text", ["\\u0000", "\\ud83d"])
def test_a_text_that_no_database_can_store_is_refused_at_its_path(
    api: Api, queue: models.TaskQueue, path: str, text: str
) -> None:
    filter_ = """{"expression": "a == '%s'", "targets": [{"queue": "%s"}]}"""
    whole = '{"task_routing": {"filters": [' + filter_ + "]}}"
    answer = api.post(path, Configuration=whole % (text, queue.sid))
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "task_routing.filters[0].expression" in answer.message
    assert api.post(path, Configuration=whole % ("\\\\u0000", queue.sid)).status == 200
    assert api.post(path, Configuration=whole % ("\\ud83d\\ude00", queue.sid)).status == 200


def test_numbers_may_be_texts_and_a_filter_may_have_a_friendly_name(
    api: Api, queue: models.TaskQueue, root: str, path: str
) -> None:
    filter_ = {
        "friendly_name": "everything",
        "expression": "1==1",
        "targets": [{"queue": queue.sid, "priority": "7", "timeout": "60"}],
    }
    saved = api.post(path, Configuration=json.dumps({"task_routing": {"filters": [filter_]}}))
    assert saved.status == 200
    assert api.post(f"{root}/Tasks", Priority=1)["priority"] == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("TaskReservationTimeout", "0"),
        ("TaskReservationTimeout", "86401"),
        ("AssignmentCallbackUrl", "ftp://example.com"),
        ("AssignmentCallbackUrl", "http://[::1"),
        ("FallbackAssignmentCallbackUrl", "nonsense"),
        ("FriendlyName", "x" * 65),
    ],
)
def test_an_invalid_value_is_refused_by_name(api: Api, path: str, field: str, value: str) -> None:
    answer = api.post(path, **{field: value})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith(field)


def test_pending_tasks_follow_the_old_configuration_unless_re_evaluated(
    api: Api, workspace: models.Workspace, root: str, path: str
) -> None:
    task = f"{root}/Tasks/{api.post(f'{root}/Tasks')['sid']}"
    other = factories.queue(workspace)
    configuration = factories.configuration(default=other)
    api.post(path, Configuration=configuration)
    assert api.get(task)["task_queue_sid"] != other.sid
    assert api.post(f"{root}/Tasks")["task_queue_sid"] == other.sid
    api.post(path, ReEvaluateTasks="true")
    assert api.get(task)["task_queue_sid"] == other.sid


def test_a_workflow_with_waiting_tasks_is_not_deleted(api: Api, root: str, path: str) -> None:
    task = api.post(f"{root}/Tasks")["sid"]
    answer = api.delete(path)
    assert (answer.status, answer["code"]) == (400, 20001)
    api.post(f"{root}/Tasks/{task}", AssignmentStatus="canceled")
    assert api.delete(path).status == 204
    assert api.get(f"{root}/Tasks/{task}")["workflow_sid"] is None


def test_the_list_is_filtered_by_name(api: Api, path: str, root: str) -> None:
    assert len(api.get(f"{root}/Workflows", FriendlyName="All")["workflows"]) == 1
    assert api.get(f"{root}/Workflows", FriendlyName="None")["workflows"] == []
