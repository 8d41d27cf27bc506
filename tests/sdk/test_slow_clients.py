"""One client that does not read, on a running server: closed with a reason, no other waits."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twilio.rest import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from routing.sdk import close_codes
from tests.server import ROOT, Cordboard, running_server, wait_until

pytestmark = pytest.mark.system

EVENTS = 1_300
"""Of some 4 kB each: more than the system keeps for a socket (4 MB) and the server (200 kB)."""
STRETCH = 200
"""So many changes are made at a time, and the next ones when the fast client has read the last."""
FAST_EVERY = 10
"""One change of so many concerns the fast client too."""
RUSH = """
import django, json, sys
django.setup()
from django.utils import timezone
from routing import models
from routing.actions import workers
from routing.actors import SYSTEM
count, stretch, every = map(int, sys.argv[1:4])
slow, fast = (models.Worker.objects.get(sid=sid) for sid in sys.argv[4:])
for number in range(count):
    if number % stretch == 0:
        sys.stdin.readline()
    for row in [slow] if number % every else [slow, fast]:
        text = json.dumps({"number": number, "rest": "x" * 4_000})
        workers.update_worker(worker=row, attributes=text, actor=SYSTEM, now=timezone.now())
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a running server that keeps 200 kB for a client that does not read."""
    home = tmp_path_factory.mktemp("slow") / "var"
    with running_server(home, environment={"SOCKET_BACKLOG": "200000"}) as server:
        yield server


@pytest.fixture(scope="module")
def floor(server: Cordboard) -> Any:
    """Return a workspace by REST."""
    keys = server.credentials()
    client = Client(keys["ACCOUNT_SID"], keys["AUTH_TOKEN"])
    client.taskrouter.base_url = server.url
    made = client.taskrouter.v1.workspaces.create(friendly_name="Slow and fast")
    return client.taskrouter.v1.workspaces(made.sid), made.sid, keys


def token(server: Cordboard, floor: Any, worker_sid: str) -> str:
    """Return a token for a worker, made by REST."""
    _, workspace_sid, keys = floor
    manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
    manager.add_password(
        None, server.url, keys["ACCOUNT_SID"], keys["AUTH_TOKEN"], is_authenticated=True
    )
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    form = urllib.parse.urlencode({"WorkerSid": worker_sid}).encode()
    with opener.open(f"{server.url}/v1/Workspaces/{workspace_sid}/Tokens", form) as answer:
        return str(json.load(answer)["token"])


def rush(server: Cordboard, count: int, *worker_sids: str) -> subprocess.Popen[bytes]:
    """Change workers again and again from a process of its own, a stretch for each line it gets."""
    environment = server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    numbers = map(str, (count, STRETCH, FAST_EVERY))
    command = [sys.executable, "-c", RUSH, *numbers, *worker_sids]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)


def go_on(process: subprocess.Popen[bytes]) -> None:
    """Start the next stretch of changes."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def memory(process: int) -> int:
    """Return how many kB of memory a process has, or 0 where that cannot be asked."""
    with contextlib.suppress(FileNotFoundError):
        status = Path(f"/proc/{process}/status").read_text()
        return int(re.findall(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)[0])
    return 0


class Deaf:
    """A client that opens a session and reads nothing until the server gives it up."""

    def __init__(self, server: Cordboard, token: str) -> None:
        self.log = server.home / "logs" / "web.log"
        self.heard = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.connect(("127.0.0.1", int(server.port)))
        self.socket.sendall(
            f"GET /v1/wschannels?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b" 101 " in self.socket.recv(64)

    def given_up(self) -> int:
        """Return how often the log says that a client does not read."""
        return self.log.read_text().count("messages are left unread")

    def read(self) -> None:
        """Wait to be given up, then read all that is left, up to the close."""
        with self.socket:
            wait_until(self.given_up, "the server gives the client up", seconds=120)
            self.socket.settimeout(30)
            with contextlib.suppress(ConnectionResetError):
                while part := self.socket.recv(1 << 20):
                    self.heard = self.heard[-1_000:] + part


def test_a_client_that_does_not_read_is_closed_and_no_other_waits_for_it(
    server: Cordboard, floor: Any
) -> None:
    rest, _, _ = floor
    slow = rest.workers.create(friendly_name="Slow", attributes="{}").sid
    fast = rest.workers.create(friendly_name="Fast", attributes="{}").sid
    deaf = Deaf(server, token(server, floor, slow))
    url = f"ws://127.0.0.1:{server.port}/v1/wschannels?token={token(server, floor, fast)}"
    with connect(url, max_size=None) as session:
        assert json.loads(session.recv(timeout=10))["event_type"] == "init"
        before = memory(server.part("web"))
        started = time.monotonic()
        reader = threading.Thread(target=deaf.read)
        reader.start()
        process = rush(server, EVENTS, slow, fast)
        go_on(process)
        go_on(process)
        numbers: list[int] = []
        expected = list(range(0, EVENTS, FAST_EVERY))
        while not numbers or numbers[-1] < expected[-1]:
            text = str(session.recv(timeout=60))
            if text.strip():
                numbers.append(json.loads(json.loads(text)["payload"]["attributes"])["number"])
                if numbers[-1] and numbers[-1] % STRETCH == 0 and numbers[-1] + STRETCH < EVENTS:
                    go_on(process)
        took = time.monotonic() - started
        process.communicate(timeout=60)
        assert process.returncode == 0
        after = memory(server.part("web"))
    assert numbers == expected
    reader.join(60)
    assert deaf.given_up() == 1
    # A client that reads on in time gets the close, with its code and its reason.
    code = int(close_codes.TOO_SLOW).to_bytes(2, "big")
    assert code + b"Too slow: messages are left unread" in deaf.heard
    assert after - before < 40_000
    print(f"{EVENTS + len(expected)} events in {took:.1f} s, {after - before} kB more")  # noqa: T201


def test_a_huge_message_ends_its_connection_alone(server: Cordboard, floor: Any) -> None:
    rest, _, _ = floor
    worker = rest.workers.create(friendly_name="Loud", attributes="{}").sid
    url = f"ws://127.0.0.1:{server.port}/v1/wschannels?token={token(server, floor, worker)}"
    with connect(url) as loud, connect(url) as quiet:
        for session in (loud, quiet):
            assert json.loads(session.recv(timeout=10))["event_type"] == "init"
        loud.send("x" * 100_000)
        with pytest.raises(ConnectionClosed) as ended:
            loud.recv(timeout=10)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1009
        quiet.ping().wait(timeout=10)
    assert server.health()[0] == 200


def test_the_newest_sockets_of_a_worker_stay_and_other_workers_get_theirs(
    server: Cordboard, floor: Any
) -> None:
    rest, _, _ = floor
    crowd = rest.workers.create(friendly_name="Crowd", attributes="{}").sid
    alone = rest.workers.create(friendly_name="Alone", attributes="{}").sid
    url = f"ws://127.0.0.1:{server.port}/v1/wschannels?token="
    first = url + token(server, floor, crowd)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(first)) for _ in range(200)]
        for session in sockets[:-20]:
            with pytest.raises(ConnectionClosed) as ended:
                list(session)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == close_codes.CROWDED
        for session in sockets[-20:]:
            assert session.ping().wait(timeout=10)
        with connect(url + token(server, floor, alone)) as session:
            assert json.loads(session.recv(timeout=10))["event_type"] == "init"
    log = (server.home / "logs" / "web.log").read_text()
    assert log.count(f"{crowd} has 20 sessions of the SDK already") == 1
