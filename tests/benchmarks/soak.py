"""Steady work in the whole system for long: what grows, what slows down, what is lost (P14).

`make soak` runs it. `MINUTES`, `RATE` (tasks a second) and `DESKS` change it. Tasks are posted at
an even rate; each is accepted when its offer reaches the agent's desk, and completed a little
later. What is finished is deleted after five minutes, as retention would after thirty days.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.typing import Origin

from routing.demo.client import ApiError, Client
from tests import postgres
from tests.benchmarks.processes import Helper, cpu_seconds, memory_kb, running_helper
from tests.server import Cordboard, running_server

MINUTES: Final = float(os.environ.get("MINUTES", "60"))
RATE: Final = int(os.environ.get("RATE", "50"))
DESKS: Final = int(os.environ.get("DESKS", "1000"))
INTERVALS: Final = 30
"""Number of rows of the curve; the first ones warm up."""
WARM: Final = INTERVALS // 6
HANDLING_SECONDS: Final = 3.0
CAPACITY: Final = 5
THREADS: Final = 16
PARTS: Final = ("web", "jobs", "callbacks", "beat")
MOST_GROWTH, MOST_DEAD, MOST_SLOWER = 1.05, 0.20, 1.2
"""The bars: memory beside that after the warm-up; dead rows; p99 beside the first tenth."""


@dataclass
class Work:
    """What was posted and offered since the last row of the curve, and what went wrong."""

    posted: dict[str, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    completed: int = 0
    errors: list[str] = field(default_factory=list)
    early: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_post(self, task: str, at: float) -> None:
        """Note a task's creation; its offer may have come before the answer."""
        with self.lock:
            offered = self.early.pop(task, None)
            if offered is None:
                self.posted[task] = at
            else:
                self.waits.append(offered - at)

    def add_offer(self, task: str, at: float) -> None:
        """Note an offer on the agent's websocket."""
        with self.lock:
            posted = self.posted.pop(task, None)
            if posted is None:
                self.early[task] = at
            else:
                self.waits.append(at - posted)

    def take_waits(self) -> list[float]:
        """Return the waits since the last call in milliseconds, sorted."""
        with self.lock:
            waits, self.waits = self.waits, []
        return sorted(1000 * wait for wait in waits)


class Soak:
    """The load: agents at their desks, and customers who post."""

    def __init__(self, server: Cordboard, crowd: dict[str, Any]) -> None:
        self.work = Work()
        self.ended = threading.Event()
        self._server, self._crowd = server, crowd
        self._clients = threading.local()
        self._pool = ThreadPoolExecutor(THREADS)

    def _client(self) -> Client:
        if not hasattr(self._clients, "own"):
            self._clients.own = Client(
                host="127.0.0.1",
                port=int(self._server.port),
                username=self._crowd["username"],
                password=self._crowd["password"],
            )
        client: Client = self._clients.own
        return client

    def post(self, number: int) -> None:
        """Create a task."""
        at = time.perf_counter()
        attributes = json.dumps({"number": number})
        made = self._client().post(f"{self._crowd['base']}/Tasks", Attributes=attributes)
        self.work.add_post(made["sid"], at)

    def accept(self, task: str, reservation: str) -> None:
        """Accept an offer by REST."""
        path = f"{self._crowd['base']}/Tasks/{task}/Reservations/{reservation}"
        self._client().post(path, ReservationStatus="accepted")

    def complete(self, task: str) -> None:
        """Complete a task by REST."""
        self._client().post(f"{self._crowd['base']}/Tasks/{task}", AssignmentStatus="completed")
        self.work.completed += 1

    async def run(self, act: Any, *arguments: Any) -> bool:
        """Run a blocking request in the pool; return whether it was carried out."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, act, *arguments)
        except (ApiError, OSError) as error:
            self.work.errors.append(f"{act.__name__}: {error}")
            return False
        return True

    async def handle(self, task: str, reservation: str) -> None:
        """Accept an offer, and complete the task a little later."""
        if await self.run(self.accept, task, reservation):
            await asyncio.sleep(HANDLING_SECONDS)
            await self.run(self.complete, task)

    async def sit_at_desk(self, cookie: str, ready: asyncio.Semaphore) -> None:
        """Keep an agent's desk open, and do the work that is offered there."""
        handled = set[asyncio.Task[None]]()
        async for socket in connect(
            f"ws://127.0.0.1:{self._server.port}/agent/socket",
            additional_headers={"Cookie": cookie},
            origin=Origin(self._server.url),
            open_timeout=60,
        ):
            async for text in socket:
                frame = json.loads(text)
                if frame.get("event") == "desk.ready":
                    ready.release()
                elif frame.get("event") == "reservation.created" and "task_sid" in frame:
                    self.work.add_offer(frame["task_sid"], time.perf_counter())
                    act = self.handle(frame["task_sid"], frame["reservation_sid"])
                    handled.add(doing := asyncio.ensure_future(act))
                    doing.add_done_callback(handled.discard)
            if self.ended.is_set():
                return

    async def post_evenly(self, seconds: float) -> None:
        """Create tasks at an even rate."""
        begun = asyncio.get_running_loop().time()
        posts = set[asyncio.Task[bool]]()
        for number in range(int(seconds * RATE)):
            await asyncio.sleep(begun + number / RATE - asyncio.get_running_loop().time())
            posts.add(doing := asyncio.ensure_future(self.run(self.post, number)))
            doing.add_done_callback(posts.discard)
        await asyncio.gather(*posts)


def print_line(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - what it is run for


class Curve:
    """The rows of the result: one for each interval."""

    def __init__(self, soak: Soak, database: Helper, processes: dict[str, int]) -> None:
        self.rows: list[dict[str, Any]] = []
        self._soak, self._database, self._processes = soak, database, processes
        self._computed = self._read_cpu()
        self._completed = 0
        print_line("minute | p50 p99 ms | tasks | CPU ms a task | MB " + " ".join(processes)
                   + " | dead rows | MB of tables | open | unpublished")  # fmt: skip

    def _read_cpu(self) -> float:
        return sum(map(cpu_seconds, self._processes.values()))

    def add(self, minute: float) -> None:
        """Read everything, and print a row."""
        waits = self._soak.work.take_waits() or [0.0]
        computed, completed = self._read_cpu(), self._soak.work.completed
        done = max(completed - self._completed, 1)
        row = {
            "p50": waits[len(waits) // 2],
            "p99": waits[len(waits) * 99 // 100],
            "memory": {name: memory_kb(each) / 1024 for name, each in self._processes.items()},
            "cpu": 1000 * (computed - self._computed) / done,
        } | self._database.ask(do="read")
        self._computed, self._completed = computed, completed
        self.rows.append(row)
        memory = " ".join(f"{each:.0f}" for each in row["memory"].values())
        print_line(
            f"{minute:6.1f} | {row['p50']:.0f} {row['p99']:.0f} | {done} | {row['cpu']:.1f}"
            f" | {memory} | {row['dead']:.0%} {row['dead_in']}"
            f" | {sum(row['bytes'].values()) / 1024**2:.0f} | {row['open']} | {row['unpublished']}"
        )

    def judge(self) -> None:
        """Print the bars."""
        warm, tenth = self.rows[WARM:], max(len(self.rows) // 10, 1)
        for name in self._processes:
            first, last = warm[0]["memory"][name], warm[-1]["memory"][name]
            print_bar(f"memory of {name} after the warm-up", last / first, MOST_GROWTH)
        print_bar("share of dead rows", max(row["dead"] for row in warm), MOST_DEAD)
        first_p99 = max(row["p99"] for row in warm[:tenth])
        last_p99 = max(row["p99"] for row in warm[-tenth:])
        print_bar("p99 of the last tenth beside the first", last_p99 / first_p99, MOST_SLOWER)
        left = self.rows[-1]
        print_bar("events unpublished at the end", left["unpublished"], 0)
        print_bar("tasks not completed at the end", left["open"], 0)
        print_bar("requests that failed", len(self._soak.work.errors), 0)
        for error in self._soak.work.errors[:5]:
            print_line(f"    {error}")


def print_bar(what: str, value: float, most: float) -> None:
    """Print whether a bar is met."""
    print_line(f"{what:<44} {value:8.2f} (<= {most:g})  {'met' if value <= most else 'NOT MET'}")


async def run(server: Cordboard, database: Helper) -> None:
    """Open the desks, post, and read everything at the end of each interval."""
    crowd = database.ask(do="fill", desks=DESKS, capacity=CAPACITY)
    soak = Soak(server, crowd)
    ready = asyncio.Semaphore(0)
    desks = []
    for cookie in crowd["cookies"]:
        desks.append(asyncio.ensure_future(soak.sit_at_desk(cookie, ready)))
        # One after another, so that the handshakes do not queue.
        await ready.acquire()
    parts = {name: number for name, number in server.parts().items() if name in PARTS}
    curve = Curve(soak, database, parts)
    seconds = MINUTES * 60
    posting = asyncio.ensure_future(soak.post_evenly(seconds))
    begun = time.monotonic()
    for number in range(1, INTERVALS + 1):
        await asyncio.sleep(begun + seconds * number / INTERVALS - time.monotonic())
        await asyncio.to_thread(database.ask, do="delete_old_rows")
        if number == INTERVALS:
            await posting
            await asyncio.sleep(2 * HANDLING_SECONDS)
        await asyncio.to_thread(curve.add, seconds * number / INTERVALS / 60)
    soak.ended.set()
    for desk in desks:
        desk.cancel()
    await asyncio.gather(*desks, return_exceptions=True)
    curve.judge()


def main() -> int:
    """Run a soak on a private PostgreSQL whose commits wait for the disk."""
    with (
        tempfile.TemporaryDirectory(prefix="cordboard-soak-") as home,
        postgres.private_server(durable=True) as url,
        running_server(Path(home) / "var", environment={"DATABASE_URL": url}) as server,
        running_helper("soak_database", server) as database,
    ):
        asyncio.run(run(server, database))
    return 0


if __name__ == "__main__":
    sys.exit(main())
