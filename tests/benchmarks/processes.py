"""Run helper processes of a benchmark, and measure the memory and CPU of the server's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import connection

from tests.server import ROOT, Cordboard


class Helper:
    """A process that takes commands as lines of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **command: Any) -> Any:
        """Send a command and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def running_helper(name: str, server: Cordboard, *arguments: str) -> Iterator[Helper]:
    """Run a module of the benchmarks until the block ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        _command(name, *arguments),
        cwd=ROOT,
        env=_environment(server),
        stdin=pipe,
        stdout=pipe,
        text=True,
    ) as process:
        try:
            yield Helper(process)
        finally:
            process.terminate()


def run_to_end(name: str, server: Cordboard, *arguments: str) -> Any:
    """Run a module of the benchmarks to its end and return what it printed."""
    return json.loads(
        subprocess.run(
            _command(name, *arguments),
            cwd=ROOT,
            env=_environment(server),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments]


def _environment(server: Cordboard) -> dict[str, str]:
    return server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}


def memory_kb(process: int) -> float:
    """Return how many kB of memory a process has."""
    status = Path(f"/proc/{process}/status").read_text()
    return float(re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[0])


def cpu_seconds(process: int) -> float:
    """Return how many seconds a process has computed, in steps of the kernel's clock."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spent_seconds() -> float:
    """Return how many seconds this process has computed, with its session of PostgreSQL."""
    own = time.process_time()
    if connection.vendor != "postgresql":
        return own
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    # Nanoseconds of its only thread; `stat` has steps of 10 ms.
    return own + int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def database_cpu_seconds(url: str) -> float:
    """Return how many seconds all processes of a private PostgreSQL have computed.

    Those that have ended count in steps of the kernel's clock.
    """
    (home,) = parse_qs(urlsplit(url).query)["host"]
    main = (Path(home) / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
    ended = Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()[13:15]
    processes = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    spent = sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
    for process in (main, *processes):
        with contextlib.suppress(OSError):
            spent += int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    return spent
