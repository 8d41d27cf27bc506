"""A web process that drains answers the requests under way and accepts no new ones."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests import launcher
from tests.server import LONGEST_END_SECONDS, free_port, wait_until

pytestmark = pytest.mark.system


class Web:
    """A Daphne that runs `blocking_app`."""

    def __init__(self, output: Path, **environment: str) -> None:
        self.port = free_port()
        self.opened: list[http.client.HTTPConnection] = []
        self.output = output
        command = [
            "-m",
            "daphne",
            "--port",
            str(self.port),
            "tests.system.blocking_app:application",
        ]
        with output.open("wb") as file:
            self.process = launcher.start(*command, env={**os.environ, **environment}, stdout=file)
        wait_until(self.accepts, "it listens")
        # It listens before it handles signals.
        with contextlib.closing(self.connection()) as connection:
            get(connection, "/")

    def accepts(self) -> bool:
        """Return whether a new connection is accepted."""
        with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
            self.connection().close()
            return True
        return False

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection that is open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_END_SECONDS)
        connection.connect()
        self.opened.append(connection)
        return connection

    def socket(self) -> ClientConnection:
        """Return an open websocket."""
        return connect(f"ws://127.0.0.1:{self.port}/", open_timeout=LONGEST_END_SECONDS)

    def request_wait(self) -> http.client.HTTPConnection:
        """Send a request that is under way on return, and unanswered until `/release`."""
        connection = self.connection()
        connection.request("GET", "/wait")
        with contextlib.closing(self.connection()) as other:
            get(other, "/waiting")
        return connection

    def drain(self) -> None:
        """Send SIGTERM; return once it accepts nothing more."""
        self.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not self.accepts(), "it accepts nothing more")

    def ended(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(LONGEST_END_SECONDS)


@contextlib.contextmanager
def serving(output: Path, **environment: str) -> Iterator[Web]:
    """Run a web process, and end it by force if the test has not."""
    web = Web(output, **environment)
    try:
        yield web
    finally:
        for connection in web.opened:
            connection.close()
        web.process.kill()
        web.process.wait()


def get(connection: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    """Send a request and return its answer, with the body read."""
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.read() == path.encode()
    return answer


def test_draining_answers_open_requests_and_closes_sockets_with_1012(tmp_path: Path) -> None:
    with serving(tmp_path / "out") as web:
        kept = web.connection()
        assert not get(kept, "/").will_close
        slow = web.request_wait()
        with web.socket() as socket:
            web.drain()
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=LONGEST_END_SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        # A connection that was open already is served once more, and asked to close.
        assert get(kept, "/release").will_close
        answer = slow.getresponse()
        assert (answer.status, answer.will_close, answer.read()) == (200, True, b"/wait")
        assert web.ended() == 0


def test_a_draining_process_refuses_a_socket_on_an_open_connection(tmp_path: Path) -> None:
    with serving(tmp_path / "out") as web:
        kept = web.connection()
        web.request_wait()
        get(kept, "/")
        web.drain()
        with pytest.raises(InvalidStatus) as refused:
            # Its socket comes by a connection that a proxy had kept.
            connect(f"ws://127.0.0.1:{web.port}/", sock=kept.sock, open_timeout=LONGEST_END_SECONDS)
        assert refused.value.response.status_code == 503


def test_a_request_that_takes_too_long_does_not_delay_the_end(tmp_path: Path) -> None:
    with serving(tmp_path / "out", DRAIN_SECONDS="0.2") as web:
        web.request_wait()
        web.drain()
        assert web.ended() == 0
        assert "unanswered=1" in web.output.read_text()


def test_a_second_signal_ends_the_drain(tmp_path: Path) -> None:
    with serving(tmp_path / "out", DRAIN_SECONDS="3600") as web:
        web.request_wait()
        web.drain()
        web.process.send_signal(signal.SIGTERM)
        assert web.ended() == 0


def test_new_connections_during_the_grace_are_closed_after_one_answer(
    tmp_path: Path,
) -> None:
    with serving(tmp_path / "out", DRAIN_GRACE_SECONDS="3600") as web:
        web.process.send_signal(signal.SIGTERM)
        wait_until(lambda: get(web.connection(), "/").will_close, "it is told to end")
        assert web.accepts()
        web.process.send_signal(signal.SIGTERM)
        assert web.ended() == 0


def test_many_sockets_are_closed_over_time_and_a_single_one_at_once(tmp_path: Path) -> None:
    # At eighty a second the last of 120 is closed after more than a second.
    with serving(tmp_path / "out") as web, contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(web.socket()) for _ in range(120)]
        web.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        closed = []
        for socket in sockets:
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=LONGEST_END_SECONDS)
            closed.append(time.monotonic() - begun)
        assert web.ended() == 0
    assert closed[0] < closed[-1]
    assert closed[-1] > 1.0
