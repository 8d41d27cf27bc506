"""A receiver of callbacks that validates every signature with the official library.

What it does with a request is a function that a test gives it; by default it takes everything.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from routing.webhooks import http_client, signatures

Respond = Callable[["Request"], None]


@dataclass
class Request:
    """A request that came in, with methods to answer it."""

    handler: BaseHTTPRequestHandler
    url: str
    form: dict[str, str]
    signature: str

    @property
    def token(self) -> str:
        """Return the idempotency token."""
        return str(self.handler.headers[http_client.IDEMPOTENCY])

    def answer(
        self,
        status: int = 204,
        body: bytes = b"",
        content_type: str = "application/json",
        **more: str,
    ) -> None:
        """Answer, and be done."""
        self.handler.send_response(status)
        if body:
            self.handler.send_header("Content-Type", content_type)
        self.handler.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def raw(self, data: bytes) -> None:
        """Write anything."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()


class Receiver:
    """A server on the loopback that remembers what it was sent."""

    def __init__(self, auth_token: str, port: int = 0) -> None:
        self.auth_token = auth_token
        self.scheme = "http"
        self.respond: Respond = Request.answer
        self.requests: list[Request] = []
        self.forged: list[Request] = []
        self.gone = threading.Event()
        """Set to release every request that the receiver holds."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._lock = threading.Lock()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        request = Request(
            handler,
            f"{self.scheme}://{handler.headers['Host']}{handler.path}",
            dict(parse_qsl(body)),
            handler.headers[signatures.HEADER] or "",
        )
        valid = RequestValidator(self.auth_token).validate(
            request.url, request.form, request.signature
        )
        with self._lock:
            self.requests.append(request)
            if not valid:
                self.forged.append(request)
        with contextlib.suppress(OSError):
            self.respond(request)

    @property
    def types(self) -> list[str]:
        """Return the event types that came in, in order."""
        return [request.form["EventType"] for request in self.requests]

    @contextlib.contextmanager
    def running(self) -> Iterator[Receiver]:
        """Serve while the block runs; whatever came in unsigned fails the test."""
        thread = threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.gone.set()
            self.server.shutdown()
            self.server.server_close()
            thread.join()
        assert self.forged == []


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Return a URL that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
