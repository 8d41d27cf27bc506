"""Each request has an id: in its answer, its log lines, its errors and its events."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from config import request_log
from config.patches.asgi_handler import ThreadedHandler
from config.patches.daphne_requests import _answer
from routing import models, request_ids
from tests import factories
from tests.api.conftest import TOKEN, api_of, basic
from tests.project.test_http import ask

ID = "RQ" + "0123456789abcdef" * 2
HEX = ID[2:]
UUID = "01234567-89ab-cdef-0123-456789abcdef"
seen: list[str | None] = []


def note(_request: HttpRequest) -> HttpResponse:
    """Answer, and record the request id."""
    seen.append(request_ids.current_request_id())
    return HttpResponse("noted")


def fail(_request: HttpRequest) -> HttpResponse:
    """Answer nothing at all."""
    raise LookupError("as the test wants it")


handler500 = "config.views.server_error"
urlpatterns = [
    path("note", note),
    path("fail", fail),
    path("v1/fail", fail),
    path("v1/", include("routing.api.urls")),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def _without_middleware(settings: Any) -> None:
    """Remove the middleware that these views do not need."""
    settings.MIDDLEWARE = []


async def test_an_answer_names_the_id_of_its_request() -> None:
    names = []
    for _ in range(2):
        _, headers, _ = await ask("/note")
        assert headers[b"X-Request-Id"] == headers[b"Twilio-Request-Id"]
        names.append(headers[b"X-Request-Id"].decode())
    assert seen[-2:] == names
    assert len(set(names)) == 2
    assert all(re.fullmatch("RQ[0-9a-f]{32}", name) for name in names)
    assert request_ids.current_request_id() is None


@pytest.mark.parametrize(
    ("given", "twilio"), [(HEX, ID), (UUID, ID), (ID, ID), ("trace-7.of_them", None)]
)
async def test_the_id_of_a_trusted_proxy_is_kept(
    given: str, twilio: str | None, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    _, headers, _ = await ask("/note", headers=((b"x-request-id", given.encode()),))
    assert headers[b"X-Request-Id"].decode() == given
    derived = headers[b"Twilio-Request-Id"].decode()
    assert derived == (twilio or request_ids.as_twilio(given))
    assert re.fullmatch("RQ[0-9a-f]{32}", derived)


@pytest.mark.parametrize(("given", "proxies"), [(HEX, 0), ("short", 1), ("a b" * 5, 1)])
async def test_ids_that_are_untrusted_or_invalid_are_replaced(
    given: str, proxies: int, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    _, headers, _ = await ask("/note", headers=((b"x-request-id", given.encode()),))
    assert headers[b"X-Request-Id"].decode() != given


@pytest.mark.django_db
async def test_an_internal_error_names_its_id_on_pages_and_in_json() -> None:
    for target in ("/fail", "/v1/fail"):
        status, headers, body = await ask(target)
        assert status == 500
        assert f"as {headers[b'X-Request-Id'].decode()}" in body.decode()


def test_a_request_that_is_refused_before_it_is_complete_has_an_id() -> None:
    head, _, _ = _answer(413, "Too large", path=b"/v1/", request_id=ID).partition(b"\r\n\r\n")
    assert {f"X-Request-Id: {ID}", f"Twilio-Request-Id: {ID}"} <= set(head.decode().split("\r\n"))


@pytest.mark.django_db
def test_events_of_a_request_carry_its_id_and_events_of_the_router_do_not() -> None:
    account = factories.account(auth_token=TOKEN)
    workspace = factories.workspace(account=account)
    factories.worker(workspace)
    factories.workflow(workspace)
    with request_ids.bind_request_id(ID):
        assert (
            api_of(account).post(f"Workspaces/{workspace.sid}/Tasks", TaskChannel="chat").status
            == 201
        )
    factories.run(workspace)
    found = {
        event.event_type: event.event_data.get("request_id")
        for event in models.Event.objects.filter(task_key__isnull=False)
    }
    assert found["task.created"] == ID
    assert found["reservation.created"] is None


class Lines:
    """The lines of the access log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def taken(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the level and the fields of each line since the last call."""
        found: list[Any] = [
            (record.levelname, record.msg)
            for record in self._caplog.records
            if record.name == "config.access"
        ]
        self._caplog.clear()
        return found


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Switch the access log on."""
    monkeypatch.setattr(request_log, "is_enabled", lambda: True)
    caplog.set_level(logging.INFO, logger="config.access")
    return Lines(caplog)


async def test_a_request_is_logged_without_its_query(lines: Lines) -> None:
    _, headers, body = await ask("/note", query=b"token=secret")
    ((level, line),) = lines.taken()
    assert level == "INFO"
    assert line.pop("ms") >= 0
    del line["timestamp"]
    assert line == {
        "event": "request",
        "logger": "config.access",
        "level": "info",
        "method": "POST",
        "path": "/note",
        "status": 200,
        "bytes": len(body),
        "account": None,
        "request_id": headers[b"X-Request-Id"].decode(),
    }


async def test_a_path_cannot_forge_a_log_line(lines: Lines) -> None:
    await ask("/note\nforged")
    assert lines.taken()[0][1]["path"] == "/note%0Aforged"


async def test_a_slow_request_is_a_warning_even_if_requests_are_not_logged(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SLOW_REQUEST_SECONDS = 1e-9
    monkeypatch.setattr(request_log, "is_enabled", lambda: False)
    await ask("/note")
    ((level, line),) = lines.taken()
    assert (level, line["event"]) == ("WARNING", "slow request")
    settings.SLOW_REQUEST_SECONDS = 0
    await ask("/note")
    assert lines.taken() == []


@pytest.mark.django_db(transaction=True)
async def test_a_log_line_names_the_account(lines: Lines) -> None:
    account = await sync_to_async(factories.account)(auth_token=TOKEN)
    header = basic(account.sid, TOKEN).encode()
    handler = ThreadedHandler(threads=1)
    await ask("/v1/Workspaces", handler=handler, headers=((b"authorization", header),))
    await ask("/v1/Workspaces", handler=handler, headers=((b"authorization", b"Basic eDp5"),))
    handler.close()
    assert [line["account"] for _, line in lines.taken()] == [account.sid, None]


def test_the_id_of_a_proxy_is_logged_beside_the_id_that_clients_see(lines: Lines) -> None:
    given = "trace-7.of_them"
    scope = {"method": "GET", "path": "/", "raw_path": b"/"}
    request_log.log_request(scope, status=200, size=0, seconds=0, request_id=given, account=None)
    line = json.loads(json.dumps(lines.taken()[0][1]))
    assert (line["request_id"], line["twilio_request_id"]) == (given, request_ids.as_twilio(given))
