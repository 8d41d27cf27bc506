"""From a posted task to its offer on the agent's websocket, in the whole running system (10, 11).

A thousand workers are online and ten thousand tasks wait in vain. Everything shares one machine:
the server, its database, and the clients.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from routing.demo.client import Client
from tests import postgres
from tests.benchmarks.conftest import Table
from tests.server import ROOT, Cordboard, running_server

pytestmark = pytest.mark.bench

SECONDS = 8
WARMING = 2
SENDERS = 8
RATES = [int(rate) for rate in os.environ.get("RATES", "10,50,200").split(",")]
# For each database, what each rate has to reach: milliseconds at p50 and at p99.
BARS: dict[str, dict[int, tuple[int, int]]] = {
    "PostgreSQL": {50: (20, 60), 200: (30, 100)},
    "embedded": {50: (25, 80)},
}
NUMBERS = {"PostgreSQL": 10, "embedded": 11}


@pytest.mark.parametrize("database", ["embedded", "PostgreSQL"])
def test_latency_from_post_to_offer(
    table: Table, tmp_path_factory: pytest.TempPathFactory, database: str
) -> None:
    home = tmp_path_factory.mktemp("latency")
    if database == "embedded":
        with running_server(home) as server:
            measure(table, server, database)
    else:
        with (
            postgres.private_server(durable=True) as url,
            running_server(home, environment={"DATABASE_URL": url}) as server,
        ):
            measure(table, server, database)


def measure(table: Table, server: Cordboard, database: str) -> None:
    """Post at each rate, for some seconds, and print the whole distribution."""
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
        taken = asyncio.run(rush(server, crowd, rate, seconds=SECONDS))
        marks = {f"p{part}": taken[len(taken) * part // 100] for part in (50, 90, 99)}
        most = BARS[database].get(rate)
        bar = f" ({most[0]} / {most[1]} ms)" if most else ""
        table.add(
            f"{NUMBERS[database]}  POST to offer on the websocket, {database}, {rate}/s{bar}",
            " ".join(f"{name} {value:.0f}" for name, value in marks.items())
            + f" max {taken[-1]:.0f} ms",
            "",
            None if most is None else marks["p50"] <= most[0] and marks["p99"] <= most[1],
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
