"""From a commit to the frame at the client (12), and one event to a thousand sockets (13, P8).

Measured in the whole running system, on the desk's socket and on the SDK's: a process of its own
records events (`event_publisher`), another one listens (`websocket_clients`), and all of them share
the machine's cores. What is timed is proven first: each frame came to the right socket, in the
order of the commits, and none twice.

`SOCKETS` and `IDLE` in the environment say how many sockets one event goes to, and how many are
open at last; no more are opened when that is not more.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from tests.benchmarks import websocket_clients
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import Helper, cpu_seconds, memory_kb, run_to_end, running_helper
from tests.server import Cordboard, running_server

pytestmark = pytest.mark.bench

SETTLED = 0.5
"""Seconds after which no event of the preparation arrives any more."""

LISTENERS = 30
RATE, COMMITS, SECONDS = 500, 50, 6
ROUNDS = 7
SOCKETS = int(os.environ.get("SOCKETS", "1000"))
IDLE = int(os.environ.get("IDLE", "5000"))
PUSH_MS, FAN_OUT_US, KILOBYTES = 5, 400, 40
EVENT_US, IDLE_MS, OPENING_MS, BESIDE_MS = 100, 50, 2.5, 30
"""Bars of the desk (P8): CPU of the web process for an event at each of a thousand desks, CPU a
second for a thousand desks at rest, CPU to open one, and p99 of single events beside all."""
IDLE_SECONDS = 30
PAUSE = 0.5
"""Seconds between two events to one queue, which gets a message every 0.4 s at most."""
SETTLE_SECONDS = 6.0
"""Seconds after which a session of the SDK gets events without having read its lists."""
Requests = list[dict[str, str]]


@pytest.mark.parametrize("kind", ["desk", "SDK"])
def test_latency_and_fan_out_of_pushed_events(
    table: Table, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    # The server has its limit from here; the one that listens raises its own.
    allowed = websocket_clients.raise_file_limit()
    idle = min(IDLE, allowed - 500)
    if idle < IDLE:
        table.add(f"    this machine allows a process {allowed} open files: sockets", f"{idle}")
    # An operator whose worker has so many sessions has to allow them.
    more = {"SDK_SESSIONS_PER_WORKER": str(SOCKETS + IDLE)}
    with (
        running_server(tmp_path_factory.mktemp("push"), environment=more) as server,
        running_helper("event_publisher", server) as publisher,
        running_helper("websocket_clients", server, server.port) as clients,
    ):
        audience = run_to_end("push_data", server, str(LISTENERS + SOCKETS), str(SOCKETS))
        listeners = audience["workers"][:LISTENERS]
        publisher.ask(workspace_sid=audience["workspace"], worker_sids=listeners)
        measurement = PushMeasurement(table, server, kind, audience, publisher, clients)
        measurement.measure_push()
        measurement.measure_fan_out()
        if idle > SOCKETS + LISTENERS:
            measurement.measure_idle(idle)


@dataclass
class PushMeasurement:
    """One kind of socket, the process that listens, and the process that makes changes."""

    table: Table
    server: Cordboard
    kind: str
    audience: dict[str, Any]
    publisher: Helper
    clients: Helper

    def measure_push(self) -> None:
        """Time single events to the sockets of some workers: by actions, then at the bar's rate."""
        requests = self.requests(0, LISTENERS)
        assert self.open_sockets(requests) == LISTENERS
        if self.kind == "SDK":
            for number in range(LISTENERS):
                self.read_lists(number)
        time.sleep(1.0)
        taken = self.measure_latencies("change_priorities", COMMITS)
        self.add_latencies(f"    {self.kind}: commit to frame, {COMMITS}/s by actions", taken)
        taken = self.measure_latencies("publish_copies", RATE)
        bar = f"12  {self.kind}: commit to frame, {RATE}/s (p99 {PUSH_MS} ms)"
        self.add_latencies(bar, taken, most=PUSH_MS)

    def measure_fan_out(self) -> None:
        """Time one event to a thousand sockets, and see what they cost while they are open."""
        web = self.server.part("web")
        before = memory_kb(web)
        assert self.open_sockets(self.group_requests()) == SOCKETS
        time.sleep(SETTLE_SECONDS)
        memory = (memory_kb(web) - before) / SOCKETS
        worker = self.audience["workers"][-1] if self.kind == "SDK" else None
        # At the desk the listeners serve the queue as well.
        receivers = SOCKETS if worker else SOCKETS + LISTENERS
        walls, cpu = [], 0.0
        for _ in range(ROUNDS):
            time.sleep(PAUSE)
            begun = cpu_seconds(web)
            ((_, sid, at),) = self.publisher.ask(do="publish_one", worker_sid=worker)
            heard = self.collect(receivers)["heard"]
            cpu += cpu_seconds(web) - begun
            assert len({number for number, _, _ in heard}) == len(heard) == receivers
            assert {self.task_of(text) for _, _, text in heard} == {sid}
            walls.append((max(moment for _, moment, _ in heard) - at) / receivers * 1e6)
        wall = sorted(walls)[ROUNDS // 2]
        bar = f"13  {self.kind}: one event to {receivers} sockets, each ({FAN_OUT_US} us)"
        self.table.add(bar, f"{wall:.0f} us", "", wall <= FAN_OUT_US)
        spent = cpu / ROUNDS / receivers * 1e6
        self.add_for_desk(f"… for which the web process computes ({EVENT_US} us)", spent, EVENT_US)
        self.add_memory(SOCKETS, memory)
        self.measure_rest(SOCKETS)

    def measure_rest(self, sockets: int) -> None:
        """Add what the web process computes while nothing happens at so many sockets."""
        web = self.server.part("web")
        begun, spent = time.monotonic(), cpu_seconds(web)
        time.sleep(IDLE_SECONDS)
        each = 1000 * (cpu_seconds(web) - spent) / (time.monotonic() - begun)
        most = IDLE_MS * sockets / 1000
        self.add_for_desk(f"CPU for {sockets} at rest, ms a second ({most:g})", each, most)

    def add_for_desk(self, what: str, value: float, most: float) -> None:
        """Add a figure, with a bar if it is the desk's."""
        is_desk = self.kind == "desk"
        self.table.add(
            f"{'P8' if is_desk else '  '}  {self.kind}: {what}",
            f"{value:.1f}",
            "",
            value <= most if is_desk else None,
        )

    def measure_idle(self, idle: int) -> None:
        """Open as many sockets as one process is to bear, and time single events beside them."""
        web = self.server.part("web")
        before, missing = memory_kb(web), idle - SOCKETS - LISTENERS
        some = self.requests(LISTENERS, LISTENERS + SOCKETS)
        begun, spent = time.monotonic(), cpu_seconds(web)
        opened = self.open_sockets((some * (missing // SOCKETS + 1))[:missing])
        rate = missing / (time.monotonic() - begun)
        each = 1000 * (cpu_seconds(web) - spent) / missing
        self.add_for_desk(f"CPU to open one, ms ({OPENING_MS:g})", each, OPENING_MS)
        time.sleep(SETTLE_SECONDS)
        failures = missing - opened + self.collect(0)["lost"]
        bar = f"13  {self.kind}: {idle} sockets open in one process, failures (0)"
        self.table.add(bar, f"{failures}", f"{rate:.0f}/s", failures == 0)
        self.add_memory(idle, (memory_kb(web) - before) / missing)
        self.measure_rest(idle)
        taken = self.measure_latencies("publish_copies", RATE)
        self.add_latencies(
            f"P8  {self.kind}: commit to frame, {RATE}/s, {idle} sockets open (p99 {BESIDE_MS} ms)",
            taken,
            most=BESIDE_MS,
        )
        assert self.collect(0)["lost"] == 0

    # --- Sockets and what they hear ---------------------------------------------------------

    def requests(self, begin: int, end: int) -> Requests:
        """Return how to open a socket for each of these workers."""
        if self.kind == "SDK":
            return [_session(token) for token in self.audience["tokens"][begin:end]]
        cookies = self.audience["cookies"][begin:end]
        return [{"path": "/agent/socket", "cookie": cookie} for cookie in cookies]

    def group_requests(self) -> Requests:
        """Return how to open the sockets that all get the same event.

        At the desk they are those who serve one queue; with the SDK, all sessions of one worker,
        as it has no other group.
        """
        if self.kind == "SDK":
            return [_session(token) for token in self.audience["sessions"]]
        return self.requests(LISTENERS, LISTENERS + SOCKETS)

    def open_sockets(self, requests: Requests) -> int:
        """Open sockets; return how many were welcomed."""
        opened: int = self.clients.ask(do="open", requests=requests)["opened"]
        return opened

    def collect(self, expected: int) -> dict[str, Any]:
        """Return the messages since the last call, and how many sockets were lost."""
        answer: dict[str, Any] = self.clients.ask(do="collect", expected=expected, seconds=30)
        return answer

    def task_of(self, text: str) -> str:
        """Return which task a frame is about."""
        frame = json.loads(text)
        sid: str = frame["payload"]["sid"] if self.kind == "SDK" else frame["task_sid"]
        return sid

    def read_lists(self, number: int) -> None:
        """Read the lists that the SDK reads before it is ready; the session waits for them."""
        worker, token = (self.audience[name][number] for name in ("workers", "tokens"))
        own = f"Workspaces/{self.audience['workspace']}/Workers/{worker}"
        for url in (own, f"{own}/Reservations"):
            body = {"url": url, "method": "GET", "params": {}, "token": token}
            address = f"{self.server.url}/v1/wschannels"
            with urllib.request.urlopen(address, json.dumps(body).encode(), timeout=30) as answer:
                assert answer.status == 200

    def measure_latencies(self, act: str, rate: int) -> list[float]:
        """Make changes; return the milliseconds from each commit to its frame, sorted."""
        # Queue groups get the events of the preparation later; these do not count.
        time.sleep(SETTLED)
        self.collect(0)
        published = self.publisher.ask(do=act, rate=rate, seconds=SECONDS)
        sent, came = defaultdict(list), defaultdict(list)
        for number, sid, at in published:
            sent[number].append((sid, at))
        for number, at, text in self.collect(len(published))["heard"]:
            came[number].append((self.task_of(text), at))
        for number, frames in sent.items():
            expected, heard = ([sid for sid, _ in each] for each in (frames, came[number]))
            assert heard == expected, f"{len(heard)} frames of {len(expected)}, or in other order"
        assert came.keys() == sent.keys()
        return sorted(
            (then - at) * 1000
            for number, frames in sent.items()
            for (_, at), (_, then) in zip(frames, came[number], strict=True)
        )

    # --- What is said of it ----------------------------------------------------------------

    def add_latencies(self, bar: str, taken: list[float], *, most: float | None = None) -> None:
        """Add the distribution of what single events took."""
        marks = {f"p{part}": taken[len(taken) * part // 100] for part in (50, 90, 99)}
        figures = " ".join(f"{name} {value:.1f}" for name, value in marks.items())
        met = None if most is None else marks["p99"] <= most
        self.table.add(bar, f"{figures} max {taken[-1]:.0f} ms", "", met)

    def add_memory(self, sockets: int, each: float) -> None:
        """Add the web process's memory for each socket."""
        bar = f"13  {self.kind}: memory of the web process for each of {sockets} ({KILOBYTES} kB)"
        self.table.add(bar, f"{each:.1f} kB", "", each <= KILOBYTES)


def _session(token: str) -> dict[str, str]:
    return {"path": f"/v1/wschannels?token={token}&closeExistingSessions=false"}
