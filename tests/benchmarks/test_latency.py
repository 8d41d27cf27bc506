"""From a posted task to its offer on the agent's websocket, in the whole running system (P5, P6).

A thousand workers are online and ten thousand tasks wait in vain. Everything shares one machine:
the server, its database, and the clients. `RATES` sets the tasks a second.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from routing.demo.client import Client
from tests import postgres
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import cpu_seconds, database_cpu_seconds
from tests.server import ROOT, Cordboard, running_server

pytestmark = pytest.mark.bench

SECONDS = 8
WARMING = 2
SENDERS = 8
RATES = [int(rate) for rate in os.environ.get("RATES", "50,100,200").split(",")]
# For each database, what each rate has to reach: milliseconds at p50 and at p99.
BARS: dict[str, dict[int, tuple[int, int]]] = {
    "PostgreSQL": {50: (8, 25), 100: (12, 40), 200: (20, 60)},
    "embedded": {50: (7, 25), 100: (8, 35), 200: (25, 90)},
}
MOST_CPU_MS, AT_RATE = 5.0, 200
"""Most CPU time of all parts and the database for each task, at this many tasks a second (P5)."""


@pytest.mark.parametrize("database", ["embedded", "PostgreSQL"])
def test_latency_from_post_to_offer(
    table: Table, tmp_path_factory: pytest.TempPathFactory, database: str
) -> None:
    home = tmp_path_factory.mktemp("latency")
    if database == "embedded":
        with running_server(home) as server:
            measure(table, server, database, lambda: 0.0)
    else:
        with (
            postgres.private_server(durable=True) as url,
            running_server(home, environment={"DATABASE_URL": url}) as server,
        ):
            measure(table, server, database, functools.partial(database_cpu_seconds, url))


def measure(
    table: Table, server: Cordboard, database: str, read_database_cpu: Callable[[], float]
) -> None:
    """Post at each rate, for some seconds, and print the whole distribution and what it cost."""

    def read_cpu() -> dict[str, float]:
        parts = {name: cpu_seconds(process) for name, process in server.parts().items()}
        return parts | {"database": read_database_cpu()}

    rooms = {str(rate): rate * (WARMING + SECONDS) for rate in RATES}
    made = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.latency_data", json.dumps(rooms)],
        cwd=ROOT,
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        check=True,
    )
    crowd = json.loads(made.stdout)
    for rate in RATES:
        # A process compiles and prepares its statements at their first use.
        asyncio.run(rush(server, crowd, rate, seconds=WARMING))
        before = read_cpu()
        taken = asyncio.run(rush(server, crowd, rate, seconds=SECONDS))
        cpu = {name: 1000 * (now - before[name]) / len(taken) for name, now in read_cpu().items()}
        marks = {f"p{part}": taken[len(taken) * part // 100] for part in (50, 90, 99)}
        most = BARS[database].get(rate)
        bar = f" ({most[0]} / {most[1]} ms)" if most else ""
        table.add(
            f"P6  POST to offer on the websocket, {database}, {rate}/s{bar}",
            " ".join(f"{name} {value:.0f}" for name, value in marks.items())
            + f" max {taken[-1]:.0f} ms",
            "",
            None if most is None else marks["p50"] <= most[0] and marks["p99"] <= most[1],
        )
        spent = sum(cpu.values())
        table.add(
            f"P5  CPU of a task, {database}, {rate}/s (<= {MOST_CPU_MS:g} ms at {AT_RATE}/s): "
            + " ".join(f"{name} {each:.1f}" for name, each in cpu.items() if each >= 0.05),
            f"{spent:.1f} ms",
            "",
            spent <= MOST_CPU_MS if rate == AT_RATE else None,
        )


async def rush(server: Cordboard, crowd: dict[str, Any], rate: int, *, seconds: int) -> list[float]:
    """Post so many tasks a second and return the milliseconds of each until its offer, sorted."""
    posted: dict[str, float] = {}
    heard: dict[str, float] = {}
    more = asyncio.Event()

    async def listen(cookie: str) -> None:
        address = f"ws://127.0.0.1:{server.port}/agent/socket"
        headers = {"Cookie": cookie}
        async with connect(
            address, additional_headers=headers, origin=Origin(server.url)
        ) as socket:
            async for text in socket:
                frame = json.loads(text)
                if frame.get("event") == "desk.ready":
                    ready.release()
                # Frames of other agents' offers carry no task.
                if frame.get("event") == "reservation.created" and "task_sid" in frame:
                    heard.setdefault(frame["task_sid"], time.perf_counter())
                    more.set()

    ready = asyncio.Semaphore(0)
    cookies = crowd["cookies"][str(rate)]
    ears = [asyncio.ensure_future(listen(cookie)) for cookie in cookies]
    for _ in cookies:
        await ready.acquire()
    await asyncio.to_thread(post_all, server, crowd, rate, seconds, posted)
    async with asyncio.timeout(60):
        while not posted.keys() <= heard.keys():
            more.clear()
            await more.wait()
    for ear in ears:
        ear.cancel()
    await asyncio.gather(*ears, return_exceptions=True)
    return sorted((heard[task] - at) * 1000 for task, at in posted.items())


def post_all(
    server: Cordboard, crowd: dict[str, Any], rate: int, seconds: int, posted: dict[str, float]
) -> None:
    """Post at an even rate over a few connections, each task when its moment has come."""
    moments: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    begun = time.perf_counter() + 0.2
    for number in range(rate * seconds):
        moments.put(begun + number / rate)
    for _ in range(SENDERS):
        moments.put(None)
    body = {"TaskChannel": "chat", "Attributes": json.dumps({"side": str(rate)})}

    def send() -> None:
        client = Client(
            host="127.0.0.1",
            port=int(server.port),
            username=crowd["username"],
            password=crowd["password"],
        )
        while (moment := moments.get()) is not None:
            time.sleep(max(moment - time.perf_counter(), 0))
            at = time.perf_counter()
            posted[client.post(f"{crowd['base']}/Tasks", **body)["sid"]] = at
        client.close()

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
