"""A port for metrics answers nothing else, and the usual port then answers no metrics."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.server import free_port, running_server, wait_until

pytestmark = pytest.mark.system


def read_status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_metrics_have_a_port_of_their_own(data_directory: Path) -> None:
    port = free_port()
    settings = {"METRICS": "1", "METRICS_PORT": str(port)}
    with running_server(data_directory, environment=settings) as server:
        own = f"http://127.0.0.1:{port}"
        for path in ("/metrics", "/metrics/queues"):
            assert read_status(f"{own}{path}") == 200
            assert read_status(f"{server.url}{path}") == 404
        for path in ("/livez", "/v1/Workspaces", "/supervisor/", "/agent/socket"):
            assert read_status(f"{own}{path}") == 404
        assert read_status(f"{server.url}/livez") == 200


@pytest.mark.skipif(sys.platform != "linux", reason="several web processes need Linux")
def test_one_of_several_web_processes_has_the_port(data_directory: Path) -> None:
    port = free_port()
    settings = {"METRICS": "1", "METRICS_PORT": str(port), "WEB_PROCESSES": "2"}
    with running_server(data_directory, environment=settings) as server:
        metrics = f"http://127.0.0.1:{port}/metrics"
        assert read_status(metrics) == 200
        holder = next(
            pid for pid in find_children(server.parts()["web"]) if port in list_ports(pid)
        )
        os.kill(holder, signal.SIGKILL)
        wait_until(lambda: try_status(metrics) == 200, "another process has the port")
        wait_until(lambda: try_status(f"{server.url}/livez") == 200, "the others go on")


def try_status(url: str) -> int:
    try:
        return read_status(url)
    except OSError:
        return 0


def find_children(parent: int) -> list[int]:
    """Return the processes that a process has forked."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for each in tasks for pid in each.read_text().split()]


def list_ports(process: int) -> set[int]:
    """Return the ports on which a process listens."""
    inodes = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))
    ports = set()
    for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[3] == "0A" and columns[9] in inodes:
            ports.add(int(columns[1].rpartition(":")[2], 16))
    return ports
