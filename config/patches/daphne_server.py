"""A Daphne server that drains at SIGTERM: it answers open requests and closes sockets gradually.

Daphne cancels everything at once when its reactor stops. Clients see a cut connection and cannot
know whether their request was carried out. Here the reactor's stop waits for the drain, up to a
time limit. A second signal ends the drain.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from daphne import cli
from daphne.server import Server
from django.conf import settings
from twisted.internet import defer

from config import draining
from config.patches.daphne_requests import open_channels
from config.patches.daphne_sockets import BoundedProtocol

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.05
SOCKETS_PER_SECOND: Final = 80
"""The handshakes that one web process can answer in a second without a queue (performance.md)."""
SPREAD_SHARE: Final = 0.8
"""The share of the drain over which a larger number of sockets is spread."""
IDLE_SECONDS: Final = 1.0
"""Idle seconds after which a connection is closed, as a request may still be on its way."""
ACCEPT_ROUNDS: Final = 5
FORCED_EXIT_SECONDS: Final = 2.0
"""Seconds that threads may take after the drain if they have not answered in it."""


class DrainingServer(Server):  # type: ignore[misc]
    """Daphne's server with a graceful shutdown."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Create a server without a port."""
        if settings.METRICS and settings.METRICS_PORT and "endpoints" in options:
            given = options["endpoints"]
            options["endpoints"] = add_metrics_endpoint(given, settings.METRICS_PORT)
        super().__init__(*args, **options)
        # Daphne's lines are not JSON, and show queries; `config.request_log` writes ours.
        self.action_logger = None
        self._ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        """Keep a port, so that it can be closed."""
        self._ports.append(port)
        host = port.getHost()
        logger.info("web ready at=%s", getattr(host, "name", None) or f"{host.host}:{host.port}")
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        """Go on without a port for metrics that another process of this machine has."""
        if settings.METRICS_PORT and getattr(failure.value, "port", 0) == settings.METRICS_PORT:
            logger.info(
                "web without metrics port=%d: another process has it", settings.METRICS_PORT
            )
            return
        super().listen_error(failure)

    def kill_all_applications(self) -> Any:
        """Drain, then cancel the rest; the reactor waits for this before it stops."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        hurry = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hurry.set)
        try:
            await self._drain(hurry)
        except Exception:  # the process must end in any case
            logger.exception("the drain has failed")
        await self._cancel_applications()

    async def _drain(self, hurry: asyncio.Event) -> None:
        draining.state.is_asked = True
        await _pause(hurry, settings.DRAIN_GRACE_SECONDS)
        self._stop_listening()
        draining.state.is_closed = True
        begun = time.monotonic()
        opened = len(list(self._open_sockets()))
        pace = max(SOCKETS_PER_SECOND, opened / max(settings.DRAIN_SECONDS * SPREAD_SHARE, 0.1))
        closed = 0
        requests = len(list(self._requests()))
        # A shutdown without open requests and sockets is not worth a log line.
        level = logging.INFO if requests or opened else logging.DEBUG
        logger.log(level, "draining requests=%d sockets=%d", requests, opened)
        while (taken := time.monotonic() - begun) < settings.DRAIN_SECONDS and not hurry.is_set():
            allowed = math.ceil((taken + TICK_SECONDS) * pace) - closed
            for protocol in list(itertools.islice(self._open_sockets(), allowed)):
                protocol.close_for_restart()
                closed += 1
            for channel in list(open_channels):
                channel.close_if_idle(IDLE_SECONDS)
            if self._is_done():
                break
            await _pause(hurry, TICK_SECONDS)
        left = len(list(self._requests()))
        level = logging.WARNING if left else level
        logger.log(level, "drained seconds=%.1f unanswered=%d", time.monotonic() - begun, left)

    def _stop_listening(self) -> None:
        """Close the ports after accepting the connections that the kernel has already made."""
        shared = draining.state.shared_listener
        for port in self._ports:
            if shared is None:
                # Later connections find the backlog full, and retry until the port is closed.
                port.socket.listen(0)
            for _ in range(ACCEPT_ROUNDS):
                port.doRead()
            port.stopListening()
        if shared is not None:
            # Daphne serves a copy. The socket is closed with the last copy of all processes.
            os.close(shared)

    def _open_sockets(self) -> Iterable[BoundedProtocol]:
        for protocol in self.connections:
            if isinstance(protocol, BoundedProtocol) and protocol.can_send:
                yield protocol

    def _requests(self) -> Iterable[Any]:
        """Yield the requests without an answer."""
        for protocol, details in self.connections.items():
            if not isinstance(protocol, BoundedProtocol) and _is_under_way(details):
                yield protocol

    def _is_done(self) -> bool:
        """Return whether every connection is closed and everything they started has ended."""
        return not open_channels and not any(map(_is_under_way, self.connections.values()))

    async def _cancel_applications(self) -> None:
        """Cancel the applications left after the drain, and let no thread delay the exit."""
        running = [details.get("application_instance") for details in self.connections.values()]
        left = {each for each in running if each is not None and not each.done()}
        for each in left:
            each.cancel()
        if left:
            timer = threading.Timer(FORCED_EXIT_SECONDS, os._exit, [0])
            timer.daemon = True
            timer.start()
            await asyncio.wait(left, timeout=FORCED_EXIT_SECONDS)


def add_metrics_endpoint(endpoints: Sequence[str], port: int) -> list[str]:
    """Return Twisted's endpoints with one for metrics, at the address of the first one."""
    return [*endpoints, f"tcp:port={port}:interface={_find_address(endpoints)}"]


def _find_address(endpoints: Sequence[str]) -> str:
    for each in endpoints:
        if each.startswith("fd:fileno="):
            # The socket that several web processes share, which is of IPv4.
            shared = socket.socket(fileno=os.dup(int(each.removeprefix("fd:fileno="))))
            with shared:
                return str(shared.getsockname()[0])
        if found := re.search(r"^tcp:.*:interface=((?:[^:\\]|\\.)+)", each):
            return found[1]
    return "127.0.0.1"


def _is_under_way(details: dict[str, Any]) -> bool:
    application = details.get("application_instance")
    if application is not None:
        return not application.done()
    return "disconnected" not in details


async def _pause(hurry: asyncio.Event, seconds: float) -> None:
    """Wait for some time, or until a second signal."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(hurry.wait(), seconds)


def install() -> None:
    """Make Daphne's command line use this server."""
    cli.CommandLineInterface.server_class = DrainingServer
