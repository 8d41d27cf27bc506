"""How many queries a request may cost: a fixed number, whatever the size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from tests import factories
from tests.api.conftest import Api

AUTHENTICATION = 1
WORKSPACE = 1
PAGE = 1

LISTS = {
    "Activities": 0,
    "TaskChannels": 0,
    "TaskQueues": 0,
    "TaskQueues?EvaluateWorkerAttributes={{}}": 0,
    "Workflows": 0,
    "Workers": 0,
    "Workers?TargetWorkersExpression=1==1": 2,
    "Workers?TaskQueueName=none&Ordering=DateStatusChanged:desc": 3,
    "Tasks": 0,
    "Tasks?AssignmentStatus=pending&WorkflowName=Main&Ordering=Priority:desc": 0,
    "Tasks?EvaluateTaskAttributes=priority==0": 0,
    "{worker}/Channels": 1,
    "{worker}/Reservations": 1,
    "{task}/Reservations": 1,
}
"""What a list costs beside authentication, workspace and page."""


def cost(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_however_long_it_is(
    api: Api, workspace: models.Workspace, root: str, path: str
) -> None:
    main = factories.workflow(workspace, friendly_name="Main")
    worker = factories.worker(workspace, capacity={"chat": 50})
    task = factories.accepted(workspace).task
    filled = path.format(worker=f"Workers/{worker.sid}", task=f"Tasks/{task.sid}")
    budget = AUTHENTICATION + WORKSPACE + PAGE + LISTS[path]
    assert cost(lambda: api.get(f"{root}/{filled}")) == budget
    for _ in range(4):
        assert factories.accepted(workspace, workflow=main).worker == worker
    for name in ("a", "b", "c", "d"):
        factories.worker(workspace)
        factories.workflow(workspace)
        factories.activity(workspace, name)
        factories.channel(workspace, name)
    assert cost(lambda: api.get(f"{root}/{filled}")) == budget


def test_a_list_of_workspaces_costs_two_queries(api: Api, account: models.Account) -> None:
    for _ in range(3):
        factories.workspace(account=account)
    assert cost(lambda: api.get("Workspaces")) == AUTHENTICATION + PAGE


def test_reading_a_task_costs_three_queries(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    task = factories.task(workspace)
    assert cost(lambda: api.get(f"{root}/Tasks/{task.sid}")) == 3


def test_creating_a_task_is_cheap(api: Api, workspace: models.Workspace, root: str) -> None:
    workflow = factories.workflow(workspace).sid

    def create() -> None:
        assert api.post(f"{root}/Tasks", WorkflowSid=workflow, TaskChannel="chat").status == 201

    create()
    # Who, where, workflow, channel; a savepoint and its end; queue, lane, the task, its events.
    assert cost(create) == 10
