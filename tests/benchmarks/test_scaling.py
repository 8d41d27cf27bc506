"""Several processes beside one, in CPU time on PostgreSQL (P12).

Two web processes on one socket; two routers in two workspaces, and in one. CPU time is that of the
processes alone.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import cpu_seconds, run_to_end
from tests.benchmarks.test_task_costs import (
    CONNECTIONS,
    CREATIONS,
    WARM_UP,
    post_all,
    standing_still,
)
from tests.server import ROOT, Cordboard, running_server

pytestmark = pytest.mark.bench

ROUNDS = 3


def test_two_web_processes_beside_one(table: Table, tmp_path: Path) -> None:
    taken = []
    with postgres.private_server(durable=True) as url:
        for processes in (1, 2):
            environment = {"DATABASE_URL": url, "WEB_PROCESSES": str(processes)}
            with running_server(tmp_path / str(processes), environment=environment) as server:
                taken.append(measure_requests(server, processes))
    one, two = taken
    table.add(
        "P12  CPU of a creation with two web processes beside one (<= 1.1x)",
        f"{one:.2f} → {two:.2f} ms",
        f"{two / one:.2f}x",
        two <= 1.1 * one,
    )


def measure_requests(server: Cordboard, processes: int) -> float:
    """Return the milliseconds of CPU of all web processes for a creation."""
    crowd = run_to_end("latency_data", server, json.dumps({"here": 10}))
    web = find_web_processes(server, processes)
    assert len(web) == processes
    with standing_still(server):
        post_all(server, crowd, WARM_UP)
        rounds = []
        for _ in range(ROUNDS):
            begun = sum(map(cpu_seconds, web))
            post_all(server, crowd, CREATIONS)
            rounds.append(sum(map(cpu_seconds, web)) - begun)
    return 1000 * statistics.median(rounds) / (CREATIONS * CONNECTIONS)


def find_web_processes(server: Cordboard, processes: int) -> list[int]:
    """Return the ids of the processes that answer requests: the part itself, or its children."""
    web = server.part("web")
    if processes == 1:
        return [web]
    return [*map(int, Path(f"/proc/{web}/task/{web}/children").read_text().split())]


def test_two_routers_beside_one(table: Table, tmp_path: Path) -> None:
    found: dict[str, list[float]] = {"one": [], "two": [], "shared": []}
    with (
        postgres.private_server(durable=True) as url,
        running_server(tmp_path, environment={"DATABASE_URL": url}) as server,
        standing_still(server),
    ):
        for _ in range(ROUNDS):
            alone, first, second, both = run_to_end("router_drain", server, "fill", "4")
            found["one"].append(drain(server, [alone]))
            found["two"].append(drain(server, [first], [second]))
            found["shared"].append(drain(server, [both], [both]))
    one, two, shared = (statistics.median(each) for each in found.values())
    table.add(
        "P12  two workspaces on two routers, offers a CPU second of one lock (>= 1.9x)",
        f"{one:.2f} → {two:.2f} ms each",
        f"{2 * one / two:.2f}x",
        2 * one / two >= 1.9,
    )
    table.add(
        "P12  one workspace on two routers, CPU of an offer beside one router (<= 1.05x)",
        f"{one:.2f} → {shared:.2f} ms each",
        f"{shared / one:.2f}x",
        shared <= 1.05 * one,
    )


def drain(server: Cordboard, *routers: list[str]) -> float:
    """Run routers at once, each in some workspaces; return milliseconds of CPU for each offer."""
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.router_drain", "drain", *sids],
            cwd=ROOT,
            env=server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=pipe,
            stdout=pipe,
            text=True,
        )
        for sids in routers
    ]
    for each in started:
        assert each.stdout is not None
        each.stdout.readline()
    answers = [each.communicate("go\n")[0] for each in started]
    reports = [json.loads(answer.splitlines()[-1]) for answer in answers]
    spent = float(sum(each["cpu"] for each in reports))
    return 1000 * spent / float(sum(each["offers"] for each in reports))
