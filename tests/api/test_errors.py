"""Every error has one shape, says what would be right, and changes nothing."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import IntegrityError, OperationalError
from django.test import override_settings

from routing import models
from routing.api.parsers import FORM_TYPE, FormParser
from routing.operations.errors import ApiError
from routing.operations.forms import Form
from tests import factories
from tests.api.conftest import Answer, Api


def assert_error(answer: Answer, status: int, code: int) -> None:
    assert (answer.status, answer["status"], answer["code"]) == (status, status, code)
    assert set(answer.json) - {"details"} == {"code", "message", "more_info", "status"}
    assert answer["more_info"] == f"http://testserver/docs/errors/{code}"
    assert answer.response.headers["Content-Type"] == "application/json"
    assert answer.message


def test_a_missing_resource_is_named_by_its_path(api: Api, root: str) -> None:
    for path in ("", "Nothing", "Workspaces/", f"{root}/", f"{root}/Tasks/WT1/More"):
        answer = api.get(path)
        assert_error(answer, 404, 20404)
        assert f"/v1/{path}" in answer.message


@pytest.mark.parametrize(
    "path",
    [
        "Workspaces/WS1",
        "Workspaces/WS" + "0" * 32,
        "Workspaces/AC" + "0" * 32,
        "Workspaces/WS" + "g" * 32,
        "Workspaces/%00",
        "Workspaces/%FF%FE",
        "Workspaces/" + "W" * 5_000,
    ],
)
def test_a_malformed_sid_in_a_path_names_nothing(api: Api, path: str) -> None:
    assert_error(api.get(path), 404, 20404)


@pytest.mark.parametrize("name", ["ch%00at", "ch%20at", "%ED%A0%80", "nothing", "c" * 70])
def test_a_channel_is_found_by_names_that_exist_and_no_others(
    api: Api, root: str, name: str
) -> None:
    assert api.get(f"{root}/TaskChannels/chat").status == 200
    assert_error(api.get(f"{root}/TaskChannels/{name}"), 404, 20404)


def test_methods_that_a_resource_lacks_are_405(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    assert_error(api.send("PUT", root), 405, 20004)
    assert_error(api.send("PATCH", root), 405, 20004)
    assert_error(api.delete("Workspaces"), 405, 20004)
    assert_error(api.post(f"{root}/Workers/{worker.sid}/Channels"), 405, 20004)
    assert_error(api.delete(f"{root}/Workers/{worker.sid}/Channels/chat"), 405, 20004)
    answer = api.post(f"{root}/Workers/{worker.sid}/Reservations")
    assert_error(answer, 405, 20004)


def test_the_error_for_a_json_body_says_that_a_form_is_expected(api: Api) -> None:
    answer = api.send(
        "POST", "Workspaces", body='{"FriendlyName": "x"}', content_type="application/json"
    )
    assert_error(answer, 415, 20415)
    assert "application/x-www-form-urlencoded" in answer.message
    assert not models.Workspace.objects.exists()


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain", ""])
def test_bodies_of_other_types_are_refused_even_if_cut_off(api: Api, content_type: str) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="FriendlyName"\r\n\r\nFlo'
    answer = api.send("POST", "Workspaces", body=body, content_type=content_type)
    assert_error(answer, 415, 20415)
    assert not models.Workspace.objects.exists()


def test_an_empty_body_is_an_empty_form_whatever_its_type(api: Api, root: str) -> None:
    assert api.send("POST", root, content_type="application/json").status == 200


def test_an_oversized_body_is_413(api: Api) -> None:
    body = "FriendlyName=" + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert_error(api.send("POST", "Workspaces", body=body), 413, 20413)


def test_a_body_without_a_content_length_is_limited_too() -> None:
    def chunked(body: bytes) -> ASGIRequest:
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        scope = {"type": "http", "method": "POST", "path": "/v1/Workspaces", "headers": [kind]}
        return ASGIRequest(scope, BytesIO(body))

    def parse(request: Any) -> Form:
        return FormParser().parse(request, FORM_TYPE, {"request": request})

    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100):
        assert parse(chunked(b"Reason=" + b"x" * 93)) == {"Reason": ["x" * 93]}
        with pytest.raises(ApiError) as refused:
            parse(chunked(b"Reason=" + b"x" * 94))
    assert refused.value.status == 413


@pytest.mark.parametrize("body", [b"FriendlyName=\xff", b"FriendlyName=%FF", b"%ED%A0%80=1"])
def test_a_body_that_is_not_utf_8_is_refused(api: Api, body: bytes) -> None:
    answer = api.send("POST", "Workspaces", body=body)
    assert_error(answer, 400, 20001)
    assert "UTF-8" in answer.message


def test_a_query_that_is_not_utf_8_is_refused(api: Api, root: str) -> None:
    assert_error(api.get(f"{root}/Workers?FriendlyName=%FF"), 400, 20001)


def test_too_many_fields_are_refused(api: Api) -> None:
    assert_error(api.send("POST", "Workspaces", body="a=1&" * 1_001), 400, 20001)


def test_astral_characters_come_back_as_they_were_sent(api: Api) -> None:
    name = "Zürich 🦉 \U0001f9ff"
    assert api.post("Workspaces", FriendlyName=name)["friendly_name"] == name


def test_any_accept_header_is_answered_with_json(api: Api, root: str) -> None:
    answer = api.send("GET", f"/v1/{root}?format=html", headers={"Accept": "text/html"})
    assert answer.status == 200


def test_a_wrong_host_is_refused_with_the_error_body(api: Api, root: str) -> None:
    answer = api.send("GET", root, headers={"Host": "evil.example"})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "evil" not in answer["more_info"]
    assert "ALLOWED_HOSTS" in answer.message


def test_an_internal_error_is_500_without_its_traceback_and_logged_once_with_it(
    api: Api, root: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(**_: object) -> None:
        raise RuntimeError("the innards")

    monkeypatch.setattr("routing.actions.activities.create_activity", break_down)
    with caplog.at_level(logging.WARNING):
        answer = api.post(f"{root}/Activities", FriendlyName="Lunch")
    assert_error(answer, 500, 20500)
    assert "innards" not in answer.message
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("database is locked"), 503, 20503),
        (IntegrityError("a foreign key leads nowhere"), 409, 20409),
        (models.Activity.DoesNotExist("the row that a column refers to"), 409, 20409),
    ],
)
def test_a_refusal_by_the_database_is_one_line_of_the_log(
    api: Api,
    root: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: int,
) -> None:
    def lose(**_: object) -> None:
        raise error

    monkeypatch.setattr("routing.actions.activities.create_activity", lose)
    with caplog.at_level(logging.WARNING):
        answer = api.post(f"{root}/Activities", FriendlyName="Lunch")
    assert_error(answer, status, code)
    (record,) = caplog.records
    assert record.exc_info is None


def test_refusals_leave_nothing_in_the_log(
    api: Api, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        api.get("Nothing")
        api.post(f"{root}/Activities")
        api.send("POST", root, body=b"\xff")
    assert not caplog.records


def test_a_method_that_a_resource_lacks_is_answered_with_those_that_it_has(
    api: Api, root: str
) -> None:
    answer = api.delete(f"{root}/Tasks")
    assert "GET, HEAD, POST" in answer.message
    assert answer.response.headers["Allow"] in answer.message


def test_json_with_a_key_twice_is_refused_by_that_key(api: Api, root: str) -> None:
    path = f"{root}/TaskQueues/RealTimeStatistics"
    body = '{"queueSids": [], "queueSids": []}'
    answer = api.send("POST", path, body=body, content_type="application/json")
    assert_error(answer, 400, 20001)
    assert "'queueSids' twice" in answer.message
    answer = api.send("POST", path, body=body, content_type="text/plain")
    assert_error(answer, 415, 20415)
    assert "application/json" in answer.message


@pytest.mark.parametrize(
    ("path", "form", "said", "quoted"),
    [
        (
            "Workflows",
            {
                "FriendlyName": "f",
                "Configuration": '{"task_routing": {"filters": [{"expression": "1==1", "targets":'
                ' [{"queue": "WQ1", "expression": "Worker.friendly_name == configuration"}]}]}}',
            },
            "Configuration is not acceptable",
            "    Worker.friendly_name == configuration\n    ^~~~~",
        ),
        (
            "TaskQueues",
            {"FriendlyName": "q", "TargetWorkers": "task_order == target_workers AND"},
            "TargetWorkers is not an expression",
            "    task_order == target_workers AND\n" + 36 * " " + "^",
        ),
        (
            "TaskQueues",
            {"FriendlyName": "q", "TargetWorkers": "max_reserved_workers ~ 1"},
            "TargetWorkers is not an expression",
            "    max_reserved_workers ~ 1\n" + 25 * " " + "^",
        ),
        (
            "TaskQueues",
            {"FriendlyName": "q", "TargetWorkers": "target_workers target_workers"},
            "TargetWorkers is not an expression: Expected an operator after target_workers (",
            "    target_workers target_workers\n",
        ),
        (
            "Workers",
            {"FriendlyName": "friendly_name"},
            "FriendlyName: a worker with the friendly name 'friendly_name' exists already",
            "'friendly_name'",
        ),
        (
            "Tasks",
            {"IgnoreCapacity": "true"},
            "IgnoreCapacity is only possible together with a worker as RoutingTarget",
            "RoutingTarget",
        ),
    ],
)
def test_the_clients_text_is_quoted_as_it_was_sent(
    api: Api,
    workspace: models.Workspace,
    root: str,
    path: str,
    form: dict[str, str],
    said: str,
    quoted: str,
) -> None:
    factories.worker(workspace, friendly_name="friendly_name")
    answer = api.post(f"{root}/{path}", **form)
    assert_error(answer, 400, 20001)
    assert answer.message.startswith(said)
    assert quoted in answer.message


def test_the_error_for_a_sid_names_its_kind(api: Api, root: str) -> None:
    refused = api.get(f"{root}/Workers", ActivitySid="").message
    assert "it must be an activity's sid (WA…)" in refused
    assert "a worker's sid (WK…)" in api.get(f"{root}/TaskQueues", WorkerSid="x").message
