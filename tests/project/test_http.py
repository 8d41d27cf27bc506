"""HTTP through the handler that answers each request in one thread."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from typing import Any

import pytest
from channels.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.core import signals
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path

from config import client_keys
from config.fair_threads import FairThreads
from config.patches.asgi_handler import ThreadedHandler
from routing.api import authentication

threads: list[str] = []


def echo(request: HttpRequest) -> HttpResponse:
    """Answer with the request's content, and record the thread."""
    threads.append(threading.current_thread().name)
    length = request.META["CONTENT_LENGTH"]
    response = HttpResponse(request.body, headers={"X-Path": request.path, "X-Length": length})
    response.set_cookie("kept", "yes")
    return response


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """Answer in pieces."""
    return StreamingHttpResponse(iter([b"one ", b"two"]), content_type="text/plain")


def fail(_request: HttpRequest) -> HttpResponse:
    """Answer nothing at all."""
    raise LookupError("as the test wants it")


urlpatterns = [
    *(path(name, echo) for name in ("echo", "accounts/login/")),
    path("stream", stream),
    path("fail", fail),
]
pytestmark = pytest.mark.urls(__name__)


async def ask(
    target: str,
    body: bytes = b"",
    query: bytes = b"",
    handler: ThreadedHandler | None = None,
    method: str = "POST",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    is_chunked: bool = False,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send a request through a handler of its own; return status, headers and body."""
    length = [] if is_chunked else [(b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "method": method,
        "path": target,
        "query_string": query,
        "headers": [(b"host", b"localhost"), *length, *headers],
    }
    own = ThreadedHandler(threads=1)
    communicator = ApplicationCommunicator(handler or own, scope)
    await communicator.send_input({"type": "http.request", "body": body[:3], "more_body": True})
    await communicator.send_input({"type": "http.request", "body": body[3:]})
    start = await communicator.receive_output(5)
    content = b""
    while True:
        piece = await communicator.receive_output(5)
        content += piece.get("body", b"")
        if not piece.get("more_body"):
            break
    await communicator.wait()
    own.close()
    return start["status"], dict(start["headers"]), content


@pytest.fixture(autouse=True)
def _without_csrf(settings: Any) -> None:
    """Remove the middleware that these views do not need; their forms have no token."""
    settings.MIDDLEWARE = []


async def test_a_request_is_answered_with_its_headers_and_cookies() -> None:
    status, headers, body = await ask("/echo", b"some body")
    assert (status, body) == (200, b"some body")
    assert headers[b"X-Path"] == b"/echo"
    assert headers[b"Set-Cookie"].startswith(b"kept=yes")
    assert threads.pop().startswith("http")


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_view_knows_the_length_of_the_body(is_chunked: bool) -> None:
    _, headers, body = await ask("/echo", b"some body", is_chunked=is_chunked)
    assert (headers[b"X-Length"], body) == (b"9", b"some body")


async def test_a_query_that_is_not_text_is_refused_as_json_or_as_a_page() -> None:
    status, headers, body = await ask("/v1/Workspaces", query=b"FriendlyName=\xff\xfe")
    assert (status, headers[b"Content-Type"]) == (400, b"application/json")
    error = json.loads(body)
    assert error == {
        "code": 20001,
        "message": "The query string is not UTF-8",
        "more_info": "http://localhost/docs/errors/20001",
        "status": 400,
    }
    status, headers, _ = await ask("/echo", query=b"\xff")
    assert (status, headers[b"Content-Type"].split(b";")[0]) == (400, b"text/html")


async def test_a_streamed_answer_arrives_as_one_body() -> None:
    assert (await ask("/stream"))[2] == b"one two"


async def test_a_view_that_fails_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert (await ask("/fail"))[0] == 500
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info
    assert isinstance(record.exc_info[1], LookupError)


async def test_a_request_starts_and_ends_in_the_same_thread() -> None:
    seen: list[str] = []

    def note(**_: object) -> None:
        seen.append(threading.current_thread().name)

    signals.request_started.connect(note)
    signals.request_finished.connect(note)
    try:
        await ask("/echo")
    finally:
        signals.request_started.disconnect(note)
        signals.request_finished.disconnect(note)
    assert len(seen) == 2
    assert len(set(seen)) == 1


async def test_a_client_that_disconnects_while_sending_causes_no_error() -> None:
    scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": []}
    communicator = ApplicationCommunicator(ThreadedHandler(threads=1), scope)
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait()
    assert await communicator.receive_nothing()


@pytest.mark.django_db(transaction=True)
async def test_logins_have_threads_of_their_own() -> None:
    for target, lane in (("/accounts/login/", "login"), ("/echo", "http")):
        await ask(target)
        assert threads.pop().startswith(lane)


@pytest.mark.parametrize(("waiting_by_client", "expected"), [(1, 503), (0, 429)])
async def test_a_request_beyond_the_queue_is_refused_as_json_or_as_a_page(
    waiting_by_client: int, expected: int
) -> None:
    handler = ThreadedHandler(threads=1)
    handler.requests = FairThreads(
        "http", threads=1, waiting=0, waiting_by_client=waiting_by_client
    )
    release = threading.Event()
    busy = asyncio.ensure_future(handler.requests.run(release.wait, client="another"))
    await asyncio.sleep(0)
    status, headers, body = await ask("/v1/Workspaces", handler=handler)
    assert (status, headers[b"Retry-After"]) == (expected, b"1")
    assert json.loads(body)["code"] == 20000 + expected
    status, headers, body = await ask("/echo", handler=handler)
    assert (status, headers[b"Content-Type"]) == (expected, b"text/plain")
    release.set()
    await busy
    assert (await ask("/echo", handler=handler))[0] == 200
    handler.close()


async def test_an_account_is_recognized_only_by_credentials_that_were_right_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authentication.valid_credentials.add("AC1", "right", "203.0.113.5", account_sid="AC1")

    def client(sid: str, secret: str, address: str = "203.0.113.5") -> str:
        pair = base64.b64encode(f"{sid}:{secret}".encode())
        headers = [(b"authorization", b"Basic " + pair)]
        return client_keys.key_of_client({"client": (address, 1), "headers": headers})

    assert client("AC1", "right") == "AC1"
    assert client("AC1", "wrong") == "203.0.113.5"
    assert client("AC1", "right", "203.0.113.6") == "203.0.113.6"


def test_a_session_is_counted_by_its_user_once_it_was_used(
    rf: RequestFactory, settings: Any
) -> None:
    request = rf.get("/agent/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "key of a session"
    cookie = f"{settings.SESSION_COOKIE_NAME}=key of a session".encode()
    scope = {"client": ("203.0.113.5", 1), "headers": [(b"cookie", cookie)]}
    client_keys.cache_session(request)
    assert client_keys.key_of_client(scope) == "203.0.113.5"
    request._cached_user = User(pk=7)  # type: ignore[attr-defined]
    client_keys.cache_session(request)
    assert client_keys.key_of_client(scope) == "user 7"
