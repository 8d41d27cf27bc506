"""A name is compared in one way: when it is stored, kept unique, and looked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api

NOUNS = ["Activities", "TaskQueues", "Workflows", "Workers"]
SPELLINGS = ["Team A", "Team A ", "\t Team A", "TEAM A", " team a "]


def form_of(noun: str, workspace: models.Workspace) -> dict[str, str]:
    if noun != "Workflows":
        return {}
    routing = {"default_filter": {"queue": factories.queue(workspace).sid}}
    return {"Configuration": json.dumps({"task_routing": routing})}


def named(api: Api, path: str, **query: Any) -> list[str]:
    answer = api.get(path, **query)
    assert answer.status == 200, answer.json
    return [row["sid"] for row in answer[answer["meta"]["key"]]]


@pytest.mark.parametrize("noun", NOUNS)
def test_a_name_that_is_taken_is_found_by_the_list_s_filter(
    api: Api, workspace: models.Workspace, root: str, noun: str
) -> None:
    path, form = f"{root}/{noun}", form_of(noun, workspace)
    made = api.post(path, FriendlyName=" Team A ", **form)
    assert (made.status, made["friendly_name"]) == (201, "Team A")
    api.post(path, FriendlyName="Team B", **form)
    for spelling in SPELLINGS:
        assert named(api, path, FriendlyName=spelling) == [made["sid"]], spelling
        again = api.post(path, FriendlyName=spelling, **form)
        assert again.status == 400, spelling
        assert "exists already" in again.message
    assert named(api, path, FriendlyName="Team") == []
    assert named(api, path, FriendlyName=" ") == []


def test_workspaces_of_an_account_differ_in_upper_and_lower_case(api: Api) -> None:
    made = api.post("Workspaces", FriendlyName="Team A ")
    for spelling in ("Team A", " Team A\t"):
        assert named(api, "Workspaces", FriendlyName=spelling) == [made["sid"]]
        assert api.post("Workspaces", FriendlyName=spelling).status == 400
    assert named(api, "Workspaces", FriendlyName="TEAM A") == []
    other = api.post("Workspaces", FriendlyName="TEAM A")
    assert named(api, "Workspaces", FriendlyName="TEAM A ") == [other["sid"]]


def test_filters_by_names_of_related_rows_compare_in_the_same_way(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue = factories.queue(workspace, friendly_name="Sales")
    factories.workflow(workspace, default=queue, friendly_name="Main")
    worker = factories.worker(workspace, friendly_name="Ann")
    activity = worker.activity.friendly_name
    task = factories.task(workspace)
    for spell in (str, str.upper, str.lower, lambda name: f" {name} "):
        by_workflow = named(api, f"{root}/Tasks", WorkflowName=spell("Main"))
        by_queue = named(api, f"{root}/Tasks", TaskQueueName=spell("Sales"))
        both = named(api, f"{root}/Tasks", WorkflowName=spell("Main"), TaskQueueName=spell("Sales"))
        assert by_workflow == by_queue == both == [task.sid]
        by_activity = named(api, f"{root}/Workers", ActivityName=spell(activity))
        serving = named(api, f"{root}/Workers", TaskQueueName=spell("Sales"))
        assert by_activity == serving == [worker.sid]
        queues = api.get(f"{root}/TaskQueues/Statistics", FriendlyName=spell("Sales"))
        assert len(queues["task_queues_statistics"]) == 1
        for query in ({"FriendlyName": spell("Ann")}, {"TaskQueueName": spell("Sales")}):
            found = api.get(f"{root}/Workers/Statistics", **query)
            assert found["realtime"]["total_workers"] == 1, query
    none = api.get(f"{root}/Workers/Statistics", FriendlyName="Ben")
    assert none["realtime"]["total_workers"] == 0


def test_a_task_finds_its_known_worker_by_the_stored_name(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace, friendly_name="Ann")
    worker = factories.worker(workspace, friendly_name="Ben")
    queue = factories.queue(workspace)
    routing = {
        "filters": [
            {
                "expression": "1==1",
                "targets": [{"queue": queue.sid, "known_worker_friendly_name": "task.agent"}],
            }
        ]
    }
    api.post(
        f"{root}/Workflows",
        FriendlyName="known",
        Configuration=json.dumps({"task_routing": routing}),
    )
    task = api.post(f"{root}/Tasks", Attributes='{"agent": " BEN "}')
    known = api.get(f"{root}/Tasks/{task['sid']}/Explanation")["known_worker"]
    assert known["worker_sid"] == worker.sid
