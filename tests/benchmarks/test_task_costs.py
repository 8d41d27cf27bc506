"""What a task costs in CPU time: web process or thread, and PostgreSQL (P1, P4, P7).

A thousand workers are online and ten thousand tasks wait in vain. Creations go through the running
web process, with the other parts standing still; cycles and answers run in a process beside them
(`task_costs`), where each figure is that of one thread.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import postgres
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import cpu_seconds, database_cpu_seconds, run_to_end
from tests.server import Cordboard, running_server

pytestmark = pytest.mark.bench

OFFERS = 2_000
"""Tasks for which the agents have capacity."""
CREATIONS, WARM_UP, CONNECTIONS = 400, 60, 4
"""Requests of each connection."""
BARS = {
    "P4  a cycle without its offers": ("a cycle", 3.0, 1.5),
    "P4  each offer of a cycle": ("each offer", 0.4, 0.2),
    "P7  accept by REST": ("accept, REST", 3.0, 1.3),
    "P7  complete by REST": ("complete, REST", 3.5, 1.8),
    "P7  accept at the desk": ("accept, desk", 3.0, 1.3),
    "P7  complete at the desk": ("complete, desk", 3.5, 1.8),
}
"""By name: the operation, most milliseconds of the thread and of PostgreSQL."""


def test_cpu_time_of_creations_cycles_and_answers(table: Table, tmp_path: Path) -> None:
    with (
        postgres.private_server(durable=True) as url,
        running_server(tmp_path, environment={"DATABASE_URL": url}) as server,
    ):
        crowd = run_to_end("latency_data", server, json.dumps({"here": OFFERS}))
        with standing_still(server):
            web, database = measure_creations(server, crowd, url)
            add(table, "P1  create by POST, web process", (web, database), 2.2, 0.9)
            found = run_to_end("task_costs", server, json.dumps(crowd), url)
    for name, (operation, *most) in BARS.items():
        add(table, name, [cost / 1000 for cost in found[operation]], *most)
    for name, (thread, spent) in found.items():
        if name.startswith("a cycle of"):
            table.add(f"    {name}, ms", f"{thread / 1000:.2f} + {spent / 1000:.2f}")


def add(table: Table, name: str, cost: Any, most: float, most_of_database: float) -> None:
    """Add a cost in milliseconds beside its bar."""
    mine, database = cost
    table.add(
        f"{name}, and PostgreSQL (<= {most:g} + {most_of_database:g} ms)",
        f"{mine:.2f} + {database:.2f} ms",
        "",
        mine <= most and database <= most_of_database,
    )


@contextlib.contextmanager
def standing_still(server: Cordboard) -> Iterator[None]:
    """Stop all parts but the web process and Redis, so that only what is measured computes."""
    others = [server.part(name) for name in ("beat", "jobs", "callbacks")]
    for process in others:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in others:
            os.kill(process, signal.SIGCONT)


def measure_creations(server: Cordboard, crowd: dict[str, Any], url: str) -> tuple[float, float]:
    """Create tasks over a few connections; return milliseconds a request, web and PostgreSQL."""
    post_all(server, crowd, WARM_UP)
    web = server.part("web")
    before = cpu_seconds(web), database_cpu_seconds(url)
    post_all(server, crowd, CREATIONS)
    after = cpu_seconds(web), database_cpu_seconds(url)
    spent = [1000 * (b - a) for a, b in zip(before, after, strict=True)]
    return spent[0] / (CREATIONS * CONNECTIONS), spent[1] / (CREATIONS * CONNECTIONS)


def post_all(server: Cordboard, crowd: dict[str, Any], count: int) -> None:
    """Create this many tasks over each connection, one after the other."""
    pair = f"{crowd['username']}:{crowd['password']}".encode()
    headers = {
        "Authorization": "Basic " + base64.b64encode(pair).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = {"TaskChannel": "chat", "Attributes": json.dumps({"side": "none"})}
    path, body = f"/v1{crowd['base']}/Tasks", urlencode(form)

    def post() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=60)
        with contextlib.closing(connection):
            for _ in range(count):
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                assert answer.status == 201, answer.read()
                answer.read()

    threads = [threading.Thread(target=post) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
