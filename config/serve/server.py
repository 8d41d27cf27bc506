"""The sequence of a start: Redis, then load everything and prepare the database, then go."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from config import logs
from config.environment import BASE_DIR, uses_embedded_redis
from config.serve import credentials, embedded_redis, forks, measurements, process
from config.serve.credentials import Credentials
from config.serve.forks import Fork
from config.serve.supervisor import PATIENCE, Supervisor

LONGEST_START = 60
"""Seconds after which an unfinished start is given up."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on

T = TypeVar("T")


class Server:
    """One Cordboard on one machine."""

    def __init__(self, *, host: str, port: int, demo: bool, data_dir: Path) -> None:
        """Create a server for an address and a data directory."""
        self.host = host
        self.port = port
        self.demo = demo
        self.data_dir = data_dir
        self.near = WILDCARDS.get(host, host)
        """The address at which this machine can reach the server."""
        self.url = f"http://{f'[{self.near}]' if ':' in self.near else self.near}:{port}"
        self.outdated: set[str] = set()
        """The users whose password was changed since the first start."""

    def fork_parts(self) -> dict[str, Fork]:
        """Load everything, then fork the parts, before this process has threads or connections."""
        measurements.prepare_directory(self.data_dir)
        if forks.METHOD == "fork":
            process.preload()
        arguments = {"web": [self.host, str(self.port)]}
        return {
            name: Fork(name, run, arguments.get(name, ())) for name, run in process.PARTS.items()
        }

    def run(self, *, with_parent: bool) -> None:
        """Start everything and keep it running; raises the reason of its end."""
        parts = self.fork_parts()
        try:
            asyncio.run(self._run(parts, with_parent=with_parent))
        finally:
            embedded_redis.remove_socket(self.data_dir)

    async def _run(self, parts: dict[str, Fork], *, with_parent: bool) -> None:
        async with Supervisor(
            home=BASE_DIR, logs=self.data_dir / "logs", say=_say_line
        ) as supervisor:
            if with_parent:
                supervisor.end_with_parent()
            if uses_embedded_redis():
                await self._start_redis(supervisor)
            for name, fork in parts.items():
                await supervisor.adopt(name, fork, patience=_patience(name))
            made = await supervisor.until(_in_thread(self._prepare))
            gc.enable()
            for fork in parts.values():
                fork.release()
            await supervisor.until(self._healthy(), seconds=LONGEST_START)
            self._welcome(made)
            await supervisor.until(asyncio.Event().wait())

    async def _start_redis(self, supervisor: Supervisor) -> None:
        path = embedded_redis.prepare_socket(self.data_dir)
        embedded_redis.stop_leftover(path)
        arguments = embedded_redis.command_line(embedded_redis.find_server(), path)
        await supervisor.start("redis", arguments)
        await supervisor.until(embedded_redis.wait_for_answer(path), seconds=LONGEST_START)

    def _prepare(self) -> Credentials | None:
        """Migrate the database, and fill it at the first start."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
            made = credentials.ensure_credentials(self.data_dir, demo=self.demo)
            if self.demo:
                for name in credentials.GENERATED_FOR_DEMO:
                    if made and name in made:
                        os.environ[name] = made[name]
                call_command("demo", verbosity=0)
            self.outdated = credentials.outdated_users(made or {})
            return made
        finally:
            connections.close_all()

    async def _healthy(self) -> None:
        """Return once `/healthz` reports that all parts answer."""
        while not await self._asks_well():
            await asyncio.sleep(0.1)

    async def _asks_well(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(self.near, self.port)
        except OSError:
            return False
        with contextlib.closing(writer):
            writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            try:
                answer = await asyncio.wait_for(reader.read(), 10)
                failing = set(json.loads(answer.partition(b"\r\n\r\n")[2])["failing"])
            except (OSError, TimeoutError, ValueError):
                return False
        # Work that became due while no server ran is late, and is being done.
        return failing <= {"due_work"}

    def _welcome(self, made: Credentials | None) -> None:
        """Print the URLs and where the credentials are."""
        url = self.url
        kept = self.data_dir / credentials.FILE
        shown = kept.relative_to(BASE_DIR) if kept.is_relative_to(BASE_DIR) else kept
        lines = ["", f"Cordboard is ready at {url}/", ""]
        if made:
            if "AGENT_USER" in made:
                lines.append(f"  agents       {url}/agent/          {self._login(made, 'AGENT')}")
            login = self._login(made, "ADMIN")
            lines += [
                f"  supervisors  {url}/supervisor/     {login}",
                f"  admin        {url}/admin/          {login}",
                f"  REST API     {url}/v1/Workspaces",
                f"  passwords and keys are in {shown}",
            ]
        else:
            lines += [
                f"  {shown} is missing, and its contents cannot be restored; nothing was replaced.",
                "  For a new password:  .venv/bin/python manage.py changepassword admin",
                f"  For a new API key:   {url}/admin/",
            ]
        say("\n".join([*lines, "", "Ctrl-C ends it.", ""]))

    def _login(self, made: Credentials, who: str) -> str:
        """Return how to log in; an agent's password is shown on a terminal only, never in a log."""
        name = made[f"{who}_USER"]
        if name in self.outdated:
            return f"log in as {name}, with the password set since the first start"
        shown = who == "AGENT" and sys.stdout.isatty()
        return f"log in as {name}" + (f" / {made['AGENT_PASSWORD']}" if shown else "")


def _patience(part: str) -> float:
    """Return the seconds a part has to end; the web process first answers open requests."""
    if part != "web":
        return PATIENCE
    return settings.DRAIN_GRACE_SECONDS + settings.DRAIN_SECONDS + PATIENCE


def say(text: str, *, level: str = "info") -> None:
    """Print in the log's form, unbuffered; a closed output is not an error."""
    text = logs.format_line(text.strip(), logger=__name__, level=level) if logs.is_json() else text
    with contextlib.suppress(OSError):
        print(text, flush=True, file=sys.stderr if level == "error" else sys.stdout)


def _say_line(text: str) -> None:
    """Print a part's line, which already has its form."""
    with contextlib.suppress(OSError):
        print(text, flush=True)  # noqa: T201 - the voice of the `serve` command


async def _in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a daemon thread, which does not delay our exit as the loop's would."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised in the waiting task
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="prepare").start()
    return await asyncio.wrap_future(future)
