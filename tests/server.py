"""Run a complete Cordboard server in real processes, as `make run` does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from config.environment import DATABASE_FILE
from tests import database_templates, launcher

ROOT = Path(__file__).resolve().parent.parent
LONGEST_START_SECONDS = 180.0
LONGEST_END_SECONDS = 60.0
"""Seconds; generous, as a machine that is busy must not fail a test that measures nothing."""
CREDENTIAL_PREFIXES = ("ACCOUNT_", "AUTH_", "API_KEY_", "ADMIN_", "AGENT_")
PARTS = ("web", "jobs", "callbacks", "beat", "redis")
SETTINGS = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "HTTPS", "HOST", "PORT", "DATA_DIR"),
    *("DEMO", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS", "LOG_FORMAT"),
    *("RATE_LIMIT", "CORS_ORIGINS", "TRUSTED_PROXIES"),
    *("CALLBACK_ALLOW_PRIVATE", "CALLBACK_RETRY_HOURS", "CALLBACK_RETENTION_DAYS"),
    *("METRICS", "METRICS_TOKEN", "METRICS_ALLOW", "METRICS_MAX_QUEUES"),
    "OFFER_AT_CREATION",
)


class Cordboard:
    """One server: its processes, its data directory, and its health."""

    def __init__(
        self,
        home: Path,
        *,
        demo: bool = False,
        environment: Mapping[str, str] | None = None,
        from_nothing: bool = False,
    ) -> None:
        """Prepare a server in `home` on a free port.

        Arguments:
            environment: variables that are added to a bare environment.
            from_nothing: whether each start is a new interpreter and the first one migrates the
                database, as a user's does. Else it is a fork of the launcher, and finds a database
                that is migrated and empty, which saves half of the time.
        """
        self.home = home
        self.preloaded = not from_nothing
        self.from_nothing = from_nothing or "DATABASE_URL" in (environment or {})
        given = environment or {}
        self.port = given.get("PORT") or str(free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = home.parent / f"{home.name}-{self.port}.out"
        bare = {
            name: value
            for name, value in os.environ.items()
            if name not in SETTINGS and not name.startswith(CREDENTIAL_PREFIXES)
        }
        own = {"DATA_DIR": str(home), "PORT": self.port, "DEMO": "1" if demo else "0"}
        self.environment = {**bare, **own, **given}
        self.process: launcher.Started | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process that holds the others together runs."""
        return self.process is not None and self.process.poll() is None

    def launch(self) -> launcher.Started:
        """Start the processes without waiting for anything."""
        database = self.home / DATABASE_FILE
        if not self.from_nothing and not database.exists():
            self.home.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(database_templates.migrated_sqlite(), database)
        with open(self.output, "wb") as output:
            self.process = launcher.start(
                *("manage.py", "serve"),
                env=self.environment,
                stdout=output,
                preloaded=self.preloaded,
            )
        return self.process

    def start(self) -> Cordboard:
        """Start the processes and wait until all of them answer."""
        process = self.launch()
        wait_until(
            lambda: process.poll() is not None or "Cordboard is ready" in self.said(),
            "the server is ready",
            seconds=LONGEST_START_SECONDS,
        )
        assert process.poll() is None, self.said()
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the server to end and return its exit status; kill it when it does not."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for the server's own end and return its exit status."""
        assert self.process is not None
        try:
            return self.process.wait(LONGEST_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def said(self) -> str:
        """Return all that it has printed since the last start."""
        return self.output.read_text(errors="replace")

    def part(self, name: str) -> int:
        """Return the process id of a part, one of `PARTS`."""
        log = (self.home / "logs" / f"{name}.log").read_text(errors="replace")
        return int(re.findall(r"^-- started as process (\d+)$", log, re.MULTILINE)[-1])

    def parts(self) -> dict[str, int]:
        """Return the process ids of all parts."""
        return {name: self.part(name) for name in PARTS}

    def credentials(self) -> dict[str, str]:
        """Return what `credentials.env` gives a shell that sources it."""
        path = shlex.quote(str(self.home / "credentials.env"))
        given = subprocess.run(
            ["sh", "-c", f"set -a; . {path}; env -0"],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            check=True,
        ).stdout.decode()
        pairs = (line.partition("=") for line in given.split("\0"))
        return {name: value for name, _, value in pairs if name.startswith(CREDENTIAL_PREFIXES)}

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of `/healthz`."""
        try:
            with urllib.request.urlopen(
                f"{self.url}/healthz", timeout=LONGEST_END_SECONDS
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@contextlib.contextmanager
def running_server(
    home: Path,
    *,
    demo: bool = False,
    environment: Mapping[str, str] | None = None,
    from_nothing: bool = False,
) -> Iterator[Cordboard]:
    """Run a server that is ready when the block begins and gone when it ends."""
    server = Cordboard(home, demo=demo, environment=environment, from_nothing=from_nothing)
    try:
        yield server.start()
    finally:
        server.end()


@contextlib.contextmanager
def running_part(
    server: Cordboard, *arguments: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run another part beside those of a server; its lines go to a file beside the server's."""
    output = server.output.with_suffix(f".{'-'.join(arguments)}.out")
    with (
        open(output, "wb") as lines,
        subprocess.Popen(
            [sys.executable, "-m", "config.serve.process", *arguments],
            cwd=ROOT,
            env={**server.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=lines,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    holds: Callable[[], object], what: str, *, seconds: float = LONGEST_END_SECONDS
) -> None:
    """Poll until a condition holds; fail with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that has ended and was not collected yet does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def are_all_ended(processes: Mapping[str, int]) -> bool:
    """Return whether all of these processes have ended."""
    return not any(is_alive(process) for process in processes.values())
