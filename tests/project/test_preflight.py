"""One server per data directory; what a killed one leaves is waited for."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from config.serve import preflight


def end_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def lock(directory: Path, process: int) -> Any:
    """Hold the lock of a directory, as a server with this process id."""
    file = (directory / preflight.LOCK_FILE).open("w")
    file.write(f"{process}\n")
    file.flush()
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def test_a_start_waits_for_the_parts_of_a_killed_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = lock(tmp_path, end_process())
    monkeypatch.setattr(time, "sleep", lambda _: held.close())
    with preflight.hold_directory(tmp_path, "http://here"):
        assert (tmp_path / preflight.LOCK_FILE).read_text().startswith(f"{os.getpid()}\n")


def test_a_start_beside_a_running_server_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waits"))
    with (
        lock(tmp_path, os.getpid()),
        pytest.raises(preflight.StartRefused, match=f"process {os.getpid()}"),
        preflight.hold_directory(tmp_path, "http://here"),
    ):
        pass


def test_a_start_waits_for_a_limited_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now)))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with (
        lock(tmp_path, end_process()),
        pytest.raises(preflight.StartRefused, match="Another Cordboard"),
        preflight.hold_directory(tmp_path, "http://here"),
    ):
        pass
