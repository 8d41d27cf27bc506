"""Serve HTTP from an asynchronous server at the speed of a synchronous one.

Our views, middleware and database access are all synchronous. Django's own handler would switch
between the event loop and a thread several times per request, and start a new thread each time.
This one switches once, into an existing thread.
"""

from __future__ import annotations

import os
import time
from io import BytesIO
from typing import IO, Any, Final

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import convert_exception_to_response
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from django.utils.module_loading import import_string

from config import client_keys, proxies, request_log, views
from config.doors import find_door
from config.environment import env
from config.fair_threads import READERS_ONLY, FairThreads, TooManyWaiting
from config.hashers import HASHES_AT_ONCE
from config.probes import Probes
from routing import instruments, request_ids
from routing.operations.errors import ApiError

WAITING: Final = 2_000
"""Maximum number of requests that wait for a thread, and of these per client."""
WAITING_BY_CLIENT: Final = 256
LOGINS_WAITING: Final = 100
"""Maximum number of waiting logins, each of some hundredths of a second, and per address."""
LOGINS_WAITING_BY_CLIENT: Final = 30
API: Final = "/v1/"
LOGIN_PATH: Final = "/accounts/login/"
ACCOUNT: Final = "cordboard.account"
"""The key under which a scope keeps the request's account, once it is known."""


class ThreadedHandler(ASGIHandler):
    """Django behind ASGI, with each request in one of a fixed number of threads.

    Logins, which compute a password hash, have their own threads, so that they never delay other
    requests. Probes need no thread.
    """

    def __init__(self, *, threads: int) -> None:
        """Load the middleware for synchronous use."""
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._middleware_chain: Any = self._split_chain()
        self.requests = FairThreads(
            "http",
            threads=threads,
            waiting=WAITING,
            waiting_by_client=WAITING_BY_CLIENT,
            readers_only=READERS_ONLY if connection.vendor == "sqlite" else 0,
        )
        self.logins = FairThreads(
            "login",
            threads=HASHES_AT_ONCE,
            waiting=LOGINS_WAITING,
            waiting_by_client=LOGINS_WAITING_BY_CLIENT,
        )
        self.probes = Probes()

    def _split_chain(self) -> Any:
        """Return a chain that spares the API what only pages need: sessions, languages."""
        handler: Any = self
        pages = handler._middleware_chain
        api = convert_exception_to_response(handler._get_response)
        for path in reversed(settings.MIDDLEWARE):
            if path not in settings.PAGE_MIDDLEWARE:
                api = convert_exception_to_response(import_string(path)(api))
        return lambda request: (api if request.path_info.startswith(API) else pages)(request)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Receive a request, handle it, and send the answer."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        begun = time.monotonic()
        request_id = _request_id(scope)
        response = await self._respond(scope, body, request_id)
        response.headers["X-Request-Id"] = request_id
        response.headers["Twilio-Request-Id"] = request_ids.as_twilio(request_id)
        await self.send_response(response, send)
        seconds = time.monotonic() - begun
        instruments.observe_request(
            find_door(scope["path"]), scope["method"], response.status_code, seconds
        )
        request_log.log_request(
            scope,
            status=response.status_code,
            size=len(response.content),
            seconds=seconds,
            request_id=request_id,
            account=scope.get(ACCOUNT),
        )

    async def read_body(self, async_receive: Any) -> BytesIO:
        """Return the request's body, whose size `config.patches.daphne_requests` limits."""
        body = BytesIO()
        is_complete = False
        while not is_complete:
            message = await async_receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body.write(message.get("body", b""))
            is_complete = not message.get("more_body", False)
        body.seek(0)
        return body

    async def _respond(self, scope: Any, body: IO[bytes], request_id: str) -> Any:
        """Handle a request when a thread is free."""
        if self.probes.serves(scope["path"]):
            body.close()
            return await self.probes.answer(scope["path"], scope["method"])
        writes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if scope["path"] == LOGIN_PATH and writes:
            lane, client = self.logins, proxies.network_key((scope.get("client") or (None,))[0])
        else:
            lane, client = self.requests, client_keys.key_of_client(scope)
        try:
            return await lane.run(
                self._answer, scope, body, request_id, client=client, writes=writes
            )
        except TooManyWaiting as full:
            body.close()
            return views.refuse_busy(scope["path"], by_client=full.by_client)

    def close(self) -> None:
        """Wait for the running requests, and end the threads."""
        for lane in (self.requests, self.logins):
            lane.threads.shutdown()
        self.probes.close()

    def create_request(self, scope: Any, body_file: IO[bytes]) -> tuple[Any, Any]:
        """Return the request, or an answer if it cannot be parsed."""
        request, refused = super().create_request(scope, body_file)
        if refused is not None and refused.status_code == 400:
            # Its query is not text. Without it the request can be parsed, which determines the form
            # of the refusal.
            request, _ = super().create_request({**scope, "query_string": b""}, body_file)
            if request is not None:
                return None, views.bad_request(request, ApiError("The query string is not UTF-8"))
        if request is None or refused is not None:
            return None, refused
        # A chunked body announces no length, and Django REST framework would not read it. The body
        # is complete here, so its length is known.
        if "CONTENT_LENGTH" not in request.META:
            body_file.seek(0, os.SEEK_END)
            request.META["CONTENT_LENGTH"] = str(body_file.tell())
            body_file.seek(0)
        return request, None

    def _answer(self, scope: Any, body: IO[bytes], request_id: str) -> HttpResponseBase:
        """Handle a request completely in one thread, including closing its connection."""
        with request_ids.bind_request_id(request_id):
            return self._answer_bound(scope, body)

    def _answer_bound(self, scope: Any, body: IO[bytes]) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        with body:
            request, refused = self.create_request(scope, body)
            response: Any = refused if request is None else self.get_response(request)
            if request is not None:
                client_keys.cache_session(request)
                scope[ACCOUNT] = client_keys.name_of_client(request)
            try:
                return _whole(response)
            finally:
                response.close()


def _request_id(scope: Any) -> str:
    """Return the request id of a trusted proxy, or a new one."""
    if settings.TRUSTED_PROXIES:
        for name, value in scope["headers"]:
            # Other clients' headers were dropped by `config.proxies`.
            if name == proxies.REQUEST_ID and request_ids.is_acceptable(value.decode("latin-1")):
                return str(value.decode("latin-1"))
    return request_ids.new_request_id()


def _whole(response: Any) -> HttpResponseBase:
    """Return a response with its content in memory; ours are pages and small files."""
    if not response.streaming:
        return response  # type: ignore[no-any-return]
    whole = HttpResponse(b"".join(response), status=response.status_code)
    whole.headers = response.headers
    whole.cookies = response.cookies
    return whole


def application() -> ThreadedHandler:
    """Return the handler configured by the environment."""
    return ThreadedHandler(threads=env.int("WEB_THREADS", 8))
