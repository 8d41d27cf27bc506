"""Every operation of the description, with the credentials of another account and with none."""

from __future__ import annotations

import pytest

from routing import models
from routing.api.openapi.operations import Operation, operations
from tests import factories
from tests.api.conftest import Api, path_to

OPERATIONS = list(operations())
BELOW = [operation for operation in OPERATIONS if "{" in operation.path]
WORKSPACE = "/v1/Workspaces/{WorkspaceSid}/"


def name(operation: Operation) -> str:
    return operation.name


@pytest.mark.parametrize("operation", BELOW, ids=name)
def test_another_accounts_credentials_find_nothing_and_change_nothing(
    api: Api, stranger: Api, existing: dict[str, str], operation: Operation
) -> None:
    path = path_to(operation, existing)
    if operation.method == "get":
        assert api.get(path).status == 200
    before = models.Event.objects.count()
    answer = stranger.send(operation.method.upper(), path)
    assert (answer.status, answer["code"]) == (404, 20404)
    assert path in answer.message
    assert models.Event.objects.count() == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_no_credentials_are_401(
    account: models.Account, existing: dict[str, str], operation: Operation
) -> None:
    anonymous = Api(account, None)
    before = models.Event.objects.count()
    answer = anonymous.send(operation.method.upper(), path_to(operation, existing))
    assert (answer.status, answer["code"]) == (401, 20003)
    assert models.Event.objects.count() == before


def test_a_list_shows_only_rows_of_the_caller_s_account(api: Api, stranger: Api, root: str) -> None:
    assert len(api.get("Workspaces")["workspaces"]) == 1
    assert stranger.get("Workspaces")["workspaces"] == []


@pytest.mark.parametrize(
    "operation", [each for each in BELOW if each.path.startswith(WORKSPACE)], ids=name
)
def test_rows_of_one_workspace_are_not_found_through_another(
    api: Api, account: models.Account, existing: dict[str, str], operation: Operation
) -> None:
    elsewhere = {**existing, "WS": factories.workspace(account=account).sid}
    before = models.Event.objects.count()
    named = "{" in operation.path.removeprefix(WORKSPACE)
    # Both workspaces have a channel of this name.
    if not named or "/TaskChannels/" in operation.path:
        return
    answer = api.send(operation.method.upper(), path_to(operation, elsewhere))
    assert answer.status == 404
    assert models.Event.objects.count() == before


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
