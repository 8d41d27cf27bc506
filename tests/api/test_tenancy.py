"""Every path, with the credentials of another account and with none."""

from __future__ import annotations

import pytest

from routing import models
from routing.api.urls import urlpatterns
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def paths(workspace: models.Workspace) -> list[str]:
    """Return every path of the API below Workspaces, filled in with what exists."""
    worker = factories.worker(workspace, capacity={"chat": 1})
    reservation = factories.accepted(workspace)
    task = reservation.task
    sids = {
        "Activities": factories.activity(workspace).sid,
        "TaskChannels": "chat",
        "TaskQueues": workspace.task_queues.get().sid,
        "Workflows": workspace.workflows.get().sid,
        "Workers": worker.sid,
        "Channels": "chat",
        "Tasks": task.sid,
        "Reservations": reservation.sid,
        "Workspaces": workspace.sid,
    }
    found = []
    for pattern in urlpatterns:
        parts = str(pattern.pattern).split("/")
        filled = [
            sids[before] if part.startswith("<") else part
            for before, part in zip(["", *parts], parts, strict=False)
        ]
        found.append("/".join(filled))
    return [path for path in found if path.startswith("Workspaces/")]


def test_another_accounts_credentials_find_nothing_and_change_nothing(
    api: Api, stranger: Api, paths: list[str]
) -> None:
    before = models.Event.objects.count()
    for path in paths:
        assert path.endswith("/Grab") or api.get(path).status == 200, path
        for method in ("GET", "POST", "DELETE"):
            answer = stranger.send(method, path)
            assert answer.status in (404, 405), (method, path)
            assert answer.status == 404 or method != "GET" or path.endswith("/Grab")
    assert models.Event.objects.count() == before


def test_a_list_shows_only_the_callers_own(api: Api, stranger: Api, root: str) -> None:
    assert len(api.get("Workspaces")["workspaces"]) == 1
    assert stranger.get("Workspaces")["workspaces"] == []


def test_no_credentials_are_401_on_every_path(account: models.Account, paths: list[str]) -> None:
    nobody = Api(account, None)
    for path in ["Workspaces", *paths]:
        for method in ("GET", "POST", "DELETE"):
            assert nobody.send(method, path).status == 401, (method, path)


def test_what_is_in_one_workspace_is_not_found_through_another(
    api: Api, account: models.Account, paths: list[str], root: str
) -> None:
    other = f"Workspaces/{factories.workspace(account=account).sid}"
    lists = {"Activities", "TaskQueues", "Workflows", "Workers", "Tasks", "TaskChannels"}
    for path in paths:
        elsewhere = path.replace(root, other)
        last = path.rsplit("/", 1)[-1]
        if path == root or last in lists or "/TaskChannels/" in path or last == "Grab":
            continue
        assert api.get(elsewhere).status == 404, elsewhere


def test_a_sid_of_another_workspace_in_a_form_is_refused(
    api: Api, account: models.Account, workspace: models.Workspace, root: str
) -> None:
    other = factories.workspace(account=account)
    foreign = factories.activity(other).sid
    mine = factories.activity(workspace).sid
    worker = factories.worker(workspace)
    assert api.post(f"{root}/Workers/{worker.sid}", ActivitySid=mine).status == 200
    answer = api.post(f"{root}/Workers/{worker.sid}", ActivitySid=foreign)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert foreign in answer.message
    assert api.post(root, DefaultActivitySid=foreign).status == 400
    assert (
        api.post(f"{root}/TaskQueues", FriendlyName="q", AssignmentActivitySid=foreign).status
        == 400
    )
    wanted = factories.workflow(other).sid
    assert api.post(f"{root}/Tasks", WorkflowSid=wanted).status == 400
