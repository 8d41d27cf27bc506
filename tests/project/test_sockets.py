"""Admission of websockets by origin and address, before any consumer."""

from __future__ import annotations

from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from config import asgi, client_keys, sockets
from config.sockets import Receive, Scope, Send


async def anybody(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept every websocket that is let through."""
    await receive()
    await send({"type": "websocket.accept"})


async def anybody_who_stays(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a socket until it closes."""
    await anybody(scope, receive, send)
    await receive()


async def is_let_in(application: Any, path: str = "/", **headers: str) -> bool:
    """Return whether a websocket with these headers is accepted; a refusal must be a clean one."""
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    communicator = WebsocketCommunicator(application, path, given)
    accepted, code = await communicator.connect()
    await communicator.disconnect()
    assert accepted or code == 4403
    return bool(accepted)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost", "https://trusted.example"),
    ],
)
async def test_sockets_of_our_own_pages_are_accepted(host: str, origin: str, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    door = sockets.require_own_origin(anybody)
    assert await is_let_in(door, host=host, origin=origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://evil.example"),
        ("localhost:8000", "http://localhost:9000"),
        ("localhost:8000", "http://localhost.evil.example:8000"),
        ("localhost:8000", "null"),
        ("localhost:8000", "http://[half"),
        ("localhost:8000", "file://localhost:8000"),
        ("evil.example", "http://evil.example"),
        ("", "http://localhost"),
    ],
)
async def test_sockets_of_other_sites_are_refused(host: str, origin: str) -> None:
    door = sockets.require_own_origin(anybody)
    assert not await is_let_in(door, host=host, origin=origin)


@pytest.mark.parametrize("is_https", [True, False])
async def test_a_page_of_another_scheme_is_refused(is_https: bool, settings: Any) -> None:
    settings.HTTPS = is_https
    door = sockets.require_own_origin(anybody)
    for origin in ("https://localhost", "https://localhost:443"):
        assert await is_let_in(door, host="localhost", origin=origin) == is_https
    for origin in ("http://localhost", "http://localhost:80"):
        assert await is_let_in(door, host="localhost", origin=origin) != is_https


async def test_a_trusted_proxy_names_the_scheme_of_our_pages(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    door = sockets.require_own_origin(anybody)
    told = {"host": "localhost", "x-forwarded-proto": "https"}
    assert await is_let_in(door, origin="https://localhost", **told)
    assert not await is_let_in(door, origin="http://localhost", **told)


async def test_a_script_may_connect_without_an_origin() -> None:
    assert await is_let_in(sockets.require_own_origin(anybody), host="localhost")


@pytest.mark.django_db(transaction=True)
async def test_an_unknown_address_is_refused_without_an_error() -> None:
    assert not await is_let_in(asgi.application, "/no/such/socket", host="localhost")


async def test_the_open_desks_of_a_user_are_limited_across_sessions(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DESK_SOCKETS_PER_USER = 2
    for key, user in (("one", 1), ("two", 1), ("other", 2)):
        client_keys.sessions.add(key, user)
    door = sockets.with_session_key(sockets.limit_per_user(anybody_who_stays))

    async def opened(key: str) -> WebsocketCommunicator:
        cookie = f"{settings.SESSION_COOKIE_NAME}={key}".encode()
        communicator = WebsocketCommunicator(door, "/", [(b"cookie", cookie)])
        assert (await communicator.connect())[0]
        return communicator

    first, second, third, other = [await opened(key) for key in ("one", "two", "one", "other")]
    closed = await third.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4429)
    assert await other.receive_nothing()
    await first.disconnect()
    again = await opened("two")
    assert await again.receive_nothing()
    for each in (second, again, other):
        await each.disconnect()
