"""POST a form to an untrusted receiver, bounded in time, size and destination.

The connection uses only an address that was checked: names are resolved once, no proxy is used, no
redirect followed. TLS verifies the host name. The answer is read up to a limit, and all of it must
arrive within the caller's time limit.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from routing.webhooks import addresses, signatures
from routing.webhooks.destinations import Destination, Unacceptable, parse_url

LONGEST_BODY: Final = 64 * 1024
"""Maximum bytes of an answer that are read."""
_LONGEST_HEAD: Final = 64 * 1024
_CONNECT: Final = 5.0
"""Seconds that connecting may take, unless the URL overrides it."""
_USER_AGENT: Final = "Cordboard/0.1"
IDEMPOTENCY: Final = "I-Twilio-Idempotency-Token"
"""The header by which a receiver recognises a repetition."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver's answer, or the reason why there is none.

    Arguments:
        status: None if there was no answer.
        body: at most `LONGEST_BODY` bytes.
        whole: whether the body is complete.
        problem: the problem in words; empty if there was an answer.
        kind: of the problem: `ct` without a connection, `rt` without a timely and valid answer,
            `no` if the URL may not be called.
    """

    status: int | None = None
    content_type: str = ""
    body: bytes = b""
    whole: bool = True
    problem: str = ""
    kind: str = ""

    @property
    def succeeded(self) -> bool:
        """Return whether the receiver accepted the form."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def words(self) -> str:
        """Return the answer on one line of printable text."""
        if self.problem:
            return _on_one_line(self.problem)
        if self.status is not None and 300 <= self.status < 400:
            return f"{self.status}: redirects are not followed"
        return _on_one_line(f"{self.status} {self.body[:400].decode(errors='replace')}")


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class _TooMuch(Exception):
    """The answer exceeds the limit."""


def post_form(
    url: str, parameters: Mapping[str, str], *, auth_token: str, token: str, seconds: float
) -> Answer:
    """POST a signed form and return the answer; never raises for anything a receiver does.

    Arguments:
        token: the idempotency token, by which the receiver recognises a repetition.
        seconds: the time limit for everything, including retries.
    """
    try:
        destination = parse_url(url)
    except Unacceptable as error:
        return Answer(problem=f"the URL {error}", kind="no")
    overrides = destination.overrides
    deadline = time.monotonic() + min(seconds, overrides.total or seconds)
    headers = _headers(destination, parameters, auth_token, token)
    answer = _attempt(destination, headers, parameters, deadline)
    for _ in range(overrides.retries):
        if time.monotonic() >= deadline or not overrides.retried & _failures(answer):
            break
        answer = _attempt(destination, headers, parameters, deadline)
    return answer


def _failures(answer: Answer) -> set[str]:
    if answer.status is None:
        return {answer.kind}
    return {f"{answer.status // 100}xx"}


def _headers(
    destination: Destination, parameters: Mapping[str, str], auth_token: str, token: str
) -> dict[str, str]:
    headers = {
        "Host": destination.authority,
        "User-Agent": _USER_AGENT,
        "Accept": "application/json, */*",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Connection": "close",
        signatures.HEADER: signatures.sign_form(destination.url, parameters, auth_token),
        IDEMPOTENCY: token,
    }
    if destination.authorization is not None:
        headers["Authorization"] = destination.authorization
    return headers


def _attempt(
    destination: Destination,
    headers: Mapping[str, str],
    parameters: Mapping[str, str],
    deadline: float,
) -> Answer:
    try:
        connection = open_connection(destination, deadline)
    except addresses.NotAllowed as error:
        return Answer(problem=str(error), kind="no")
    except (addresses.NotFound, OSError) as error:
        return Answer(problem=f"no connection: {str(error) or type(error).__name__}", kind="ct")
    read = destination.overrides.read
    if read is not None:
        deadline = min(deadline, time.monotonic() + read)
    with connection:
        try:
            connection.settimeout(_seconds_left(deadline))
            connection.sendall(_request(destination, headers, parameters))
            return _read_answer(connection, deadline)
        except TimeoutError:
            return Answer(problem="no complete answer in time", kind="rt")
        except _TooMuch:
            return Answer(problem="the answer's headers are too large", kind="rt")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(problem=f"no answer: {type(error).__name__} {error}"[:300], kind="rt")


def open_connection(destination: Destination, deadline: float) -> socket.socket:
    """Return a connection to the first address that accepts one; raises the last error."""
    until = min(deadline, time.monotonic() + (destination.overrides.connect or _CONNECT))
    endpoints = addresses.resolve_allowed(
        destination.host, destination.port, seconds=_seconds_left(until)
    )
    problem: OSError = TimeoutError("no answer in time")
    for endpoint in endpoints:
        made = socket.socket(endpoint.family, socket.SOCK_STREAM)
        try:
            made.settimeout(_seconds_left(until))
            made.connect(endpoint.address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if destination.tls:
                made = tls_context().wrap_socket(made, server_hostname=destination.host)
            return made
        except OSError as error:
            made.close()
            problem = error
    raise problem


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context, which always verifies hosts by the system's authorities."""
    return ssl.create_default_context()


def _request(
    destination: Destination, headers: Mapping[str, str], parameters: Mapping[str, str]
) -> bytes:
    body = urlencode(parameters).encode()
    lines = [f"POST {destination.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Incoming(io.RawIOBase):
    """A raw stream from a socket, until a deadline and up to a limit."""

    def __init__(self, connection: socket.socket, deadline: float, limit: int) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self._left = limit

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for the next bytes, at most for the time left."""
        if self._left <= 0:
            raise _TooMuch
        self._connection.settimeout(_seconds_left(self._deadline))
        count = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count


class _Readable:
    """The part of a socket's interface that `http.client` needs."""

    def __init__(self, incoming: _Incoming) -> None:
        self._incoming = incoming

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return the stream, buffered."""
        return io.BufferedReader(self._incoming)


def _read_answer(connection: socket.socket, deadline: float) -> Answer:
    incoming = _Incoming(connection, deadline, _LONGEST_HEAD + 2 * LONGEST_BODY)
    response = http.client.HTTPResponse(_Readable(incoming), method="POST")  # type: ignore[arg-type]
    with response:
        response.begin()
        body = b""
        try:
            body = response.read(LONGEST_BODY + 1)
        except _TooMuch:  # of a body in very many small chunks
            body = b" " * (LONGEST_BODY + 1)
        return Answer(
            status=response.status,
            content_type=response.headers.get("Content-Type", ""),
            body=body[:LONGEST_BODY],
            whole=len(body) <= LONGEST_BODY,
        )
