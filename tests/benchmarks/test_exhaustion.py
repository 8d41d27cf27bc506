"""How much one client slows the others down, against an idle figure of the same minute.

A whole server, as `make run` starts it. Other clients must not notice an anonymous body of 400 MB,
sixteen clients that guess passwords, the most expensive filter of a list, or receivers that answer
nothing.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.benchmarks.conftest import Table
from tests.server import ROOT, Cordboard, running_server
from tests.webhooks.receiver import Receiver, silent

pytestmark = pytest.mark.bench

SECONDS = 8.0
LOGINS, FILTERS, DEAD, EVENTS = 16, 8, 200, 12
OTHER = f"AC{'d' * 32}"
TOKEN = "t" * 32
PREPARE = """
import json, os, sys, django
django.setup()
from django.utils import timezone
from routing import models
from routing.actions import activities, workspaces
from routing.actors import SYSTEM
from tests import factories
told = json.loads(sys.argv[1])
account = models.Account.objects.filter(sid=told["account"]).first()
account = account or factories.account(sid=told["account"], auth_token=told["token"])
sids = []
for number in range(told["workspaces"]):
    name = f"{os.getpid()} {number}"
    floor = factories.workspace(account=account, friendly_name=name, now=timezone.now())
    factories.workflow(floor)
    for _ in range(told["tasks"]):
        factories.task(floor, attributes={"pad": "x" * 3900})
    if told["url"]:
        workspaces.update_workspace(
            workspace=floor, event_callback_url=told["url"], actor=SYSTEM, now=timezone.now()
        )
        activities.create_activity(
            workspace=floor, friendly_name="Lunch", actor=SYSTEM, now=timezone.now()
        )
    sids.append(floor.sid)
print(json.dumps(sids))
"""


class Client:
    """An account's client, with a connection that is kept."""

    def __init__(self, server: Cordboard, sid: str, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=120)
        pair = base64.b64encode(f"{sid}:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"}

    def send(self, method: str, path: str, **form: str) -> int:
        """Send a request and return the status of its answer."""
        headers = self._headers | (
            {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        )
        self._connection.request(method, path, urlencode(form) or None, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def mean_ms(self) -> float:
        """Return how long a small GET takes on average, sent again and again for a while."""
        taken = []
        give_up_at = time.perf_counter() + SECONDS
        while time.perf_counter() < give_up_at:
            begun = time.perf_counter()
            assert self.send("GET", "/v1/Workspaces?PageSize=1") == 200
            taken.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.01)
        return statistics.mean(taken)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a running server."""
    home = tmp_path_factory.mktemp("exhaustion") / "var"
    with running_server(home, environment={"CALLBACK_ALLOW_PRIVATE": "127.0.0.1"}) as made:
        yield made


@pytest.fixture(scope="module")
def client(server: Cordboard) -> Iterator[Client]:
    """Return a client of an account that does nothing unusual."""
    known = server.credentials()
    with contextlib.closing(Client(server, known["ACCOUNT_SID"], known["AUTH_TOKEN"])) as made:
        yield made


def prepare(server: Cordboard, **told: Any) -> list[str]:
    """Make workspaces of an account and return their sids."""
    given = {"account": OTHER, "token": TOKEN, "workspaces": 1, "tasks": 0, "url": ""} | told
    printed = subprocess.run(
        [sys.executable, "-c", PREPARE, json.dumps(given)],
        cwd=ROOT,
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    sids: list[str] = json.loads(printed)
    return sids


@contextlib.contextmanager
def all_at_once(count: int, act: Callable[[], object]) -> Iterator[None]:
    """Run so many clients in closed loops until the block ends."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                act()

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def add(table: Table, what: str, idle: float, beside: float) -> None:
    """Add a line about the GET of an account that does nothing unusual."""
    ratio = beside / idle
    table.add(
        f"   a GET beside {what} (bar: 5x)", f"{beside:.1f} ms", f"{ratio:.2f}x idle", ratio < 5
    )


def test_bytes_read_of_a_large_anonymous_body(table: Table, server: Cordboard) -> None:
    with socket.create_connection(("127.0.0.1", int(server.port)), timeout=60) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        client.sendall(b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 419430400\r\n\r\n")
        client.setblocking(False)
        sent, answer = 0, b""
        while not answer and sent < 419_430_400:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                answer = client.recv(4096)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sent += client.send(b"x" * 65_536)
    status = answer.split()[1].decode() if answer else "none"
    table.add(
        f"   anonymous 400 MB, sent before the answer {status} (bar: 4 MB)",
        f"{sent / 1e6:.2f} MB",
        "",
        status == "413" and sent < 4e6,
    )


def test_guessed_passwords_slow_no_other_client(
    table: Table, server: Cordboard, client: Client
) -> None:
    names = iter(range(10**9))

    def guess() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/accounts/login/")
            page = connection.getresponse()
            cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
            token = page.read().decode().partition('name="csrfmiddlewaretoken" value="')[2]
            form = {
                "username": f"name{next(names)}",
                "password": "guess",
                "csrfmiddlewaretoken": token.partition('"')[0],
            }
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/accounts/login/", urlencode(form), headers)
            connection.getresponse().read()

    idle = client.mean_ms()
    with all_at_once(LOGINS, guess):
        beside = client.mean_ms()
    add(table, f"{LOGINS} clients that guess passwords", idle, beside)


def test_expensive_list_filters_slow_no_other_client(
    table: Table, server: Cordboard, client: Client
) -> None:
    (sid,) = prepare(server, tasks=1_000)
    text = " OR ".join(f"pad CONTAINS '{'x' * 4}{number}'" for number in range(100, 480))
    path = f"/v1/Workspaces/{sid}/Tasks?EvaluateTaskAttributes={quote(text)}"
    taken: list[float] = []
    statuses: set[int] = set()

    def ask() -> None:
        begun = time.perf_counter()
        with contextlib.closing(Client(server, OTHER, TOKEN)) as another:
            statuses.add(another.send("GET", path))
        taken.append(time.perf_counter() - begun)

    ask()
    alone = taken[0]
    idle = client.mean_ms()
    with all_at_once(1, ask):
        beside = client.mean_ms()
    add(table, "the worst filter of another account's list", idle, beside)
    with all_at_once(FILTERS, ask):
        beside = client.mean_ms()
    add(table, f"{FILTERS} of them at once", idle, beside)
    told = ", ".join(map(str, sorted(statuses)))
    table.add("   the worst filter is answered (bar: 2 s)", f"{alone:.2f} s", "", alone < 2)
    table.add(f"   the slowest of all, answered {told}", f"{max(taken):.2f} s")


def test_dead_receivers_delay_no_callback_of_their_account(
    table: Table, server: Cordboard, client: Client, tmp_path: Path
) -> None:
    with (
        contextlib.ExitStack() as closing,
        Receiver(TOKEN).running() as alive,
        silent() as dead,
    ):
        (sid,) = prepare(server, url=alive.url)
        path = f"/v1/Workspaces/{sid}/Activities"
        own = closing.enter_context(contextlib.closing(Client(server, OTHER, TOKEN)))

        def seconds(name: str) -> float:
            begun = time.perf_counter()
            assert own.send("POST", path, FriendlyName=name) == 201
            while not any(name in str(request.form) for request in list(alive.requests)):
                assert time.perf_counter() - begun < 120, "the callback never came"
                time.sleep(0.005)
            return time.perf_counter() - begun

        idle = [seconds(f"idle {number}") for number in range(3)]
        prepare(server, workspaces=DEAD, url=dead)
        beside = []
        for number in range(EVENTS):
            beside.append(seconds(f"beside {number}"))
            time.sleep(2)
    worst = max(beside)
    ratio = statistics.mean(beside) / statistics.mean(idle)
    table.add(
        f"   a callback beside {DEAD} dead receivers of its account (bar: 1 s)",
        f"{worst:.2f} s at worst",
        f"{ratio:.1f}x idle",
        worst < 1,
    )
