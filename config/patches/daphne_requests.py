"""Limit the cost of an HTTP connection before our code handles a request.

Daphne and Twisted accept bodies of any size at any speed. Here, a request is refused by its
announced length, or cut off at the limit if it announces none, and must arrive in time. Bodies are
passed on unparsed: Twisted would parse each form, and answer an invalid one with an empty 400.
"""

from __future__ import annotations

import json
import logging
import resource
import time
from collections import Counter
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from daphne import http_protocol
from django.conf import settings
from twisted.web import http

from config import body_budget, draining, proxies, request_log
from routing import request_ids

logger = logging.getLogger(__name__)

HEAD_SECONDS: Final = 20
"""Seconds after its first byte, or after the connection's start, for a head to be complete."""
BODY_WINDOW_SECONDS: Final = 15
BODY_WINDOW_BYTES: Final = 30 * 1024
"""Bytes of an unfinished body that must arrive within each window: 2 kB a second."""
LINGER_SECONDS: Final = 2
LINGER_BYTES: Final = 1024 * 1024
"""Seconds and bytes for which a refused body is still read, so that the client sees the refusal."""
OPEN_FILES: Final = 65_536
"""The limit of open files that is requested from the system."""


class BoundedChannel(http.HTTPChannel):  # type: ignore[misc]
    """An HTTP connection with limits on the time and size of its requests."""

    is_refused = False
    _timer: Any = None
    _is_in_body = False
    _is_counted = False
    _dropped = 0
    _used_at = 0.0

    def connectionMade(self) -> None:
        """Start the timer for the first head."""
        super().connectionMade()
        self._is_counted = True
        self._used_at = time.monotonic()
        open_channels.add(self)
        self._start(HEAD_SECONDS, self._head_is_late)

    def dataReceived(self, data: bytes) -> None:
        """Process received bytes; a new request's first byte starts the timer for its head."""
        self._used_at = time.monotonic()
        if self.is_refused:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.transport.abortConnection()
            return
        if self._timer is None and not self._handlingRequest:
            self._start(HEAD_SECONDS, self._head_is_late)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Process a line of a head."""
        if not self.is_refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """Process bytes of a body."""
        if not self.is_refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        """Refuse a body that is announced as too large; otherwise start the timer for the body."""
        if self.length is not None and self.length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.refuse_size()
            return
        super().allHeadersReceived()
        self._stop()
        if self.length != 0 and not self.is_refused:
            self._is_in_body = True
            self._start_window()

    def allContentReceived(self) -> None:
        """Process a complete request."""
        if self.is_refused:
            return
        self._is_in_body = False
        self._stop()
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Wait for the next request, or close the connection."""
        self._used_at = time.monotonic()
        super().requestDone(request)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Write a head as one piece, as each piece is checked and stored of its own."""
        lines = [b"%b %b %b" % (version, code, reason)]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")

    def close_if_idle(self, seconds: float) -> None:
        """Close the connection if it was idle for so many seconds."""
        if not self.requests and time.monotonic() - self._used_at >= seconds:
            self.loseConnection()

    def refuse_size(self) -> None:
        """Answer that a body is too large."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self.refuse(413, f"The request's body is too large; at most {limit} bytes are allowed")

    def refuse(self, status: int, message: str) -> None:
        """Answer before a request is complete, and read no more from this connection."""
        if self.is_refused:
            return
        self.is_refused = True
        self._stop()
        self.setTimeout(None)
        path, request_id = getattr(self, "_path", b""), request_ids.new_request_id()
        self.transport.write(_answer(status, message, path=path, request_id=request_id))
        method = getattr(self, "_command", b"")
        request_log.log_refusal(method, path, status=status, request_id=request_id)
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        self._timer = self.callLater(LINGER_SECONDS, self._end)
        for request in self.requests:
            request.release()

    def become_websocket(self) -> None:
        """Release a connection that has become a websocket."""
        self._stop()
        self.setTimeout(None)
        self._uncount()

    def connectionLost(self, reason: Any) -> None:
        """Stop all timers, and uncount the connection."""
        self._stop()
        self._uncount()
        super().connectionLost(reason)

    def _uncount(self) -> None:
        if self._is_counted:
            self._is_counted = False
            open_channels.discard(self)
            connections.remove(self.transport.getPeer())

    def _head_is_late(self) -> None:
        self._timer = None
        if self.requests and not self._handlingRequest:
            self.refuse(408, f"The request's head must arrive within {HEAD_SECONDS} seconds")
        else:
            self.loseConnection()

    def _start_window(self) -> None:
        before = self.requests[-1].share.received
        self._start(BODY_WINDOW_SECONDS, lambda: self._end_window(before))

    def _end_window(self, before: int) -> None:
        self._timer = None
        if self.requests[-1].share.received - before >= BODY_WINDOW_BYTES:
            self._start_window()
            return
        self.refuse(
            408,
            f"The request's body must arrive at {BODY_WINDOW_BYTES} bytes in"
            f" {BODY_WINDOW_SECONDS} seconds or more",
        )

    def _start(self, seconds: float, function: Any) -> None:
        self._stop()
        self._timer = self.callLater(seconds, function)

    def _stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _end(self) -> None:
        self._timer = None
        self.transport.abortConnection()


class PlainRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """A request with a bounded body, which only the application parses."""

    def gotLength(self, length: int | None) -> None:
        """Prepare for a body in memory, as Twisted would write larger ones to the disk."""
        self.content = BytesIO()
        self.share = body_budget.BodyShare(budget, _client_of(self))

    def handleContentChunk(self, data: bytes) -> None:
        """Add a part of the body, if the limits allow it."""
        channel = self.channel
        if channel is None or channel.is_refused:
            return
        has_room = self.share.add(len(data))
        if self.share.received > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            channel.refuse_size()
        elif not has_room:
            channel.refuse(503, "Too many large requests are arriving; try again")
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Process the request once it is complete."""
        self._parsePOSTFormSubmission = False
        super().requestReceived(command, path, version)

    def process(self) -> Any:
        """Pass the request to the application, or make its connection a websocket."""
        channel = self.channel
        if draining.state.is_closed and self.requestHeaders.hasHeader(b"upgrade"):
            # A proxy tries another server at once, and a desk reconnects soon.
            channel.refuse(503, "This server is about to restart; connect again")
            return None
        processed = super().process()
        if self.transport is None:
            channel.become_websocket()
        return processed

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Write a part of the answer; while the server drains, it is the connection's last one."""
        if draining.state.is_asked and not self._response_started and self.channel is not None:
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])
            self.channel.persistent = False
        super().handle_reply(message)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer an error without the application."""
        request_id = request_ids.new_request_id()
        for name in (b"x-request-id", b"twilio-request-id"):
            self.responseHeaders.setRawHeaders(name, [request_id.encode()])
        method, path = self.method or b"", self.path or b""
        request_log.log_refusal(method, path, status=status, request_id=request_id)
        super().basic_error(status, status_text, body)

    def finish(self) -> None:
        """Release the body once the answer is written."""
        self.release()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """Release the body when the client has disconnected."""
        self.release()
        super().connectionLost(reason)

    def release(self) -> None:
        """Release the memory of the body."""
        share = getattr(self, "share", None)
        if share is not None:
            share.release()


class Connections:
    """The number of open connections by client, without websockets."""

    def __init__(self) -> None:
        """Create an empty counter."""
        self._open: Counter[str] = Counter()
        self._refused: set[str] = set()

    def add(self, peer: Any) -> bool:
        """Count one more connection of a client; return whether it is within the limit."""
        address = getattr(peer, "host", None)
        client = proxies.network_key(address)
        if self._open[client] >= settings.CONNECTIONS_PER_ADDRESS and _is_limited(address):
            if client not in self._refused:
                self._refused.add(client)
                count = self._open[client]
                logger.warning("connections.refused client=%s open=%d", client, count)
            return False
        self._open[client] += 1
        return True

    def remove(self, peer: Any) -> None:
        """Count one connection less of a client."""
        client = proxies.network_key(getattr(peer, "host", None))
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]
            self._refused.discard(client)


def _is_limited(address: str | None) -> bool:
    """Return whether the limit applies to an address: not to proxies and unix sockets."""
    return address is not None and not proxies.is_proxy(address, settings.TRUSTED_PROXIES)


open_channels: Final[set[BoundedChannel]] = set()
"""The open connections, without websockets."""
budget: Final = body_budget.BodyBudget()
connections: Final = Connections()


def _client_of(request: Any) -> str:
    """Return the client of a request, for limits."""
    peer = getattr(request.channel.getPeer(), "host", None)
    given = request.requestHeaders.getRawHeaders(proxies.FORWARDED_FOR, [])
    forwarded = [value.decode("latin-1") for value in given]
    return proxies.network_key(proxies.client_address(peer, forwarded, settings.TRUSTED_PROXIES))


def _answer(status: int, message: str, *, path: bytes, request_id: str) -> bytes:
    """Return a complete response, in the form that clients of this path read."""
    if path.startswith(b"/v1/"):
        code = 20000 + status
        more = f"/docs/errors/{code}"
        found = {"code": code, "message": message, "more_info": more, "status": status}
        kind, body = "application/json", json.dumps(found).encode()
    else:
        kind, body = "text/plain; charset=utf-8", f"{message}\n".encode()
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        f"X-Request-Id: {request_id}",
        f"Twilio-Request-Id: {request_id}",
        *(["Retry-After: 1"] if status == 503 else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def raise_open_files() -> None:
    """Raise this process's limit of open files for websockets, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def build_protocol(factory: Any, addr: Any) -> Any:
    """Return the protocol for a new connection; None closes it."""
    return _build_protocol(factory, addr) if connections.add(addr) else None


def bounded_protocol(_factory: Any) -> Any:
    """Return the protocol object of a new connection, for the factory."""
    return http._GenericHTTPChannelProtocol(BoundedChannel())


def log_nothing(_factory: Any, _request: Any) -> None:
    """Write no line of Twisted's access log, which is lost; `config.request_log` writes ours."""


_build_protocol: Final = http_protocol.HTTPFactory.buildProtocol


def install() -> None:
    """Make Daphne use these classes for all connections."""
    http_protocol.WebRequest = PlainRequest
    http_protocol.HTTPFactory.protocol = bounded_protocol
    http_protocol.HTTPFactory.buildProtocol = build_protocol
    http_protocol.HTTPFactory.log = log_nothing
    raise_open_files()
