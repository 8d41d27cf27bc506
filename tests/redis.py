"""Start a private Redis for tests that need a real one."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from config.serve import embedded_redis
from tests.server import wait_until


@contextlib.contextmanager
def private_server(path: Path, *, end_by: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    """Run a server that listens on the socket `path`; yield its URL, and end it after."""
    command = embedded_redis.command_line(embedded_redis.find_server(), path)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: _listens(path), "Redis listens")
            yield f"unix://{path}"
        finally:
            server.send_signal(end_by)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
