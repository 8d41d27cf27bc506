"""Properties of every path: methods, CORS, rate limits, versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from routing import models
from routing.operations import rate_limits
from routing.redis import clients
from tests import factories, redis
from tests.api.conftest import TOKEN, Api, basic

ELSEWHERE = "https://app.example"


# --- Methods ---------------------------------------------------------------------------------


def test_an_unsupported_method_is_answered_with_the_supported_ones(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    for path, allowed in {
        "Workspaces": "GET, HEAD, POST, OPTIONS",
        root: "GET, HEAD, POST, DELETE, OPTIONS",
        f"{root}/Workers/{worker.sid}/Channels": "GET, HEAD, OPTIONS",
        f"{root}/Workers/{worker.sid}/Channels/chat": "GET, HEAD, POST, OPTIONS",
    }.items():
        answer = api.send("PUT", path)
        assert (answer.status, answer["code"]) == (405, 20004)
        assert {*answer.response.headers["Allow"].split(", ")} == {*allowed.split(", ")}


def test_options_lists_the_methods_without_credentials(account: models.Account, root: str) -> None:
    answer = Api(account, None).send("OPTIONS", root)
    assert (answer.status, answer.json) == (204, None)
    assert "DELETE" in answer.response.headers["Allow"]
    assert Api(account, None).send("GET", root).status == 401


def test_head_answers_as_get_does_without_its_body(api: Api, root: str) -> None:
    answer = api.send("HEAD", f"{root}/Workers")
    assert (answer.status, answer.response.content) == (200, b"")
    assert api.send("HEAD", f"{root}/Nothing").status == 404


# --- Pages of other origins ------------------------------------------------------------------


def cors_headers(api: Api, path: str, method: str = "GET", **headers: str) -> dict[str, str]:
    given = {"Origin": ELSEWHERE, **{k.replace("_", "-"): v for k, v in headers.items()}}
    found = dict(api.send(method, path, headers=given).response.headers)
    return {k: v for k, v in found.items() if k.startswith("Access-Control") or k == "Vary"}


def test_no_other_origin_may_read_answers_by_default(api: Api, root: str) -> None:
    for method in ("GET", "OPTIONS"):
        assert not any(name.startswith("Access") for name in cors_headers(api, root, method))


@override_settings(CORS_ORIGINS=[ELSEWHERE])
def test_an_origin_that_is_named_may_read_answers_and_errors(api: Api, root: str) -> None:
    anonymous = Api(api.account, None)
    for headers in (
        cors_headers(api, root),
        cors_headers(api, f"{root}/Nothing"),
        cors_headers(anonymous, root),
    ):
        assert headers["Access-Control-Allow-Origin"] == ELSEWHERE
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert "ETag" in headers["Access-Control-Expose-Headers"]
        assert "Origin" in headers["Vary"]
    other = cors_headers(api, root, Origin="https://evil.example")
    assert other.keys() == {"Vary"}


@override_settings(CORS_ORIGINS=[ELSEWHERE])
def test_a_preflight_is_answered_without_credentials(account: models.Account, root: str) -> None:
    headers = cors_headers(
        Api(account, None), root, "OPTIONS", Access_Control_Request_Method="POST"
    )
    assert "POST" in headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type", "If-Match", "apiVersion", "clientVersion"):
        assert name in headers["Access-Control-Allow-Headers"]
    assert int(headers["Access-Control-Max-Age"]) > 0


@override_settings(CORS_ORIGINS=["*"])
def test_all_origins_may_read_but_none_with_cookies(api: Api, root: str) -> None:
    headers = cors_headers(api, root)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers


@override_settings(CORS_ORIGINS=["*"])
def test_html_pages_allow_no_other_origin(client: Client, db: None) -> None:
    answer = client.get("/accounts/login/", headers={"Origin": ELSEWHERE})
    assert "Access-Control-Allow-Origin" not in answer.headers


# --- Limits ----------------------------------------------------------------------------------


def test_without_a_limit_there_are_no_limit_headers(api: Api, root: str) -> None:
    assert not any(name.startswith("X-Rate") for name in api.get(root).response.headers)


@override_settings(RATE_LIMIT=(3, 3600))
def test_a_request_over_the_limit_gets_retry_after(api: Api, stranger: Api, root: str) -> None:
    headers: Any = {}
    for left in ("2", "1", "0"):
        answer = api.get(root)
        headers = answer.response.headers
        assert answer.status == 200
        assert headers["X-Rate-Limit-Remaining"] == left
    assert (headers["X-Rate-Limit-Limit"], headers["X-Rate-Limit-Config"]) == ("3", "3/hour")
    refused = api.post(f"{root}/Activities", FriendlyName="Lunch")
    assert (refused.status, refused["code"]) == (429, 20429)
    assert 1 <= int(refused.response.headers["Retry-After"]) <= 3600
    assert refused.response.headers["X-Rate-Limit-Remaining"] == "0"
    assert stranger.get("Workspaces").status == 200


@override_settings(RATE_LIMIT=(1, 3600))
def test_all_keys_of_an_account_share_its_limit_and_strangers_do_not_use_it(
    api: Api, account: models.Account, root: str
) -> None:
    for _ in range(3):
        assert Api(account, basic(account.sid, "wrong")).get(root).status == 401
    assert api.get(root).status == 200
    assert Api(account, basic(account.sid, TOKEN)).get(root).status == 429


def test_a_new_window_begins_on_the_clock() -> None:
    with override_settings(RATE_LIMIT=(1, 60)):
        first, second, third = (
            rate_limits.count_request("AC1", now=now) for now in (60.0, 119.5, 120.0)
        )
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.left, first.wait) == (0, 60)
    assert (second.left, second.wait) == (-1, 1)
    assert third.left == 0


def test_all_web_processes_count_in_one_redis(tmp_path: Path) -> None:
    with (
        redis.private_server(tmp_path / "redis.sock") as url,
        override_settings(RATE_LIMIT=(10, 60), REDIS_URL=url),
    ):
        counts = []
        for _ in range(3):
            clients.client_of.cache_clear()  # as another process has a client of its own
            taken = rate_limits.count_request("AC1", now=0.0)
            assert taken is not None
            counts.append(taken.left)
    assert counts == [9, 8, 7]


def test_without_redis_requests_are_not_limited(tmp_path: Path) -> None:
    gone = f"unix://{tmp_path / 'nobody.sock'}"
    with override_settings(RATE_LIMIT=(1, 60), REDIS_URL=gone):
        for _ in range(2):
            taken = rate_limits.count_request("AC1", now=0.0)
            assert taken is not None
            taken.check()


# --- Versions --------------------------------------------------------------------------------


def etag(api: Api, path: str) -> int:
    return int(api.get(path).response.headers["ETag"].strip('"'))


@pytest.mark.parametrize(
    "named", ["{}", '"{}"', 'W/"{}"', "*", '"77", "{}"', " {} ", '"77",W/"{}"']
)
def test_if_match_names_the_version_in_any_spelling(
    api: Api, workspace: models.Workspace, root: str, named: str
) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace, now=timezone.now())
    paths: dict[str, dict[str, Any]] = {
        f"{root}/Tasks/{offer.task.sid}": {"Priority": 3},
        f"{root}/Workers/{offer.current_worker.sid}": {"Attributes": '{"a": 1}'},
        f"{root}/Tasks/{offer.task.sid}/Reservations/{offer.sid}": {
            "ReservationStatus": "accepted"
        },
    }
    for path, form in paths.items():
        stale = api.post(path, if_match='"99"', **form)
        assert (stale.status, stale["code"]) == (412, 20412)
        answer = api.post(path, if_match=named.format(etag(api, path)), **form)
        assert answer.status == 200, answer.json


def test_each_change_by_request_is_one_version(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace, capacity={"chat": 5})
    offer = factories.offered(workspace, now=timezone.now())
    task, worker = f"{root}/Tasks/{offer.task.sid}", f"{root}/Workers/{offer.current_worker.sid}"
    reservation = f"{task}/Reservations/{offer.sid}"
    channel = f"{worker}/Channels/chat"
    away = factories.activity(workspace, "Lunch").sid
    steps: list[tuple[str, str, dict[str, Any]]] = [
        (task, task, {"Attributes": '{"a": 1}'}),
        (task, task, {"Priority": 7, "VirtualStartTime": "2020-01-01T00:00:00Z"}),
        (worker, worker, {"Attributes": '{"a": 1}'}),
        (worker, worker, {"ActivitySid": away}),
        (worker, channel, {"Capacity": 7}),
        (worker, channel, {"Available": "false"}),
        (reservation, reservation, {"ReservationStatus": "accepted"}),
        (task, task, {"AssignmentStatus": "wrapping"}),
    ]
    for versioned, path, form in steps:
        before = etag(api, versioned)
        assert api.post(path, **form).status == 200
        assert etag(api, versioned) == before + 1, (path, form)
        assert api.post(path).status == 200
        assert etag(api, versioned) == before + 1, "a request that says nothing changes nothing"


def test_an_offer_advances_the_versions_of_worker_and_task_and_an_answer_only_the_tasks(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 5})
    path = f"{root}/Workers/{worker.sid}"
    before = etag(api, path)
    offer = factories.offered(workspace, now=timezone.now())
    assert offer.worker == worker
    assert etag(api, path) == before + 1
    assert etag(api, f"{root}/Tasks/{offer.task.sid}") == 1
    reservation = f"{root}/Tasks/{offer.task.sid}/Reservations/{offer.sid}"
    for status in ("accepted", "wrapping", "completed"):
        assert api.post(reservation, ReservationStatus=status).status == 200
        assert etag(api, path) == before + 1
