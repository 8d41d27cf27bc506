"""Several web processes behind one port: each dies, drains and is replaced alone."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import launcher
from tests.server import Cordboard, free_port, is_alive, running_server, wait_until

pytestmark = pytest.mark.system
PROCESSES = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server with several web processes, which every test leaves running."""
    home = tmp_path_factory.mktemp("several") / "var"
    with running_server(home, environment={"WEB_PROCESSES": str(PROCESSES)}) as server:
        yield server


def web_processes(server: Cordboard) -> set[int]:
    """Return the web processes, without their parent."""
    parent = server.part("web")
    return set(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


def status(server: Cordboard, path: str = "/livez") -> int:
    """Send a request by a new connection, and return the status of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def wait_for_replacement(server: Cordboard, gone: int) -> None:
    """Wait until another process serves in the place of one that ends."""
    wait_until(
        lambda: gone not in (found := web_processes(server)) and len(found) == PROCESSES,
        "another web process has started",
    )


class Requests:
    """Requests by new connections, one after the other, and those that failed."""

    def __init__(self, server: Cordboard) -> None:
        self.server = server
        self.answered = 0
        self.failed: list[str] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        while not self.is_over.is_set():
            try:
                assert status(self.server) == 200
                self.answered += 1
            except (AssertionError, OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def __enter__(self) -> Requests:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def wait_for_more(self, count: int = 50) -> None:
        """Wait for so many more answers."""
        enough = self.answered + count
        wait_until(lambda: self.answered >= enough or bool(self.failed), "requests are answered")


def test_each_process_answers(server: Cordboard) -> None:
    assert len(web_processes(server)) == PROCESSES
    for process in web_processes(server):
        os.kill(process, signal.SIGSTOP)
        try:
            # What the others accept is answered, so each of them serves alone.
            wait_until(lambda: status(server) == 200, "another process answers")
        finally:
            os.kill(process, signal.SIGCONT)


def test_a_killed_process_is_replaced_and_all_others_stay(server: Cordboard) -> None:
    parts, (killed, *rest) = server.parts(), web_processes(server)
    os.kill(killed, signal.SIGKILL)
    wait_for_replacement(server, killed)
    assert set(rest) < web_processes(server)
    assert server.parts() == parts
    wait_until(lambda: status(server, "/readyz") == 200, "it is ready")
    assert "ended with -9; another one starts" in server.said()


def test_a_process_that_drains_fails_no_request(server: Cordboard) -> None:
    drained = min(web_processes(server))
    with Requests(server) as requests:
        requests.wait_for_more()
        os.kill(drained, signal.SIGTERM)
        wait_for_replacement(server, drained)
        requests.wait_for_more()
    assert requests.failed == []
    assert not is_alive(drained)


def test_all_end_with_the_server_and_the_port_is_free(tmp_path: Path) -> None:
    with running_server(tmp_path / "var", environment={"WEB_PROCESSES": str(PROCESSES)}) as server:
        processes = web_processes(server) | set(server.parts().values())
        assert server.end() == 0
        assert not any(map(is_alive, processes))
        with pytest.raises(ConnectionRefusedError):
            status(server)


def test_several_processes_need_an_ipv4_address(tmp_path: Path) -> None:
    ran = launcher.run(
        *("manage.py", "serve"),
        env={
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "HOST": "::1",
            "PORT": str(free_port()),
            "WEB_PROCESSES": "2",
        },
    )
    assert ran.returncode == 1
    assert "WEB_PROCESSES is 2, and several need an IPv4 address" in ran.stdout + ran.stderr
