"""Serve HTTP from an asynchronous server at the speed of a synchronous one.

Our views, middleware and database access are all synchronous. Django's own handler would cross
between the event loop and a thread several times a request, and start that thread anew; this one
crosses once, into a thread that is there already.
"""

from __future__ import annotations

import time
from typing import IO, Any, Final

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from config import clients, views
from config.environment import env
from config.hashers import HASHES_AT_ONCE
from config.lanes import READERS_ONLY, Full, Lane
from config.proxies import network_of
from routing.api.errors import ApiError

WAITING: Final = 2_000
"""Requests that wait for a thread at most, and of these those of one client."""
WAITING_BY_CLIENT: Final = 256
LOGINS_WAITING: Final = 100
"""Logins that wait at most, each for some hundredths of a second, and those of one address."""
LOGINS_WAITING_BY_CLIENT: Final = 30
LOGIN_PATH: Final = "/accounts/login/"
PROBE_PATH: Final = "/healthz"
RECEIVED: Final = "cordboard.received"
"""Under which a scope keeps when its request had arrived, by the monotonic clock."""


class ThreadedHandler(ASGIHandler):
    """Django behind ASGI, with each request in one of a fixed number of threads.

    Logins, which cost a password's hash, and probes have threads of their own: however many there
    are, they keep no other request waiting.
    """

    def __init__(self, *, threads: int) -> None:
        """Load the middleware for synchronous use."""
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.requests = Lane(
            "http",
            threads=threads,
            waiting=WAITING,
            waiting_by_client=WAITING_BY_CLIENT,
            readers_only=READERS_ONLY if connection.vendor == "sqlite" else 0,
        )
        self.logins = Lane(
            "login",
            threads=HASHES_AT_ONCE,
            waiting=LOGINS_WAITING,
            waiting_by_client=LOGINS_WAITING_BY_CLIENT,
        )
        self.probes = Lane("probe", threads=1, waiting=100, waiting_by_client=100)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take a request in, have it answered, and send the answer out."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        scope[RECEIVED] = time.monotonic()
        writes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if scope["path"] == PROBE_PATH:
            lane, client = self.probes, "probes"
        elif scope["path"] == LOGIN_PATH and writes:
            lane, client = self.logins, network_of((scope.get("client") or (None,))[0])
        else:
            lane, client = self.requests, clients.of(scope)
        try:
            response = await lane.run(self._answer, scope, body, client=client, writes=writes)
        except Full as full:
            body.close()
            response = views.busy(scope["path"], by_client=full.by_client)
        await self.send_response(response, send)

    def close(self) -> None:
        """Wait for what the threads do, and end them."""
        for lane in (self.requests, self.logins, self.probes):
            lane.threads.shutdown()

    def create_request(self, scope: Any, body_file: IO[bytes]) -> tuple[Any, Any]:
        """Return the request, or an answer to what cannot be read as one."""
        request, refused = super().create_request(scope, body_file)
        if refused is not None and refused.status_code == 400:
            # Its query is not text. Without it, the request says whose words to refuse it in.
            request, _ = super().create_request({**scope, "query_string": b""}, body_file)
            if request is not None:
                return None, views.bad_request(request, ApiError("The query string is not UTF-8"))
        return None if refused is not None else request, refused

    def _answer(self, scope: Any, body: IO[bytes]) -> HttpResponseBase:
        """Do everything that a request needs in one thread, down to closing its connection."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        with body:
            request, refused = self.create_request(scope, body)
            response: Any = refused if request is None else self.get_response(request)
            if request is not None:
                clients.remember(request)
            try:
                return _whole(response)
            finally:
                response.close()


def _whole(response: Any) -> HttpResponseBase:
    """Return a response whose content is in memory; ours are pages and small files."""
    if not response.streaming:
        return response  # type: ignore[no-any-return]
    whole = HttpResponse(b"".join(response), status=response.status_code)
    whole.headers = response.headers
    whole.cookies = response.cookies
    return whole


def application() -> ThreadedHandler:
    """Return the handler that the environment asks for."""
    return ThreadedHandler(threads=env.int("WEB_THREADS", 8))
