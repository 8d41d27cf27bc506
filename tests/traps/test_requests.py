"""Traps of the wire: versions, pages, filters, dates, errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def task(workspace: models.Workspace, root: str) -> str:
    """Return the path of a waiting task."""
    return f"{root}/Tasks/{factories.task(workspace).sid}"


def test_a_stale_version_gets_412_and_no_event_and_none_at_all_wins(api: Api, task: str) -> None:
    stale = api.get(task).response.headers["ETag"]
    api.post(task, Priority=1)
    before = factories.last_event()
    answer = api.post(task, if_match=stale, Priority=2)
    assert (answer.status, answer["code"]) == (412, 20412)
    assert factories.event_types(before) == []
    assert api.get(task)["priority"] == 1
    assert api.post(task, Priority=3)["priority"] == 3


def test_the_etag_changes_when_the_router_changes_the_task(
    api: Api, workspace: models.Workspace, task: str
) -> None:
    seen = [api.get(task).response.headers["ETag"]]
    factories.worker(workspace)
    factories.run(workspace)
    seen.append(api.get(task).response.headers["ETag"])
    factories.run(workspace, factories.later(120))
    seen.append(api.get(task).response.headers["ETag"])
    assert len(set(seen)) == 3
    assert api.post(task, if_match=seen[0], Priority=1).status == 412


def test_a_page_without_its_token_is_a_40153(api: Api, root: str) -> None:
    answer = api.get(f"{root}/Activities", Page=1)
    assert (answer.status, answer["code"]) == (400, 40153)
    assert api.get(f"{root}/Activities", Page=0).status == 200


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_last_page_and_no_other_has_no_next_even_when_it_is_full(
    api: Api, root: str, size: int
) -> None:
    pages = api.pages(f"{root}/Activities", PageSize=size)
    # A new workspace has three activities.
    assert [len(page) for page in pages] == [size] * (3 // size) + [3 % size] * bool(3 % size)


def test_a_filter_by_several_statuses_may_be_repeated_or_have_commas(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    pending, canceled = factories.task(workspace), factories.task(workspace)
    api.post(f"{root}/Tasks/{canceled.sid}", AssignmentStatus="canceled")

    def sids(status: str | list[str]) -> list[str]:
        return [row["sid"] for row in api.get(f"{root}/Tasks", AssignmentStatus=status)["tasks"]]

    assert sids(["pending", "canceled"]) == sids("pending,canceled") == [pending.sid, canceled.sid]
    assert sids(["pending", "reserved"]) == sids("pending,reserved") == [pending.sid]


def test_ordering_by_creation_and_virtual_start_together_is_refused(
    api: Api, task: str, root: str
) -> None:
    both = api.get(f"{root}/Tasks", Ordering="DateCreated:asc,VirtualStartTime:asc")
    assert (both.status, both["code"]) == (400, 20001)
    for one in ("DateCreated:asc,Priority:desc", "VirtualStartTime:asc"):
        assert api.get(f"{root}/Tasks", Ordering=one).status == 200


def dates(answer: dict[str, Any]) -> dict[str, str]:
    return {
        key: value
        for key, value in answer.items()
        if isinstance(value, str) and (key.startswith("date_") or key.endswith(("_date", "_time")))
    }


def test_dates_have_no_fractions_of_a_second(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    moment = factories.later(0.123456)
    factories.worker(workspace, now=moment)
    offer = factories.offered(workspace, now=moment)
    task = f"{root}/Tasks/{offer.task.sid}"
    seen = 0
    for path in (
        root,
        task,
        f"{task}/Reservations/{offer.sid}",
        f"{root}/Workers/{offer.current_worker.sid}",
        f"{root}/Workers/{offer.current_worker.sid}/Channels/chat",
        f"{root}/TaskQueues/{workspace.task_queues.get().sid}",
        f"{root}/Workflows/{workspace.workflows.get().sid}",
    ):
        found = dates(api.get(path).json)
        seen += len(found)
        for key, value in found.items():
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (path, key, value)
    assert seen > 14


def test_errors_have_neither_type_nor_title(api: Api, root: str, task: str) -> None:
    stranger = Api(api.account, None)
    for answer in (
        api.post(f"{root}/Tasks", Attributes="{"),
        api.get(f"{root}/Tasks/WT{'0' * 32}"),
        api.get(f"{root}/Nonsense"),
        api.post(task, if_match="99", Priority=1),
        api.send("PUT", task),
        api.get(f"{root}/Tasks", Page=3),
        stranger.get(root),
    ):
        assert answer.status >= 400
        assert not {"type", "title"} & answer.json.keys()
        assert {"code", "message", "more_info", "status"} <= answer.json.keys()
        assert answer["status"] == answer.status
