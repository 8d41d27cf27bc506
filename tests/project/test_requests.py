"""Limits of a connection before a request is answered: bytes, time and number."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.http_protocol import HTTPFactory
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from config import body_budget
from config.patches import daphne_requests
from config.patches.daphne_requests import (
    BODY_WINDOW_BYTES,
    BODY_WINDOW_SECONDS,
    HEAD_SECONDS,
    LINGER_BYTES,
    LINGER_SECONDS,
    BoundedChannel,
    PlainRequest,
)

PEER = "203.0.113.5"
SIZE = 100_000


class Transport(StringTransport):  # type: ignore[misc]
    """A client's connection, in memory."""

    is_half_closed = is_aborted = False

    def loseWriteConnection(self) -> None:
        """Record the end of input."""
        self.is_half_closed = True

    def abortConnection(self) -> None:
        """Record that the connection was cut."""
        self.is_aborted = True


class Client:
    """One connection with a server whose application never answers."""

    def __init__(self, clock: Clock, reached_bodies: list[bytes], peer: str = PEER) -> None:
        address = IPv4Address("TCP", peer, 4000)
        self.transport = Transport(peerAddress=address)
        assert daphne_requests.connections.add(address)
        self.channel = BoundedChannel()
        self.channel.callLater = clock.callLater
        self.channel.timeOut = 60

        class Request(PlainRequest):
            def process(self) -> None:
                reached_bodies.append(self.content.read())

        self.channel.requestFactory = Request
        server = SimpleNamespace(
            protocol_connected=lambda _: None, protocol_disconnected=lambda _: None
        )
        self.channel.factory = SimpleNamespace(server=server, log=lambda _: None)
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.channel.dataReceived(data)

    def post(self, *headers: str, path: str = "/v1/Workspaces") -> None:
        """Send the head of a POST."""
        self.send("\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode())

    @property
    def status(self) -> int | None:
        """Return the status of the answer that came; None if none did."""
        said = self.transport.value()
        return int(said.split()[1]) if said else None

    @property
    def error(self) -> Any:
        """Return the error body that came."""
        return json.loads(self.transport.value().partition(b"\r\n\r\n")[2])


@pytest.fixture(autouse=True)
def _fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = SIZE
    monkeypatch.setattr(daphne_requests, "connections", daphne_requests.Connections())
    monkeypatch.setattr(daphne_requests, "budget", body_budget.BodyBudget())


@pytest.fixture
def clock() -> Clock:
    """Return the time."""
    return Clock()


@pytest.fixture
def reached_bodies() -> list[bytes]:
    """Return the bodies of the requests that reached the application."""
    return []


@pytest.fixture
def client(clock: Clock, reached_bodies: list[bytes]) -> Client:
    """Return a connection."""
    return Client(clock, reached_bodies)


# --- Size ---------------------------------------------------------------------------------


def test_a_body_at_the_limit_reaches_the_application_complete(
    client: Client, reached_bodies: list[bytes]
) -> None:
    client.post(f"Content-Length: {SIZE}")
    client.send(b"x" * SIZE)
    assert reached_bodies == [b"x" * SIZE]
    assert client.status is None


def test_a_body_announced_as_too_large_is_refused_before_it_is_read(
    client: Client, reached_bodies: list[bytes]
) -> None:
    client.post(f"Content-Length: {SIZE + 1}", "Expect: 100-continue")
    assert client.status == 413
    assert client.error["code"] == 20413
    assert str(SIZE) in client.error["message"]
    assert client.transport.is_half_closed
    client.send(b"x" * SIZE + b"x")
    assert reached_bodies == []


@pytest.mark.parametrize("path", ["/v1/Workspaces", "/accounts/login/"])
def test_a_chunked_body_is_refused_once_it_is_too_large(
    path: str, client: Client, reached_bodies: list[bytes]
) -> None:
    client.post("Transfer-Encoding: chunked", path=path)
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    for _ in range(SIZE // 10_000):
        client.send(chunk)
    assert client.status is None
    client.send(chunk + b"0\r\n\r\n")
    assert client.status == 413
    assert reached_bodies == []


def test_a_chunked_body_within_the_limit_reaches_the_application(
    client: Client, reached_bodies: list[bytes]
) -> None:
    client.post("Transfer-Encoding: chunked")
    client.send(b"5\r\nhello\r\n0\r\n\r\n")
    assert reached_bodies == [b"hello"]


def test_the_connection_is_cut_after_little_of_a_refused_body_was_read(client: Client) -> None:
    client.post("Content-Length: 400000000")
    for _ in range(LINGER_BYTES // SIZE):
        client.send(b"x" * SIZE)
    assert not client.transport.is_aborted
    client.send(b"x" * SIZE)
    assert client.transport.is_aborted


def test_a_refused_client_that_stays_is_cut_off(client: Client, clock: Clock) -> None:
    client.post("Content-Length: 400000000")
    clock.advance(LINGER_SECONDS)
    assert client.transport.is_aborted


# --- Bytes in flight ----------------------------------------------------------------------


def test_large_bodies_of_one_client_share_a_limit_and_small_ones_pass(
    clock: Clock, reached_bodies: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = body_budget.BodyBudget(total=4 * SIZE, client=SIZE)
    monkeypatch.setattr(daphne_requests, "budget", budget)
    first, second, small, other = (
        Client(clock, reached_bodies, peer) for peer in (PEER, PEER, PEER, "203.0.113.6")
    )
    for each in (first, second, other):
        each.post(f"Content-Length: {SIZE}")
        each.send(b"x" * (SIZE // 2 + 1))
    assert (first.status, second.status, other.status) == (None, 503, None)
    small.post("Content-Length: 5")
    small.send(b"hello")
    assert reached_bodies == [b"hello"]


def test_the_budget_of_a_body_is_returned_when_its_client_leaves_or_is_answered(
    clock: Clock, reached_bodies: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = body_budget.BodyBudget(total=SIZE, client=SIZE)
    monkeypatch.setattr(daphne_requests, "budget", budget)
    client = Client(clock, reached_bodies)
    client.post(f"Content-Length: {SIZE}")
    client.send(b"x" * (SIZE - 1))
    assert not budget.take("another", SIZE)
    client.channel.connectionLost(None)
    assert budget.take("another", SIZE)
    budget.give_back("another", SIZE)
    client = Client(clock, reached_bodies)
    client.post(f"Content-Length: {SIZE}")
    client.send(b"x" * SIZE)
    client.channel.requests[0].finish()
    assert budget.take("another", SIZE)


# --- Time ---------------------------------------------------------------------------------


def test_a_request_head_that_drips_in_is_cut_off(client: Client, clock: Clock) -> None:
    for _ in range(HEAD_SECONDS - 1):
        client.send(b"G")
        clock.advance(1)
    assert client.status is None
    clock.advance(1)
    assert client.transport.disconnecting


def test_a_slow_head_with_a_complete_request_line_is_answered_408(
    client: Client, clock: Clock
) -> None:
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    for _ in range(HEAD_SECONDS):
        client.send(b"X")
        clock.advance(1)
    assert client.status == 408


def test_a_silent_connection_is_closed(client: Client, clock: Clock) -> None:
    clock.advance(HEAD_SECONDS)
    assert client.transport.disconnecting
    assert client.status is None


def test_a_request_in_progress_has_no_time_limit(
    client: Client, clock: Clock, reached_bodies: list[bytes]
) -> None:
    client.post("Content-Length: 5")
    client.send(b"hello")
    clock.pump([HEAD_SECONDS] * 20)
    assert reached_bodies == [b"hello"]
    assert not client.transport.disconnecting
    assert client.status is None


def test_a_kept_connection_may_idle_and_its_next_head_has_a_new_time_limit(
    client: Client, clock: Clock, reached_bodies: list[bytes]
) -> None:
    client.post("Content-Length: 5")
    client.send(b"hello")
    client.channel.requests[0].finish()
    client.transport.clear()
    clock.advance(HEAD_SECONDS + 5)
    client.post("Content-Length: 5")
    client.send(b"again")
    assert reached_bodies == [b"hello", b"again"]
    client.channel.requests[0].finish()
    client.transport.clear()
    client.send(b"GET / HTTP/1.1\r\n")
    clock.advance(HEAD_SECONDS)
    assert client.status == 408


def test_a_body_that_drips_in_is_cut_off_and_a_steady_one_is_not(
    clock: Clock, reached_bodies: list[bytes]
) -> None:
    slow, steady = Client(clock, reached_bodies), Client(clock, reached_bodies)
    for each in (slow, steady):
        each.post(f"Content-Length: {SIZE}")
    for _ in range(2):
        slow.send(b"x")
        steady.send(b"x" * BODY_WINDOW_BYTES)
        clock.advance(BODY_WINDOW_SECONDS)
    assert slow.status == 408
    assert steady.status is None
    steady.send(b"x" * (SIZE - 2 * BODY_WINDOW_BYTES))
    assert reached_bodies == [b"x" * SIZE]


# --- Number -------------------------------------------------------------------------------


def test_connections_are_limited_per_address(
    settings: Any, clock: Clock, reached_bodies: list[bytes]
) -> None:
    settings.CONNECTIONS_PER_ADDRESS = 2
    connections = daphne_requests.connections
    first, second = Client(clock, reached_bodies), Client(clock, reached_bodies)
    assert not connections.add(IPv4Address("TCP", PEER, 4001))
    assert connections.add(IPv4Address("TCP", "203.0.113.6", 4001))
    first.channel.connectionLost(None)
    assert connections.add(IPv4Address("TCP", PEER, 4001))
    second.channel.become_websocket()
    assert connections.add(IPv4Address("TCP", PEER, 4002))
    second.channel.connectionLost(None)
    assert not connections.add(IPv4Address("TCP", PEER, 4003))


def test_connections_of_a_trusted_proxy_are_not_limited(settings: Any) -> None:
    settings.CONNECTIONS_PER_ADDRESS = 1
    settings.TRUSTED_PROXIES = 1
    for port in range(5):
        assert daphne_requests.connections.add(IPv4Address("TCP", PEER, port))


def test_the_factory_of_the_server_limits_its_connections(
    settings: Any,
) -> None:
    daphne_requests.install()
    settings.CONNECTIONS_PER_ADDRESS = 1
    factory = HTTPFactory.__new__(HTTPFactory)
    factory.reactor, factory.timeOut = Clock(), 60
    built = factory.buildProtocol(IPv4Address("TCP", PEER, 1))
    assert isinstance(built._channel, BoundedChannel)
    assert built.requestFactory is PlainRequest
    assert factory.buildProtocol(IPv4Address("TCP", PEER, 2)) is None
