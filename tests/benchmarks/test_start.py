"""The cost of a start and an end of `make run`, and the memory of its parts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Table
from tests.server import Cordboard

pytestmark = pytest.mark.bench

LATER_STARTS = 3
PARTS = ("web", "jobs", "callbacks", "beat")


def cpu_of(process: int) -> float:
    """Return the CPU seconds that a running process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_of(process: int) -> float:
    """Return a process's memory in MB; a page that n processes share counts 1/n."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def start(server: Cordboard) -> tuple[float, float]:
    """Start a server; return the seconds until it was ready, and the CPU seconds of all parts."""
    begun = time.perf_counter()
    server.start()
    wall = time.perf_counter() - begun
    assert server.process is not None
    return wall, sum(map(cpu_of, [*server.parts().values(), server.process.pid]))


def test_cost_of_a_start_and_an_end(tmp_path: Path, table: Table) -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("memory is read from /proc")
    server = Cordboard(tmp_path / "var", from_nothing=True)
    wall, cpu = start(server)
    table.add("start: the first, s until ready (3)", f"{wall:.1f} s", met=wall <= 3)
    table.add("start: the first, CPU of all parts (4.5)", f"{cpu:.1f} s", met=cpu <= 4.5)
    memory = sum(memory_of(process) for name, process in server.parts().items() if name in PARTS)
    table.add(
        "start: memory of web, jobs, callbacks, beat (300)", f"{memory:.0f} MB", met=memory <= 300
    )
    ends, later = [], []
    for _ in range(LATER_STARTS):
        begun = time.perf_counter()
        server.end()
        ends.append(time.perf_counter() - begun)
        later.append(start(server))
    server.end()
    wall, cpu = sorted(later)[len(later) // 2]
    table.add("start: a later one, s until ready (2)", f"{wall:.1f} s", met=wall <= 2)
    table.add("start: a later one, CPU of all parts (3)", f"{cpu:.1f} s", met=cpu <= 3)
    table.add("end: the longest of three (5)", f"{max(ends):.1f} s", met=max(ends) <= 5)
