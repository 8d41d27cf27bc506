"""Load at a fixed rate during a fault, and the figures of its tasks."""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from routing.demo.client import Client
from tests.server import ROOT, Cordboard, wait_until

FAULT_SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
"""How long each fault lasts."""
AROUND_SECONDS = 8.0
"""Seconds of load before a fault and after it."""
WORKERS = 30
CAPACITY = 50
"""The capacity is larger than the number of tasks, so a waiting task was missed."""
LONGEST_ANSWER_SECONDS = 60.0
"""Seconds; longer than the slowest answer that is allowed."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request that creates a task; status 0 is no answer."""

    number: int
    port: int
    at: float
    seconds: float
    status: int


@dataclass
class Outcome:
    """The figures of one fault."""

    created: int
    lost: int
    doubled: int
    never_offered: int
    longest_gap: float
    longest_delay: float
    delay_after: float
    longest_answer: float
    statuses: Counter[int] = field(default_factory=Counter)

    def table_row(self) -> str:
        """Return the figures as one row of a table."""
        answers = ", ".join(
            f"{count} x {status}" for status, count in sorted(self.statuses.items())
        )
        return (
            f"{self.longest_gap:5.1f} | {self.longest_delay:5.1f} | {self.delay_after:5.1f} |"
            f" {self.longest_answer:5.1f} | {self.lost} | {self.doubled} | {answers}"
        )


def check_outcome(outcome: Outcome) -> None:
    """Fail if a task was lost, doubled, or never offered."""
    assert (outcome.lost, outcome.doubled, outcome.never_offered) == (0, 0, 0)


class LoadedWorkspace:
    """A workspace with capacity for every task, and load on it."""

    def __init__(self, server: Cordboard, *, rate: float, events: str = "") -> None:
        """Make a workspace on a server that is ready.

        Arguments:
            rate: tasks a second.
            events: where event callbacks are posted to.
        """
        self._server = server
        self._rate = rate
        self.ports = [int(server.port)]
        self.began = self.ended = 0.0
        """The beginning and end of the last fault."""
        self.answers: list[Answer] = []
        known = server.credentials()
        name, password = known["ACCOUNT_SID"], known["AUTH_TOKEN"]
        self._basic = base64.b64encode(f"{name}:{password}".encode()).decode()
        client = Client(host="127.0.0.1", port=self.ports[0], username=name, password=password)
        made = client.post(
            "/Workspaces", FriendlyName="Chaos", Template="FIFO", EventCallbackUrl=events
        )
        self.base = f"/v1/Workspaces/{made['sid']}"
        place = f"/Workspaces/{made['sid']}"
        available = client.get(f"{place}/Activities", FriendlyName="Available")
        there = available["activities"][0]["sid"]
        for number in range(WORKERS):
            form = {"FriendlyName": f"Agent {number}", "ActivitySid": there}
            worker = client.post(f"{place}/Workers", **form)["sid"]
            client.post(f"{place}/Workers/{worker}/Channels/chat", Capacity=CAPACITY)
        client.close()

    @contextlib.contextmanager
    def load(self) -> Iterator[None]:
        """Create tasks at the fixed rate while the block runs, and wait for all answers."""
        stopped = threading.Event()
        with ThreadPoolExecutor(200) as pool:

            def post_all() -> None:
                begun, number = time.monotonic(), 0
                while not stopped.wait(max(begun + number / self._rate - time.monotonic(), 0)):
                    pool.submit(self._post, number, self.ports[number % len(self.ports)])
                    number += 1

            poster = threading.Thread(target=post_all)
            poster.start()
            try:
                yield
            finally:
                stopped.set()
                poster.join()

    def _post(self, number: int, port: int) -> None:
        form = urlencode({"TaskChannel": "chat", "Attributes": json.dumps({"number": number})})
        headers = {
            "Authorization": f"Basic {self._basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        at, begun, status = time.time(), time.monotonic(), 0
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_ANSWER_SECONDS)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("POST", f"{self.base}/Tasks", form, headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        self.answers.append(Answer(number, port, at, time.monotonic() - begun, status))

    def wait_for_offers(self, seconds: float = 60.0) -> None:
        """Wait until every task was offered."""
        waiting = f"{self.base}/Tasks?AssignmentStatus=pending&PageSize=1"

        def none_waits() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=10)
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.request(
                    "GET", waiting, headers={"Authorization": f"Basic {self._basic}"}
                )
                response = connection.getresponse()
                found = json.loads(response.read())
                return response.status == 200 and not found["tasks"]
            return False

        wait_until(none_waits, "every task is offered", seconds=seconds)

    def measure_fault(self, begin: Callable[[], object], end: Callable[[], object]) -> Outcome:
        """Create tasks before, during and after a fault, and return its figures."""
        with self.load():
            time.sleep(AROUND_SECONDS)
            began = time.time()
            begin()
            time.sleep(FAULT_SECONDS)
            end()
            self.began, self.ended = began, time.time()
            time.sleep(AROUND_SECONDS)
        self.wait_for_offers()
        return self.outcome(began, self.ended)

    def outcome(self, began: float, ended: float) -> Outcome:
        """Read the database, and return the figures of the fault between two moments.

        The longest gap is that between two first offers, from some seconds before the fault to the
        last offer. A delay is the time from a task's birth to its first offer.
        """
        tasks = self._read_histories().values()
        numbers = Counter(task["number"] for task in tasks)
        first = sorted(task["offers"][0][0] for task in tasks if task["offers"])
        seen = [at for at in first if at >= began - 5]
        born = [(task["at"], task["offers"][0][0]) for task in tasks if task["offers"]]
        answers = [answer for answer in self.answers if answer.at >= began - 5]
        return Outcome(
            created=sum(answer.status == 201 for answer in self.answers),
            lost=sum(a.status == 201 and a.number not in numbers for a in self.answers),
            doubled=sum(count > 1 for count in numbers.values())
            + sum(sum(is_open for _, is_open in task["offers"]) > 1 for task in tasks),
            never_offered=sum(not task["offers"] for task in tasks),
            longest_gap=max((b - a for a, b in itertools.pairwise(seen)), default=0.0),
            longest_delay=max((offer - at for at, offer in born if at >= began - 5), default=0.0),
            delay_after=max((offer - max(at, ended) for at, offer in born), default=0.0),
            longest_answer=max((answer.seconds for answer in answers), default=0.0),
            statuses=Counter(answer.status for answer in answers),
        )

    def _read_histories(self) -> dict[str, dict[str, Any]]:
        read = subprocess.run(
            [sys.executable, "-m", "tests.chaos.task_histories"],
            cwd=ROOT,
            env=self._server.environment,
            capture_output=True,
            text=True,
        )
        assert read.returncode == 0, read.stderr
        found: dict[str, dict[str, Any]] = json.loads(read.stdout.splitlines()[-1])
        return found
