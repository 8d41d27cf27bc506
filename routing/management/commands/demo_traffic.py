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
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from routing.demo import contents, customers
from routing.demo.cleanup import ENDING_SIGNALS, clean_up_if_killed
from routing.demo.client import ApiError, Client
from routing.demo.colleagues import Colleagues

SERVER_FILE = "serve.lock"
"""File in DATA_DIR where a server writes its process id and its URL, one per line."""


class Command(BaseCommand):
    """Create tasks until stopped, and show how many."""

    help = (
        "Send varied tasks to a running demo until Ctrl-C; simulated colleagues without a login"
        " take"
        " their part, so that the number of waiting tasks stays bounded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rate, the seed, the count and the server's address."""
        parser.add_argument("--rate", type=float, default=0.5, help="tasks a second (0.5)")
        parser.add_argument("--seed", type=int, default=1, help="seed of the generated tasks (1)")
        parser.add_argument("--count", type=int, help="stop after this number of tasks")
        parser.add_argument("--alone", action="store_true", help="do not simulate colleagues")
        host, port = os.environ.get("HOST") or None, os.environ.get("PORT") or None
        parser.add_argument(
            "--host", default=host, help="host of the server (default: the server of DATA_DIR)"
        )
        parser.add_argument("--port", default=port, type=int, help="port of the server")

    def handle(self, **options: Any) -> None:
        """Run until stopped; the colleagues go offline at the end."""
        if options["rate"] <= 0:
            raise CommandError("--rate must be more than 0 tasks a second")
        host, port = _find_address(options["host"], options["port"])
        client = self._client(host, port)
        colleagues = None
        # On any signal, colleagues go offline, as they would answer no more offers.
        for number in ENDING_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        try:
            workspace = self._workspace(client)
            colleagues = self._colleagues(client, workspace, options["seed"])
            if options["alone"]:
                colleagues.sign("Offline")
                self._run(client, workspace, None, options)
            else:
                with clean_up_if_killed(lambda: self._send_home(colleagues, client)):
                    colleagues.sign("Available")
                    self._run(client, workspace, colleagues, options)
        except KeyboardInterrupt:
            self.stdout.write("")
        except (OSError, ApiError) as error:
            raise CommandError(_describe_silence(host, port, error)) from None
        finally:
            # A second Ctrl-C must not leave them available.
            for number in ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            if colleagues is not None and not options["alone"]:
                self._send_home(colleagues, client)

    is_ended = False

    def _interrupt(self, *_: object) -> None:
        """End the stream; the loop looks too, as an exception is lost where none may be raised."""
        self.is_ended = True
        raise KeyboardInterrupt

    def _run(
        self,
        client: Client,
        workspace: str,
        colleagues: Colleagues | None,
        options: dict[str, Any],
    ) -> None:
        generated = customers.generate_tasks(options["seed"])
        impatient = customers.Impatient(client, workspace, seed=options["seed"])
        sent, begun = 0, time.monotonic()
        due = begun
        while not self.is_ended and (options["count"] is None or sent < options["count"]):
            now = time.monotonic()
            if now >= due:
                channel, attributes = next(generated)
                client.post(
                    f"/Workspaces/{workspace}/Tasks",
                    TaskChannel=channel,
                    Attributes=json.dumps(attributes, ensure_ascii=False),
                )
                sent += 1
                due = max(due + 1 / options["rate"], now)
            if colleagues is not None:
                colleagues.act(now)
                impatient.act(now)
            self._show(sent, colleagues, now - begun)
            time.sleep(max(min(due - time.monotonic(), 0.5), 0))
        self.stdout.write("")

    def _show(self, sent: int, colleagues: Colleagues | None, seconds: float) -> None:
        done = "" if colleagues is None else f"   completed by colleagues {colleagues.completed}"
        end = "" if sys.stdout.isatty() else "\n"
        start = "\r" if sys.stdout.isatty() else ""
        self.stdout.write(f"{start}tasks sent {sent}{done}   {seconds:.0f} s", ending=end)
        self.stdout.flush()

    def _send_home(self, colleagues: Colleagues, client: Client) -> None:
        # In another process, or after an interruption, the connection must be a new one.
        client.close()
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
                f"No credentials: {path} does not exist, and API_KEY_SID and API_KEY_SECRET are not"
                " in the environment."
            ) from None

    def _workspace(self, client: Client) -> str:
        found = client.get("/Workspaces", FriendlyName=contents.WORKSPACE)["workspaces"]
        if not found:
            raise CommandError("This server has no demo workspace: it was started with DEMO=0.")
        return str(found[0]["sid"])

    def _colleagues(self, client: Client, workspace: str, seed: int) -> Colleagues:
        names = {name.capitalize() for name, *_ in contents.WORKERS[contents.LOGINS :]}
        return Colleagues(client, workspace, names=names, seed=seed)


def _find_address(host: str | None, port: int | None) -> tuple[str, int]:
    """Return the server's address: as given, else as written by the server of DATA_DIR."""
    path = Path(settings.DATA_DIR) / SERVER_FILE
    lines = path.read_text().splitlines() if path.exists() else []
    noted = urlsplit(lines[1] if len(lines) > 1 else "")
    return host or noted.hostname or "127.0.0.1", port or noted.port or 8000


def _describe_silence(host: str, port: int, error: Exception) -> str:
    """Return an error message with what to do when the server cannot be used."""
    if isinstance(error, ApiError) and error.status == 401:
        return (
            f"The server at {host}:{port} does not know the API key of {settings.DATA_DIR}. Name"
            " the DATA_DIR of that server, or the PORT of another one."
        )
    return (
        f"No server answers at {host}:{port} ({error}). Start one with `make run`, or name the"
        " DATA_DIR or the PORT of the one that runs."
    )
