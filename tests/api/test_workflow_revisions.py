"""Revisions of a workflow by request: list, fetch, compare and restore."""

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
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    return factories.workflow(workspace, default=queue)


@pytest.fixture
def path(root: str, workflow: models.Workflow) -> str:
    return f"{root}/Workflows/{workflow.sid}"


def text_of(queue: models.TaskQueue, level: int) -> str:
    one = factories.filter_(f"level == {level}", factories.target(queue))
    return factories.configuration(one, default=queue)


def test_each_new_text_is_listed_with_its_author_and_message(
    api: Api, path: str, queue: models.TaskQueue, workspace: models.Workspace
) -> None:
    api.post(path, Configuration=text_of(queue, 1), Message="Ask for a level")
    api.post(path, FriendlyName="Renamed")
    task = factories.task(workspace)
    assert task.revision is not None
    newest, first = api.get(f"{path}/Revisions")["revisions"]
    assert (newest["number"], first["number"]) == (2, 1)
    assert (newest["is_current"], first["is_current"]) == (True, False)
    assert (newest["message"], newest["source"]) == ("Ask for a level", "api")
    assert (newest["author"], newest["actor_sid"]) == (
        api.account.friendly_name,
        api.account.sid,
    )
    assert (newest["waiting_tasks"], first["waiting_tasks"]) == (1, 0)
    assert "configuration" not in newest
    one = api.get(f"{path}/Revisions/2")
    assert one["configuration"] == text_of(queue, 1)


def test_the_list_is_paged(api: Api, path: str, queue: models.TaskQueue) -> None:
    for level in range(4):
        api.post(path, Configuration=text_of(queue, level))
    pages = api.pages(f"{path}/Revisions", PageSize="2")
    assert [[each["number"] for each in page] for page in pages] == [[5, 4], [3, 2], [1]]


def test_two_revisions_are_compared(api: Api, path: str, queue: models.TaskQueue) -> None:
    api.post(path, Configuration=text_of(queue, 1))
    api.post(path, Configuration=text_of(queue, 2))
    found = api.get(f"{path}/Revisions/2/Diff")
    assert (found["number"], found["against"]) == (2, 3)
    changed = [line[0] + line[1:].strip() for line in found["lines"] if line[0] in "+-"]
    assert changed == ['-"expression": "level == 1",', '+"expression": "level == 2",']
    assert api.get(f"{path}/Revisions/2/Diff", Against="2")["lines"] == []
    laid_out = json.dumps(json.loads(text_of(queue, 2)), indent=4)
    api.post(path, Configuration=laid_out)
    assert api.get(f"{path}/Revisions/3/Diff")["formatting_only"] is True
    wrong = api.get(f"{path}/Revisions/2/Diff", Against="9")
    assert wrong.status == 400
    assert wrong.message == "Against is '9'; it must be 'current' or the number of a revision"


def test_a_restored_revision_is_the_newest(
    api: Api, path: str, queue: models.TaskQueue, workflow: models.Workflow
) -> None:
    first = api.get(path)["configuration"]
    api.post(path, Configuration=text_of(queue, 1))
    answer = api.post(f"{path}/Revisions/1/Restore", Message="Back")
    assert (answer.status, answer["configuration"]) == (200, first)
    newest = api.get(f"{path}/Revisions/3")
    assert (newest["restored_from"], newest["message"], newest["is_current"]) == (1, "Back", True)
    again = api.post(f"{path}/Revisions/1/Restore")
    assert again.status == 409
    assert "evision 1 has the text that the workflow has now" in again.message


@pytest.mark.parametrize("number", ["0", "9", "x", "-1", "1.0", "9" * 30])
def test_an_unknown_number_is_not_found(api: Api, path: str, number: str) -> None:
    assert api.get(f"{path}/Revisions/{number}").status == 404
    assert api.get(f"{path}/Revisions/{number}/Diff").status == 404
    assert api.post(f"{path}/Revisions/{number}/Restore").status == 404


def test_revisions_of_another_workspace_are_not_found(
    api: Api, root: str, account: models.Account
) -> None:
    elsewhere = factories.workspace(account=account)
    other = factories.workflow(elsewhere, default=factories.queue(elsewhere))
    assert api.get(f"{root}/Workflows/{other.sid}/Revisions").status == 404
    assert api.post(f"{root}/Workflows/{other.sid}/Revisions/1/Restore").status == 404
