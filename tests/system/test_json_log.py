"""With `LOG_FORMAT=json` each line that a process prints is a JSON object, from start to end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import launcher
from tests.server import (
    LONGEST_END_SECONDS,
    ROOT,
    Cordboard,
    free_port,
    running_server,
    wait_until,
)

pytestmark = pytest.mark.system


def events(text: str) -> list[dict[str, Any]]:
    """Return the lines as objects; each must be one."""
    found = [json.loads(line) for line in text.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in found)
    return found


def test_the_supervisor_and_its_parts_print_only_json(data_directory: Path) -> None:
    with running_server(
        data_directory, environment={"LOG_FORMAT": "json", "ACCESS_LOG": "1"}
    ) as server:
        urllib.request.urlopen(f"{server.url}/livez").close()
    said = events(server.said())
    assert any(line["event"].startswith("Cordboard is ready") for line in said)
    assert said[-1]["event"] == "Cordboard has ended."
    assert {line.get("part") for line in said} >= {"web", "jobs", "callbacks", "beat"}
    for log in (data_directory / "logs").glob("*.log"):
        if log.stem != "redis":
            events(log.read_text())


def commands() -> dict[str, list[str]]:
    """Return what compose.yaml runs, by the service."""
    text = (ROOT / "compose.yaml").read_text()
    programs = r"^  (\w+):\n(?:    .*\n)*?    command: (\[\"(?:daphne|celery)\".*\])$"
    found = re.findall(programs, text, re.MULTILINE)
    return {name: json.loads(command) for name, command in found}


@contextlib.contextmanager
def started(name: str, command: list[str], server: Cordboard, output: Path) -> Iterator[None]:
    """Run a service as compose.yaml does, over what a server has; end it by SIGTERM."""
    environment = {
        **server.environment,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_FORMAT": "json",
    }
    with output.open("wb") as file:
        process = launcher.start("-m", *command, env=environment, stdout=file)
    try:
        ready = "web ready" if name == "web" else "ready"
        wait_until(lambda: ready in output.read_text() or process.poll() is not None, "it is ready")
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST_END_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_each_service_of_production_prints_only_json(cordboard: Cordboard, tmp_path: Path) -> None:
    port = str(free_port())
    found = commands()
    assert set(found) == {"web", "jobs", "callbacks", "beat"}
    # As the README names it: Daphne would print an access log of its own.
    found["web"] = ["daphne", "--port", port, "config.asgi:application"]
    with contextlib.ExitStack() as stack:
        for name, command in found.items():
            stack.enter_context(started(name, command, cordboard, tmp_path / name))
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/Workspaces?token=secret")
        request_id = refused.value.headers["X-Request-Id"]
        refused.value.close()
    said = {name: events((tmp_path / name).read_text()) for name in found}
    (line,) = [line for line in said["web"] if line["event"] == "request"]
    assert (line["path"], line["status"], line["request_id"]) == ("/v1/Workspaces", 401, request_id)
    assert any("Warm shutdown" in line["event"] for line in said["jobs"])


SCRIPT = """
import logging, threading, warnings
import django
django.setup()
warnings.warn("of a library")
try:
    raise LookupError("caught")
except LookupError:
    logging.getLogger("channels_redis.core").exception("two\\nlines")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("uncaught")
"""


def test_warnings_and_tracebacks_are_fields_of_a_json_line(tmp_path: Path) -> None:
    environment = {"LOG_FORMAT": "json", "DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 50}
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    warning, caught, thread, uncaught = events(ran.stderr)
    assert "of a library" in warning["event"]
    assert caught["event"] == "two\nlines"
    raised = {"LookupError": caught, "ZeroDivisionError": thread, "ValueError": uncaught}
    for name, line in raised.items():
        assert line["exception"].startswith("Traceback")
        assert name in line["exception"]
