"""How many tasks a second are created by POST (bar 14, P2), in turns and in one run.

The web process as it is shipped, beside the same application behind Django's own ASGI handler; and
the whole stack in process, beside a plain view that asks for and writes the same rows.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests import redis
from tests.benchmarks.conftest import Table
from tests.benchmarks.create_cost import FORM
from tests.server import ROOT, free_port, wait_until

pytestmark = pytest.mark.bench

ROUNDS, SECONDS, CONNECTIONS = 5, 3.0, 8
FLOOR = """
import os, django
django.setup()
from routing import models
from tests import factories
account = models.Account.objects.get(sid=os.environ["ACCOUNT_SID"])
floor = factories.workspace(account=account)
factories.workflow(floor)
print(floor.sid)
"""


class Place:
    """A database with a workspace, and how to run something over it."""

    def __init__(self, home: Path, redis_url: str) -> None:
        self.environment = {
            **os.environ,
            "DATA_DIR": str(home),
            "REDIS_URL": redis_url,
            "SECRET_KEY": "made-up-for-a-benchmark-and-long-enough-not-to-be-weak",
            "ACCOUNT_SID": f"AC{'b' * 32}",
            "AUTH_TOKEN": "t" * 32,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        if url := os.environ.get("RACES_DATABASE_URL"):
            self.environment["DATABASE_URL"] = url
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.run("manage.py", "first_start")
        self.workspace = self.run("-c", FLOOR).strip()

    def run(self, *arguments: str) -> str:
        """Run Python and return what it prints."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    @contextlib.contextmanager
    def serving(self, application: str) -> Iterator[int]:
        """Run a web process and yield its port."""
        port = free_port()
        command = [sys.executable, "-m", "daphne", "-p", str(port), "-v", "0", application]
        with subprocess.Popen(command, cwd=ROOT, env=self.environment) as server:
            try:
                wait_until(lambda: self.post(port, seconds=0) is not None, "it serves", seconds=60)
                yield port
            finally:
                server.terminate()

    def post(self, port: int, *, seconds: float) -> int | None:
        """Create tasks one after the other for so long; return how many, None without a server."""
        pair = f"{self.environment['ACCOUNT_SID']}:{self.environment['AUTH_TOKEN']}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        count, path, body = 0, f"/v1/Workspaces/{self.workspace}/Tasks", urlencode(FORM)
        give_up_at = time.perf_counter() + seconds
        with contextlib.closing(connection):
            while True:
                try:
                    connection.request("POST", path, body, headers)
                except OSError:
                    return None
                answer = connection.getresponse()
                assert answer.status == 201, answer.read()
                answer.read()
                count += 1
                if time.perf_counter() >= give_up_at:
                    return count

    def rate(self, port: int) -> float:
        """Return how many tasks a second several connections create."""
        counts: list[int | None] = []
        act = functools.partial(self.post, port, seconds=SECONDS)
        threads = [
            threading.Thread(target=lambda: counts.append(act())) for _ in range(CONNECTIONS)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(filter(None, counts)) / (time.perf_counter() - begun)


def test_tasks_created_per_second_by_post(table: Table, tmp_path: Path) -> None:
    with redis.private_server(tmp_path / "redis.sock") as url:
        show(table, Place(tmp_path, url))


def show(table: Table, place: Place) -> None:
    """Measure all four and add them to the table."""
    vendor = "PostgreSQL" if "DATABASE_URL" in place.environment else "SQLite"
    rates: dict[str, list[float]] = {"shipped": [], "default": []}
    with (
        place.serving("config.asgi:application") as shipped,
        place.serving("tests.benchmarks.default_handler:application") as default,
    ):
        for _ in range(ROUNDS):
            for name, port in (("shipped", shipped), ("default", default)):
                rates[name].append(place.rate(port))
    alone = json.loads(
        place.run("-m", "tests.benchmarks.create_cost", place.workspace, str(ROUNDS + 2), "150")
    )
    beside = ratio(rates["shipped"], rates["default"])
    table.add(
        f"14  {vendor}: POST of a task, as shipped beside Django's handler (1.5x)",
        " / ".join(f"{statistics.median(rates[name]):.0f}/s" for name in rates),
        f"{beside:.2f}x",
        beside >= 1.5,
    )
    beside = ratio(alone["plain"], alone["whole"])
    bar = 1.5 if vendor == "PostgreSQL" else 0.6
    table.add(
        f"P2  {vendor}: in process, whole stack beside plain Django + ORM ({bar}x)",
        " / ".join(f"{1e6 / statistics.median(alone[name]):.0f}/s" for name in ("whole", "plain")),
        f"{beside:.2f}x",
        beside >= bar,
    )
    beside = statistics.median(rates["shipped"]) * statistics.median(alone["plain"]) / 1e6
    table.add(
        f"    {vendor}: through Daphne, its clients on the same cores, beside plain",
        f"{statistics.median(rates['shipped']):.0f}/s",
        f"{beside:.2f}x",
    )


def ratio(these: list[float], those: list[float]) -> float:
    """Return how much more these are than those, the median of their rounds."""
    return statistics.median(a / b for a, b in zip(these, those, strict=True))
