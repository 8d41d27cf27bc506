"""The parts of `make run`: forks of one process that has loaded everything."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config.serve import forks
from tests.server import ROOT

LONGEST_WAIT_SECONDS = 60
PRELOADED = """
import gc, json, os, sys, threading
import django
django.setup()
before = os.listdir("/proc/self/fd")
from config.serve import process
process.preload()
print(json.dumps({
    "opened": len(os.listdir("/proc/self/fd")) - len(before),
    "threads": threading.active_count(),
    "loaded": [name for name in process.PRELOADED if name in sys.modules],
    "frozen": gc.get_freeze_count() > 100_000,
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="parts are forked on Linux only")
def test_preloading_opens_nothing_that_two_processes_cannot_share() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PRELOADED],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        check=True,
    )
    found = json.loads(run.stdout)
    from config.serve import process

    assert found == {
        "opened": 0,
        "threads": 1,
        "loaded": list(process.PRELOADED),
        "frozen": True,
    }


def speak_when_released(control: int, *words: str) -> None:
    """Print a line, wait, print another, and end with a status of its own."""
    # Past `sys.stdout`, which in a fork of these tests is what pytest captures.
    os.write(1, b"waiting\n")
    if not os.read(control, 10):
        os._exit(1)
    os.write(1, " ".join(words).encode() + b"\n")
    sys.exit(7)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_fork_waits_for_its_release_and_forwards_its_output(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "METHOD", method)
    fork = forks.Fork("speaker", speak_when_released, ["now", "running"])

    async def listen() -> list[Any]:
        output = await fork.open_output()
        first = await output.readline()
        fork.release()
        rest = await output.read()
        await fork.wait()
        return [first, rest, fork.returncode]

    assert asyncio.run(asyncio.wait_for(listen(), LONGEST_WAIT_SECONDS)) == [
        b"waiting\n",
        b"now running\n",
        7,
    ]
    fork.release()  # A process that has ended is no error.
