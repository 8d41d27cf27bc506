"""From a posted task to its offer on an agent's websocket, in the whole running system (bar 11)."""

from __future__ import annotations

import functools
import http.cookiejar
import json
import re
import threading
import time
import urllib.parse
import urllib.request

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from routing.demo.client import Client
from tests.benchmarks.conftest import Table
from tests.running import Cordboard, running

pytestmark = pytest.mark.bench

SECONDS = 10


def log_in(server: Cordboard) -> str:
    """Log Alice in and return her cookies."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{server.url}/accounts/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": "alice",
        "password": server.credentials()["AGENT_PASSWORD"],
    }
    browser.open(f"{server.url}/accounts/login/", urllib.parse.urlencode(form).encode()).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


class Floor:
    """The demo's floor with Alice alone on it, taking fifty chats at once."""

    def __init__(self, server: Cordboard) -> None:
        known = server.credentials()
        self._make = functools.partial(
            Client,
            host="127.0.0.1",
            port=int(server.port),
            username=known["ACCOUNT_SID"],
            password=known["AUTH_TOKEN"],
        )
        self.client = self._make()
        self.base = f"/Workspaces/{self.client.get('/Workspaces')['workspaces'][0]['sid']}"
        (there,) = self.client.get(f"{self.base}/Activities", FriendlyName="Available")[
            "activities"
        ]
        (alice,) = self.client.get(f"{self.base}/Workers", FriendlyName="Alice")["workers"]
        worker = f"{self.base}/Workers/{alice['sid']}"
        self.client.post(f"{worker}/Channels/sms", Capacity="50")
        self.client.post(worker, ActivitySid=there["sid"])

    def post(self) -> str:
        """Create a task and return its sid."""
        attributes = json.dumps({"topic": "billing", "language": "en"})
        made = self.client.post(f"{self.base}/Tasks", TaskChannel="sms", Attributes=attributes)
        return str(made["sid"])

    def cancel(self, task: str) -> None:
        """Take a task away again, by a connection of its own."""
        client = self._make()
        client.post(f"{self.base}/Tasks/{task}", AssignmentStatus="canceled")
        client.close()


def listen(socket: ClientConnection, heard: dict[str, float], floor: Floor, count: int) -> None:
    """Note when each task's offer is heard of, and take the task away."""
    while len(heard) < count:
        frame = json.loads(socket.recv(timeout=30))
        if frame.get("event") == "reservation.created" and frame["task_sid"] not in heard:
            heard[frame["task_sid"]] = time.perf_counter()
            floor.cancel(frame["task_sid"])


@pytest.mark.parametrize("rate", [10, 50])
def test_from_post_to_offer(
    table: Table, tmp_path_factory: pytest.TempPathFactory, rate: int
) -> None:
    count = rate * SECONDS
    with running(tmp_path_factory.mktemp("latency"), demo=True) as server:
        floor = Floor(server)
        address = f"ws://127.0.0.1:{server.port}/agent/socket"
        headers = {"Cookie": log_in(server)}
        with connect(address, additional_headers=headers, origin=Origin(server.url)) as socket:
            heard: dict[str, float] = {}
            ear = threading.Thread(target=listen, args=(socket, heard, floor, count))
            ear.start()
            begun = time.perf_counter()
            posted = {}
            for number in range(count):
                time.sleep(max(begun + number / rate - time.perf_counter(), 0))
                before = time.perf_counter()
                posted[floor.post()] = before
            ear.join(60)
        floor.client.close()
    taken = sorted((heard[task] - before) * 1000 for task, before in posted.items())
    marks = {f"p{part}": taken[len(taken) * part // 100] for part in (50, 90, 99)}
    sent = count / max(max(posted.values()) - begun, 1e-9)
    table.add(
        f"11  POST to offer on the websocket, embedded, {sent:.0f}/s, 1 agent (25 / 80 ms)",
        " ".join(f"{name} {value:.0f}" for name, value in marks.items()) + " ms",
        "",
        marks["p50"] <= 25 and marks["p99"] <= 80,
    )
