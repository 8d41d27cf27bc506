"""Lists of tasks, filtered."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def path(workspace: models.Workspace, root: str) -> str:
    """Return the path of the tasks of a workspace with one workflow."""
    factories.workflow(workspace, friendly_name="Main")
    return f"{root}/Tasks"


def sids(api: Api, path: str, **query: object) -> set[str]:
    answer = api.get(path, **query)
    assert answer.status == 200, answer.json
    return {row["sid"] for row in answer["tasks"]}


def test_the_list_is_filtered_by_each_property_and_by_all(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    main = workspace.workflows.get()
    queue = factories.queue(workspace, friendly_name="VIP")
    other = factories.workflow(workspace, default=queue, friendly_name="Other")
    low = api.post(path, WorkflowSid=main.sid, Priority=1)["sid"]
    high = api.post(path, WorkflowSid=other.sid, Priority=7, Attributes='{"vip": true}')["sid"]
    gone = api.post(path, WorkflowSid=main.sid, Priority=7)["sid"]
    direct = api.post(path, RoutingTarget=queue.sid)["sid"]
    api.post(f"{path}/{gone}", AssignmentStatus="canceled")
    assert sids(api, path) == {low, high, gone, direct}
    assert sids(api, path, Priority=7) == {high, gone}
    assert sids(api, path, AssignmentStatus="canceled") == {gone}
    assert sids(api, path, WorkflowSid=main.sid) == {low, gone}
    assert sids(api, path, WorkflowName="Other") == {high}
    assert sids(api, path, TaskQueueSid=queue.sid) == {high, direct}
    assert sids(api, path, TaskQueueName="VIP", WorkflowSid=other.sid) == {high}
    assert sids(api, path, RoutingTarget=queue.sid) == {direct}
    assert sids(api, path, EvaluateTaskAttributes="vip == true") == {high}
    assert sids(api, path, EvaluateTaskAttributes="priority == 7 AND vip != true") == {gone}
    assert sids(api, path, HasAddons="true") == set()
    assert sids(api, path, HasAddons="false") == {low, high, gone, direct}
    assert sids(api, path, Priority=7, AssignmentStatus="pending") == {high}


def test_several_statuses_are_given_by_commas_or_by_repetition(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    factories.worker(workspace)
    assigned = factories.accepted(workspace).task.sid
    waiting = api.post(path)["sid"]
    canceled = api.post(path)["sid"]
    api.post(f"{path}/{canceled}", AssignmentStatus="canceled")
    both = {waiting, assigned}
    assert sids(api, path, AssignmentStatus="pending,assigned") == both
    assert sids(api, path, AssignmentStatus=["Pending", "ASSIGNED"]) == both
    assert sids(api, path, AssignmentStatus=["pending , assigned", "canceled"]) == both | {canceled}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("AssignmentStatus", "pending,lost"),
        ("Priority", "x"),
        ("WorkflowSid", "WQ" + "0" * 32),
        ("TaskQueueSid", "x"),
        ("RoutingTarget", "WT" + "0" * 32),
        ("EvaluateTaskAttributes", "vip"),
        ("EvaluateTaskAttributes", ""),
        ("EvaluateTaskAttributes", "worker.a == 1"),
        ("TaskQueueName", "\x00"),
    ],
)
def test_an_invalid_filter_is_refused(api: Api, path: str, field: str, value: str) -> None:
    answer = api.get(path, **{field: value})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert field in answer.message
