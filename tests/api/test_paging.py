"""Lists come in pages that stay stable while rows come and go."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import activities, tasks, workers
from routing.actors import SYSTEM
from routing.operations import pagination, scan_limits
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def path(workspace: models.Workspace, root: str) -> str:
    """Return the path of a list of seven tasks."""
    for number in range(7):
        factories.task(workspace, priority=number % 3, now=factories.later(number // 2))
    return f"{root}/Tasks"


def sids(pages: list[list[dict[str, Any]]]) -> list[str]:
    return [row["sid"] for page in pages for row in page]


def in_order(*columns: str) -> list[str]:
    return list(models.Task.objects.order_by(*columns).values_list("sid", flat=True))


def test_the_envelope_describes_the_page(api: Api, path: str) -> None:
    meta = api.get(path, PageSize=3, AssignmentStatus="pending")["meta"]
    assert set(meta) == {
        "key",
        "page",
        "page_size",
        "first_page_url",
        "previous_page_url",
        "url",
        "next_page_url",
    }
    assert (meta["key"], meta["page"], meta["page_size"]) == ("tasks", 0, 3)
    assert meta["previous_page_url"] is None
    kept = f"http://testserver/v1/{path}?AssignmentStatus=pending&PageSize=3&Page="
    assert meta["first_page_url"] == meta["url"] == f"{kept}0"
    assert meta["next_page_url"].startswith(f"{kept}1&PageToken=PA")


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 1000])
def test_each_row_is_listed_once_for_any_page_size(api: Api, path: str, size: int) -> None:
    pages = api.pages(path, PageSize=size)
    assert sids(pages) == in_order("date_created", "id")
    # The last page is full when the rows come out even: then nothing follows it.
    assert [len(page) for page in pages] == [size] * (7 // size) + [7 % size] * bool(7 % size)


@pytest.mark.parametrize(
    ("ordering", "columns"),
    [
        ("DateCreated:desc", ["-date_created", "-id"]),
        ("Priority:asc", ["priority", "-virtual_start_us", "-id"]),
        ("Priority:desc", ["-priority", "virtual_start_us", "id"]),
        ("VirtualStartTime:desc", ["-virtual_start_us", "-id"]),
        ("Priority:desc,DateCreated:asc", ["-priority", "date_created", "id"]),
        ("priority", None),
        ("Priority:desc,VirtualStartTime:desc", ["-priority", "-virtual_start_us", "-id"]),
        ("DateCreated", ["date_created", "id"]),
    ],
)
def test_an_ordering_holds_over_pages(
    api: Api, path: str, ordering: str, columns: list[str] | None
) -> None:
    if columns is None:
        assert api.get(path, Ordering=ordering).status == 400
        return
    for more in ({}, {"AssignmentStatus": "pending"}, {"AssignmentStatus": "pending,reserved"}):
        found = api.pages(path, PageSize=2, Ordering=ordering, **more)
        assert sids(found) == in_order(*columns)
        assert max(map(len, found)) == 2


@pytest.mark.parametrize(
    "ordering",
    [
        "",
        "Age:asc",
        "DateCreated:up",
        "DateCreated:asc,VirtualStartTime:asc",
        "Priority:asc,Priority:desc",
        "DateCreated:asc,",
        "date_created:asc",
        "DateCreated:asc:desc",
    ],
)
def test_an_invalid_ordering_is_refused(api: Api, path: str, ordering: str) -> None:
    answer = api.get(path, Ordering=ordering)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("Ordering is ")


def test_previous_page_links_lead_back_to_the_first_page(api: Api, path: str) -> None:
    there = [api.get(path, PageSize=2)]
    while url := there[-1]["meta"]["next_page_url"]:
        there.append(api.send("GET", url))
    back = [there[-1]]
    while url := back[-1]["meta"]["previous_page_url"]:
        back.append(api.send("GET", url))
    # Backwards one starts from the last page, which is short.
    assert sids([answer["tasks"] for answer in reversed(back)]) == in_order("date_created", "id")
    forth = api.send("GET", back[-1]["meta"]["next_page_url"])
    assert forth["tasks"][0]["sid"] == back[-2]["tasks"][0]["sid"]


def test_deleting_rows_between_pages_skips_no_row(api: Api, path: str) -> None:
    order = in_order("date_created", "id")
    first = api.get(path, PageSize=3)
    for sid in order[:3]:
        tasks.delete_task(task=models.Task.objects.get(sid=sid), actor=SYSTEM, now=factories.NOW)
    second = api.send("GET", first["meta"]["next_page_url"])
    assert [row["sid"] for row in second["tasks"]] == order[3:6]


def test_rows_created_between_pages_are_listed_last(
    api: Api, path: str, workspace: models.Workspace
) -> None:
    first = api.get(path, PageSize=7)
    assert first["meta"]["next_page_url"] is None
    first = api.get(path, PageSize=6)
    added = factories.task(workspace, now=factories.later(60))
    second = api.send("GET", first["meta"]["next_page_url"])
    assert [row["sid"] for row in second["tasks"]][-1] == added.sid


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "9" * 5_000, "٣"])
def test_an_invalid_page_size_is_refused(api: Api, path: str, size: str) -> None:
    answer = api.get(path, PageSize=size)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "PageSize" in answer.message


def test_a_larger_page_size_than_allowed_is_taken_as_the_largest(api: Api, path: str) -> None:
    assert api.get(path, PageSize=1000)["meta"]["page_size"] == 1000
    assert api.get(path, PageSize=1001)["meta"]["page_size"] == 1000


def test_pages_are_not_addressed_by_number(api: Api, path: str) -> None:
    assert api.get(path, Page=0).status == 200
    answer = api.get(path, Page=1)
    assert (answer.status, answer["code"]) == (400, 40153)
    assert api.get(path, Page=-1)["code"] == 20001


def token(content: Any) -> str:
    return "PA" + base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "PA",
        "x",
        "PAWT" + "0" * 32,
        "PA%%%",
        "PAé",
        token(1),
        token(["date_created,id", 0]),
        token(["date_created,id", 0, "x", 1]),
        token(["date_created,id", 0, 2**60, 1]),
        token(["date_created,id", 0, 1, 1, 1]),
        token(["date_created,id", 2, 1, 1]),
        token(["-date_created,-id", 0, 1, 1]),
        token(["password,id", 0, 1, 1]),
        token({"date_created,id": 1}),
        token(["date_created,id", 0, True, 1]),
        "PA" + base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        "PA" + base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "PA" + base64.urlsafe_b64encode(b"[" + b"9" * 5_000 + b"]").decode(),
    ],
)
def test_a_token_that_we_did_not_give_is_refused(api: Api, path: str, forged: str) -> None:
    good = token(["date_created,id", 0, 1, 1])
    assert api.get(path, Page=1, PageToken=good).status == 200
    answer = api.get(path, Page=1, PageToken=forged)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "PageToken" in answer.message


def test_page_urls_keep_the_filters_unchanged(api: Api, path: str) -> None:
    query = "AssignmentStatus=pending&AssignmentStatus=reserved&WorkflowName=%C3%A4+%26"
    meta = api.send("GET", f"/v1/{path}?{query}&PageSize=5")["meta"]
    assert f"?{query}&PageSize=5&Page=0" in meta["first_page_url"]


def test_an_expression_is_evaluated_page_by_page_within_bounds(
    api: Api,
    workspace: models.Workspace,
    root: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(10):
        factories.task(workspace, attributes={"vip": number in (4, 9)})
    monkeypatch.setattr(pagination, "BATCH", 2)
    monkeypatch.setattr(pagination, "MAX_BATCHES", 2)
    query = {"EvaluateTaskAttributes": "vip == true", "PageSize": 5}
    first = api.get(f"{root}/Tasks", **query)
    # Four rows were looked at, none fits, and there is more to look at.
    assert first["tasks"] == []
    assert first["meta"]["next_page_url"] is not None
    pages = api.pages(f"{root}/Tasks", **query)
    assert len(sids(pages)) == 2
    assert len(pages) == 3


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_that_reaches_the_time_limit_is_short_and_the_next_one_continues(
    api: Api,
    workspace: models.Workspace,
    root: str,
    descending: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [factories.task(workspace, attributes={"vip": n % 4 == 3}).sid for n in range(30)]
    monkeypatch.setattr(pagination, "SCAN_SECONDS", 0)
    order = {"Ordering": "DateCreated:desc"} if descending else {}
    pages = api.pages(f"{root}/Tasks", EvaluateTaskAttributes="vip == true", **order)
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    expected = [sid for n, sid in enumerate(made) if n % 4 == 3]
    assert sorted(sids(pages)) == sorted(expected)


def test_one_request_per_account_scans_rows_and_others_wait_or_are_refused(
    api: Api, workspace: models.Workspace, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_limits, "WAIT_SECONDS", 0.01)
    query = {"EvaluateTaskAttributes": "vip == true"}
    with scan_limits.limit_scans("another account", True):
        assert api.get(f"{root}/Tasks", **query).status == 200
    with scan_limits.limit_scans(workspace.account.sid, True):
        answer = api.get(f"{root}/Tasks", **query)
        assert (answer.status, answer["code"]) == (429, 20429)
        assert answer.response.headers["Retry-After"] == "1"
        assert api.get(f"{root}/Tasks").status == 200
    assert api.get(f"{root}/Tasks", **query).status == 200
    assert not scan_limits._locks


def test_a_page_of_matches_ends_where_the_next_one_begins(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    made = [factories.task(workspace, attributes={"vip": True}).sid for _ in range(5)]
    pages = api.pages(f"{root}/Tasks", EvaluateTaskAttributes="vip == true", PageSize=2)
    assert sids(pages) == made
    assert [len(page) for page in pages] == [2, 2, 1]


def test_all_lists_page_in_the_same_way(api: Api, workspace: models.Workspace, root: str) -> None:
    now = timezone.now()
    for number in range(3):
        workers.create_worker(
            workspace=workspace, friendly_name=f"w{number}", actor=SYSTEM, now=now
        )
        activities.create_activity(
            workspace=workspace, friendly_name=f"a{number}", actor=SYSTEM, now=now
        )
        factories.workflow(workspace)
    worker = workspace.workers.first()
    assert worker is not None
    for path in (
        "Workers",
        "Activities",
        "TaskChannels",
        "TaskQueues",
        "Workflows",
        f"Workers/{worker.sid}/Channels",
    ):
        pages = api.pages(f"{root}/{path}", PageSize=2)
        whole = api.pages(f"{root}/{path}")
        assert sids(pages) == sids(whole)
        assert len(set(sids(pages))) == len(sids(pages)) >= 3


def test_a_page_of_versioned_things_has_an_etag_that_follows_them(
    api: Api, path: str, root: str
) -> None:
    before = api.get(path).response.headers["ETag"]
    assert api.get(path).response.headers["ETag"] == before
    first = in_order("id")[0]
    api.post(f"{path}/{first}", Priority=9)
    assert api.get(path).response.headers["ETag"] != before
    assert "ETag" not in api.get(f"{root}/Activities").response.headers
