"""Admission of websockets: only from our own pages, and only at existing paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

from config import client_keys

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TOO_MANY = 4429
DEFAULT_PORTS = {"http": 80, "https": 443}


def require_own_origin(application: Application) -> Application:
    """Refuse browsers on another site's page, as sessions depend on cookies."""

    @markcoroutinefunction
    def checked(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Locals here would live as long as the open socket.
        ours = _is_ours(
            host=_named(scope, b"host"), origin=_named(scope, b"origin"), scheme=_scheme(scope)
        )
        return (application if ours else refuse_socket)(scope, receive, send)

    return checked


def with_session_key(application: Application) -> Application:
    """Set `scope["session_key"]` from the cookie, or to None.

    The session is not loaded; the consumer does that. The headers are dropped, as the socket may be
    open all day.
    """

    @markcoroutinefunction
    def found(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        cookies = parse_cookie(_named(scope, b"cookie"))
        scope["session_key"] = cookies.get(settings.SESSION_COOKIE_NAME)
        scope["headers"] = []
        return application(scope, receive, send)

    return found


def limit_per_user(application: Application) -> Application:
    """Refuse sockets of a user who has `DESK_SOCKETS_PER_USER` open."""
    opened: Counter[str] = Counter()

    @markcoroutinefunction
    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        user = client_keys.key_of_session(scope["session_key"])
        if user is None:
            # There is no session; the consumer closes the socket.
            await application(scope, receive, send)
            return
        if opened[user] >= settings.DESK_SOCKETS_PER_USER:
            await receive()
            # A browser can read the code only of an accepted connection.
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": TOO_MANY, "reason": "Too many desks"})
            return
        opened[user] += 1
        try:
            await application(scope, receive, send)
        finally:
            opened[user] -= 1
            if not opened[user]:
                del opened[user]

    return counted


async def refuse_socket(_scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a websocket before it is accepted; the client sees HTTP 403."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})


def _named(scope: Scope, header: bytes) -> str:
    """Return the value of a header, the last of that name, or an empty text."""
    said = [value for name, value in scope["headers"] if name.lower() == header]
    return said[-1].decode("latin-1") if said else ""


def _scheme(scope: Scope) -> str:
    """Return the scheme of this server's pages, from the proxy or the settings."""
    said = _named(scope, b"x-forwarded-proto") if settings.TRUSTED_PROXIES else ""
    return "https" if settings.HTTPS or said == "https" else "http"


def _is_ours(*, host: str, origin: str, scheme: str) -> bool:
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS or ["localhost"]):
        return False
    # Only browsers send requests for other sites' pages, and they always send the origin.
    if not origin or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        page, server = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[scheme]
        return (
            page.scheme == scheme
            and page.hostname == server.hostname
            and (page.port or default) == (server.port or default)
        )
    except ValueError:
        return False
