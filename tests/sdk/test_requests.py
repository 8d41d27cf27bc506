"""The SDK's requests without the SDK: invalid ones, lists, and their transport."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from routing import models
from tests import factories
from tests.sdk.conftest import Floor


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'{"url": "Workspaces"}',
        b'{"url": 7, "method": "GET"}',
        b'{"url": "a", "method": "GET", "params": [1]}',
        b"[" * 5_000,
        b'{"url": "Workspaces/\xed\xa0\x80", "method": "GET"}',
        '{"url": "Workspaces", "method": "GET"}'.encode("utf-16"),
    ],
)
def test_an_invalid_request_is_refused(floor: Floor, body: bytes) -> None:
    status, error = floor.post(body)
    assert (status, error["status"]) == (400, 400)


def test_a_huge_body_is_refused(floor: Floor) -> None:
    assert floor.post(b'{"url": "' + b"x" * 300_000)[0] == 413


def test_without_a_valid_token_nothing_is_answered(floor: Floor) -> None:
    status, error = floor.send("GET", "{K}", "nonsense")
    assert (status, error["code"]) == (401, 20101)
    expired = floor.token(floor.alice, valid_until=1)
    status, error = floor.send("GET", "{K}", expired)
    assert (status, error["code"], error["message"]) == (401, 20104, "The token has expired")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "{W}/Nonsense", 404),
        ("GET", "{W}/Workers/WK1", 404),
        ("GET", "{W}", 404),
        ("GET", "", 404),
        ("DELETE", "{K}", 405),
        ("POST", "{W}/Workers", 403),
        ("GET", "{K}/Reservations/nonsense", 404),
        ("GET", "../../admin", 404),
        ("POST", "{K}/Transfers", 400),
        ("POST", "{K}/KickWorkerParticipant", 501),
    ],
)
def test_other_paths_and_methods_are_refused(
    floor: Floor, method: str, path: str, status: int
) -> None:
    assert floor.send(method, path)[0] == status


def test_a_page_of_any_origin_may_send_requests(floor: Floor) -> None:
    asked = floor.client.options(
        "/v1/wschannels",
        headers={"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"},
    )
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    allowed = asked.headers["Access-Control-Allow-Headers"].lower()
    names = ("apiversion", "clientversion", "if-match", "content-type")
    keys = ("idempotency-key", "i-twilio-idempotency-token")
    assert all(name in allowed for name in (*names, *keys))
    assert floor.client.get("/v1/wschannels").status_code == 405


def test_the_longer_address_must_name_the_token_s_resource(floor: Floor) -> None:
    body = {"url": f"Workspaces/{floor.workspace.sid}/Activities", "method": "GET"}
    told = json.dumps(body | {"params": {}, "token": floor.token(floor.alice)})

    def ask(account: str, channel: str) -> int:
        path = f"/v1/wschannels/{account}/{channel}"
        return floor.client.generic("POST", path, told.encode()).status_code

    assert ask(floor.account.sid, floor.alice.sid) == 200
    assert ask(floor.account.sid, "WK" + "0" * 32) == 403
    assert ask("AC" + "0" * 32, floor.alice.sid) == 403


def test_a_version_is_checked_where_one_is_named(floor: Floor) -> None:
    version = floor.send("GET", "{K}")[1]["version"]
    assert floor.send("POST", "{K}", if_match=str(version), Attributes={"a": 1})[0] == 200
    status, error = floor.send("POST", "{K}", if_match=str(version), Attributes={"a": 2})
    assert (status, error["code"]) == (412, 20412)
    assert floor.send("GET", "{K}")[1]["attributes"] == '{"a":1}'


def test_lists_are_read_on_after_a_sid(floor: Floor) -> None:
    for number in range(4):
        factories.worker(floor.workspace, f"Worker {number}")
    _, page = floor.send("GET", "{W}/Workers", PageSize=2)
    names = [each["friendly_name"] for each in page["contents"]]
    while page["after_sid"]:
        assert page["after_sid"] == page["contents"][-1]["sid"]
        _, page = floor.send("GET", "{W}/Workers", PageSize=2, AfterSid=page["after_sid"])
        names += [each["friendly_name"] for each in page["contents"]]
    assert names == ["Alice", *(f"Worker {number}" for number in range(4))]
    for wrong in ({"AfterSid": "WK0"}, {"NextToken": "PAxx"}, {"PageSize": 0}, {"PageSize": 5000}):
        assert floor.send("GET", "{W}/Workers", **wrong)[0] == 400


def test_a_sorted_list_goes_on_by_its_token_alone(floor: Floor) -> None:
    factories.worker(floor.workspace, "Bob")
    order: dict[str, Any] = {"Ordering": "DateStatusChanged:asc", "PageSize": 1}
    _, page = floor.send("GET", "{W}/Workers", **order)
    assert page["after_sid"]
    _, last = floor.send("GET", "{W}/Workers", NextToken=page["meta"]["next_token"], **order)
    assert [each["friendly_name"] for each in last["contents"]] == ["Bob"]
    assert last["meta"] == {"list_key": "contents"}


def test_lists_cost_the_same_whatever_their_length(floor: Floor) -> None:
    paths = ("{W}/Workers", "{W}/TaskQueues", "{K}/WorkerChannels", "{K}/Reservations")

    def queries() -> list[int]:
        counts = []
        for path in paths:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert floor.send("GET", path)[0] == 200
            counts.append(len(captured))
        return counts

    factories.offered(floor.workspace, now=timezone.now())
    before = queries()
    for number in range(5):
        factories.worker(floor.workspace, f"Worker {number}", available=False)
        factories.queue(floor.workspace)
    for _ in range(2):
        factories.offered(floor.workspace, now=timezone.now())
    assert queries() == before
    assert max(before) <= 6


def test_parameters_of_every_json_type_are_read_as_the_api_reads_text(floor: Floor) -> None:
    assert floor.send("POST", "{K}", Attributes='{"as": "text"}', undefined=1)[0] == 200
    assert floor.send("GET", "{K}")[1]["attributes"] == '{"as": "text"}'
    assert floor.send("POST", "{K}", Attributes=None)[0] == 200
    assert floor.send("POST", "{K}", Attributes=[1])[0] == 400
    assert floor.send("POST", "{K}", ActivitySid={"a": 1})[0] == 400
    assert floor.send("POST", "{K}", Attributes={"a": "x" * 5_000})[0] == 400


# --- Creations that are repeated -----------------------------------------------------------


def test_a_task_is_created_once_for_a_key(floor: Floor) -> None:
    factories.workflow(floor.workspace)
    form: dict[str, Any] = {"RoutingTarget": floor.alice.sid, "Attributes": {"to": "+1"}}
    first = floor.send("POST", "{W}/Tasks", key="call-1", **form)
    assert first[0] == 200
    assert floor.send("POST", "{W}/Tasks", key="call-1", **form) == first
    assert models.Task.objects.count() == 1
    status, error = floor.send("POST", "{W}/Tasks", key="call-1", RoutingTarget=floor.alice.sid)
    assert (status, error["code"]) == (409, 20491)
    assert floor.send("POST", "{W}/Tasks", key="x" * 256, **form)[0] == 400
    assert floor.send("POST", "{W}/Tasks", key="call-2", **form)[1]["sid"] != first[1]["sid"]


def test_a_worker_s_keys_are_no_other_worker_s_and_no_back_end_s(floor: Floor) -> None:
    factories.workflow(floor.workspace)
    bob = factories.worker(floor.workspace, "Bob")
    boss = floor.token(role="admin")
    alice = floor.alice.sid
    answers = [
        floor.send("POST", "{W}/Tasks", key="1", RoutingTarget=alice),
        floor.send("POST", "{W}/Tasks", floor.token(bob), key="1", RoutingTarget=bob.sid),
        floor.send("POST", "{W}/Tasks", boss, key="1", Attributes={}),
    ]
    assert [status for status, _ in answers] == [200, 200, 200]
    assert models.Task.objects.count() == 3
    hers = {"key": "1", "RoutingTarget": alice}
    assert floor.send("POST", "{W}/Tasks", floor.token(bob), **hers)[0] == 403


def test_a_transfer_is_begun_once_for_a_key(floor: Floor) -> None:
    held = factories.accepted(floor.workspace, now=timezone.now())
    bob = factories.worker(floor.workspace, "Bob")
    form = {"ReservationSid": held.sid, "To": bob.sid}
    first = floor.send("POST", "{K}/Transfers", key="hand-on", **form)
    assert first[0] == 200
    assert floor.send("POST", "{K}/Transfers", key="hand-on", **form) == first
    assert floor.send("POST", "{K}/Transfers", **form)[0] == 400
    assert models.Transfer.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("POST", "{K}", {"FriendlyName": "a\ud800"}),
        ("POST", "{W}/Tasks", {"TaskChannel": "\udfff"}),
        ("POST", "{W}/Tasks", {"Attributes": '{"a": "\ud83d"}'}),
        ("GET", "{W}/Workers", {"FriendlyName": "\ud800"}),
        ("GET", "{W}/Workers", {"TargetWorkersExpression": "name == '\ud800'"}),
        ("GET", "{W}/Workers/\ud800", {}),
        ("GET", "{W}/\ud800", {"\ud800": 1}),
    ],
)
def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(
    floor: Floor, method: str, path: str, params: dict[str, Any]
) -> None:
    status, error = floor.send(method, path, floor.token(None, role="admin"), **params)
    assert (status, error["code"]) == (400, 20001)
    assert "lone surrogate" in error["message"]


def test_a_whole_surrogate_pair_is_a_character(floor: Floor) -> None:
    token = floor.token(floor.alice)
    url = f"Workspaces/{floor.workspace.sid}/Workers/{floor.alice.sid}"
    body = {"url": url, "method": "GET", "params": {"note": "\U0001f600"}, "token": token}
    text = json.dumps(body)
    assert "\\ud83d\\ude00" in text
    assert floor.post(text)[0] == 200


@override_settings(RATE_LIMIT=(2, 3600))
def test_requests_count_towards_the_accounts_limit(floor: Floor) -> None:
    for _ in range(2):
        assert floor.send("GET", "{W}/Activities")[0] == 200
    status, error = floor.send("POST", "{K}", FriendlyName="Anna")
    assert (status, error["code"]) == (429, 20429)
    # Without a valid token no request counts for the account.
    assert floor.send("GET", "{W}/Activities", "nonsense")[0] == 401
