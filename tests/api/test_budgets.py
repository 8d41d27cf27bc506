"""How many queries a request may cost: a fixed number, whatever the size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import workflows
from routing.actors import SYSTEM
from routing.api.openapi.operations import operations
from tests import factories
from tests.api.conftest import Api

AUTHENTICATION = 1
WORKSPACE = 1
PAGE = 1

LISTS = {
    "Activities": 0,
    "OutcomeCodes": 0,
    "OutcomeCodes?Active=true": 0,
    "TaskChannels": 0,
    "TaskQueues": 0,
    "TaskQueues?EvaluateWorkerAttributes={{}}": 0,
    "Workflows": 0,
    "Workers": 0,
    "Workers?TargetWorkersExpression=1==1": 2,
    "Workers?TaskQueueName=none&Ordering=DateStatusChanged:desc": 4,
    "Tasks": 0,
    "Tasks?AssignmentStatus=pending&WorkflowName=Main&Ordering=Priority:desc": 0,
    "Tasks?EvaluateTaskAttributes=priority==0": 1,
    "Events": 0,
    "Events?EventType=task.created&TaskChannel=chat": 1,
    "Events?After=": 0,
    "TaskQueues/Statistics": 8,
    "{worker}/Channels": 1,
    "{worker}/Reservations": 1,
    "{task}/Reservations": 1,
    "{workflow}/Revisions": 1,
}
"""Queries of a list beside authentication, workspace and page."""


def cost(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(
    api: Api, workspace: models.Workspace, root: str, path: str
) -> None:
    main = factories.workflow(workspace, friendly_name="Main")
    worker = factories.worker(workspace, capacity={"chat": 50})
    task = factories.accepted(workspace).task
    filled = path.format(
        worker=f"Workers/{worker.sid}",
        task=f"Tasks/{task.sid}",
        workflow=f"Workflows/{main.sid}",
    )
    budget = AUTHENTICATION + WORKSPACE + PAGE + LISTS[path]
    assert cost(lambda: api.get(f"{root}/{filled}")) == budget
    for _ in range(4):
        assert factories.accepted(workspace, workflow=main).worker == worker
    for name in ("a", "b", "c", "d"):
        assert main.revision is not None
        workflows.update_workflow(
            workflow=main,
            configuration=f"{main.revision.configuration} ",
            actor=SYSTEM,
            now=timezone.now(),
        )
        factories.worker(workspace)
        factories.workflow(workspace)
        factories.activity(workspace, name)
        factories.channel(workspace, name)
    assert cost(lambda: api.get(f"{root}/{filled}")) == budget


def test_every_list_has_a_budget() -> None:
    parents = {
        "Workers/{WorkerSid}": "{worker}",
        "Tasks/{TaskSid}": "{task}",
        "Workflows/{WorkflowSid}": "{workflow}",
    }
    known = {path.partition("?")[0] for path in LISTS}
    for operation in operations():
        below = operation.path.removeprefix("/v1/Workspaces/{WorkspaceSid}/")
        for parent, short in parents.items():
            below = below.replace(parent, short)
        elsewhere = operation.path == "/v1/Workspaces" or below.endswith("/Explanation")
        assert below in known or elsewhere or not operation.paged, below


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("Tasks?", "tasks_listed (workspace_id=? AND date_created>?)"),
        ("Tasks?Ordering=DateCreated:desc&", "tasks_listed (workspace_id=? AND date_created<?)"),
        ("Tasks?AssignmentStatus=pending&", "tasks_alive (workspace_id=? AND date_created>?)"),
        (
            "Tasks?AssignmentStatus=pending,assigned&",
            "tasks_alive (workspace_id=? AND date_created>?)",
        ),
        ("Events?Minutes=40000&", "(workspace_sid=? AND event_date"),
        ("Events?After=&", "events_log (workspace_sid=? AND transaction_id=? AND id>?)"),
    ],
)
def test_a_page_is_found_by_its_first_key_however_far_it_is(
    api: Api, workspace: models.Workspace, root: str, path: str, index: str
) -> None:
    workflow = factories.workflow(workspace)
    for _ in range(3):
        factories.task(workspace, workflow=workflow, now=timezone.now())
    url = api.get(f"{root}/{path}PageSize=1")["meta"]["next_page_url"]
    *_, plan = plans(api, url)
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_the_log_is_continued_without_reading_what_came_before(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    for _ in range(3):
        factories.task(workspace, now=timezone.now())
    first = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")[0]
    url = f"{root}/Events?After={first.sid}&PageSize=1"
    for _ in range(2):
        *_, plan = plans(api, url)
        assert "events_log (workspace_sid=? AND transaction_id=? AND id>?)" in plan
        url = api.send("GET", url)["meta"]["next_page_url"]


def test_waiting_tasks_are_read_by_priority_without_sorting(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    workflow = factories.workflow(workspace)
    for number in range(6):
        factories.task(workspace, workflow=workflow, priority=number % 2)
    for direction in ("desc", "asc"):
        query = f"AssignmentStatus=pending&Ordering=Priority:{direction}&PageSize=2"
        url = api.get(f"{root}/Tasks?{query}")["meta"]["next_page_url"]
        found = [plan for plan in plans(api, url) if "tasks_served" in plan]
        assert found
        assert not any("TEMP B-TREE" in plan for plan in found), found
        assert "priority" in found[-1]


def plans(api: Api, url: str) -> list[str]:
    """Return how SQLite answers each query of a request."""
    with CaptureQueriesContext(connection) as captured:
        assert api.send("GET", url).status == 200
    found = []
    with connection.cursor() as cursor:
        # Always on SQLite: its query plans name the index.
        for query in captured.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
                found.append(" / ".join(row[3] for row in cursor.fetchall()))
    return found


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
    # Who, where, workflow, channel; a savepoint and its end; lane and queue, the task, its
    # events, and those of them that are unpublished.
    assert cost(create) == 10
