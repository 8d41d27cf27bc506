"""Send a steady stream of tasks to a running demo through its REST API."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from routing.demo import floor, stories
from routing.demo.client import ApiError, Client
from routing.demo.colleagues import Colleagues


class Command(BaseCommand):
    """Post task after task until stopped, and say how many, live."""

    help = (
        "Send varied tasks to a running demo until Ctrl-C; colleagues without a login take their"
        " part, so that what waits stays within bounds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the pace, the seed, an end, and where the server is."""
        parser.add_argument("--rate", type=float, default=0.5, help="tasks a second (0.5)")
        parser.add_argument("--seed", type=int, default=1, help="which stories are told (1)")
        parser.add_argument("--count", type=int, help="stop after so many tasks")
        parser.add_argument(
            "--alone", action="store_true", help="leave all work to those who log in"
        )
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, **options: Any) -> None:
        """Run until stopped; the colleagues go offline at the end."""
        if options["rate"] <= 0:
            raise CommandError("--rate must be more than 0 tasks a second")
        client = self._client(options["host"], options["port"])
        try:
            workspace = self._workspace(client)
            colleagues = None if options["alone"] else self._colleagues(client, workspace, options)
        except (OSError, ApiError) as error:
            raise CommandError(
                f"No demo answers at {options['host']}:{options['port']} ({error}). Start it with"
                " `make run` first, or name its --port."
            ) from None
        # Ended by either signal, it takes the colleagues offline, who would answer no offer.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._run(client, workspace, colleagues, options)
        except KeyboardInterrupt:
            self.stdout.write("")
        except (OSError, ApiError) as error:
            raise CommandError(f"The server does not answer any more: {error}") from None
        finally:
            if colleagues is not None:
                self._send_home(colleagues)

    def _run(
        self,
        client: Client,
        workspace: str,
        colleagues: Colleagues | None,
        options: dict[str, Any],
    ) -> None:
        told = stories.tasks(options["seed"])
        sent, begun = 0, time.monotonic()
        due = begun
        while options["count"] is None or sent < options["count"]:
            now = time.monotonic()
            if now >= due:
                channel, attributes = next(told)
                client.post(
                    f"/Workspaces/{workspace}/Tasks",
                    TaskChannel=channel,
                    Attributes=json.dumps(attributes, ensure_ascii=False),
                )
                sent += 1
                due = max(due + 1 / options["rate"], now)
            if colleagues is not None:
                colleagues.act(now)
            self._show(sent, colleagues, now - begun)
            time.sleep(max(min(due - time.monotonic(), 0.5), 0))
        self.stdout.write("")

    def _show(self, sent: int, colleagues: Colleagues | None, seconds: float) -> None:
        done = "" if colleagues is None else f"   completed by colleagues {colleagues.completed}"
        end = "" if sys.stdout.isatty() else "\n"
        start = "\r" if sys.stdout.isatty() else ""
        self.stdout.write(f"{start}tasks sent {sent}{done}   {seconds:.0f} s", ending=end)
        self.stdout.flush()

    def _send_home(self, colleagues: Colleagues) -> None:
        try:
            colleagues.sign("Offline")
        except (OSError, ApiError) as error:
            self.stderr.write(f"The colleagues could not sign off: {error}")

    def _client(self, host: str, port: int) -> Client:
        path = Path(settings.DATA_DIR) / "credentials.env"
        words = shlex.split(path.read_text(), comments=True) if path.exists() else []
        known = dict(word.split("=", 1) for word in words if "=" in word) or dict(os.environ)
        try:
            return Client(
                host=host,
                port=port,
                username=known["API_KEY_SID"],
                password=known["API_KEY_SECRET"],
            )
        except KeyError:
            raise CommandError(
                f"No credentials: {path} is not there, and API_KEY_SID and API_KEY_SECRET are not"
                " in the environment."
            ) from None

    def _workspace(self, client: Client) -> str:
        found = client.get("/Workspaces", FriendlyName=floor.WORKSPACE)["workspaces"]
        if not found:
            raise CommandError("This server has no demo workspace: it was started with DEMO=0.")
        return str(found[0]["sid"])

    def _colleagues(self, client: Client, workspace: str, options: dict[str, Any]) -> Colleagues:
        names = {name.capitalize() for name, *_ in floor.WORKERS[floor.LOGINS :]}
        colleagues = Colleagues(client, workspace, names=names, seed=options["seed"])
        colleagues.sign("Available")
        return colleagues
