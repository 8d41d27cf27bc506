"""Run several web processes behind one port, so that requests use several cores.

A process of its own opens the listening socket, forks the web processes, and replaces one that has
ended. The kernel gives each connection to one of them. They share nothing but the socket, so each
drains and dies alone.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from config.serve.forks import end_with

BACKLOG: Final = 511
"""How many connections wait for a process to accept them."""
STEADY_SECONDS: Final = 10.0
"""A process that lives for so long has started well."""
MOST_FAILURES: Final = 5
"""After so many processes in a row that did not start well, all are ended."""
FIRST_PAUSE_SECONDS: Final = 0.5
"""How long to wait after the first of these; twice as long after each further one."""

Run = Callable[[int, int], None]
"""Serves until stopped; gets a descriptor that brings the line to start, and the socket's."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    control: int
    """The descriptor of the pipe that brings the line to start; it closes when we end."""
    begun_at: float


class WebProcesses:
    """Processes that serve one socket.

    Arguments:
        run: runs in each of them.
    """

    def __init__(self, count: int, listener: socket.socket, run: Run) -> None:
        self._count = count
        self._listener = listener
        self._run = run
        self._processes: list[_Process] = []
        self._is_released = False
        self._stops = 0
        self._failures = 0
        self._start_at = 0.0
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def serve(self, control: int) -> NoReturn:
        """Start the processes, and keep as many running until a signal; never returns.

        Arguments:
            control: brings a line when they may serve, and ends when the supervisor does.
        """
        signal.set_wakeup_fd(self._wake)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._fill_up()
        while True:
            self._wait(control)
            self._bury()
            if self._stops and not self._processes:
                sys.exit(self._failures >= MOST_FAILURES)
            if not self._stops:
                self._fill_up()

    def _on_stop(self, number: int, _frame: object) -> None:
        """Ask the processes to drain; a second signal ends the drain."""
        self._stops += 1
        if self._stops == 1:
            # Theirs are closed as each begins to drain; then the kernel refuses connections.
            self._listener.close()
        for each in self._processes:
            os.kill(each.pid, signal.SIGTERM)

    def _wait(self, control: int) -> None:
        """Wait for a signal, for the line to start, or until a process may be started."""
        missing = not self._stops and len(self._processes) < self._count
        timeout = max(self._start_at - time.monotonic(), 0) if missing else None
        ready, _, _ = select.select([control, self._woken], [], [], timeout)
        if self._woken in ready:
            os.read(self._woken, 4096)
        if control in ready:
            if not os.read(control, 1024):
                # As if killed; the processes end with us.
                os._exit(1)
            if not self._stops:
                self._listener.listen(BACKLOG)
            self._is_released = True
            for each in self._processes:
                os.write(each.control, b"go\n")

    def _bury(self) -> None:
        """Remove the processes that have ended."""
        for each in [*self._processes]:
            pid, status = os.waitpid(each.pid, os.WNOHANG)
            if not pid:
                continue
            os.close(each.control)
            self._processes.remove(each)
            if self._stops:
                continue
            code = os.waitstatus_to_exitcode(status)
            print(f"web process {pid} ended with {code}; another one starts", flush=True)  # noqa: T201 - the supervisor logs it
            if time.monotonic() - each.begun_at >= STEADY_SECONDS:
                self._failures = 0
                continue
            self._failures += 1
            self._start_at = time.monotonic() + FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1)
            if self._failures >= MOST_FAILURES:
                os.kill(os.getpid(), signal.SIGTERM)

    def _fill_up(self) -> None:
        """Start the processes that are missing, unless some have just failed."""
        while len(self._processes) < self._count and time.monotonic() >= self._start_at:
            self._processes.append(self._start())

    def _start(self) -> _Process:
        control, ours = os.pipe()
        parent = os.getpid()
        if not (pid := os.fork()):
            self._become_web(parent, control, ours)
        os.close(control)
        if self._is_released:
            os.write(ours, b"go\n")
        return _Process(pid, ours, time.monotonic())

    def _become_web(self, parent: int, control: int, ours: int) -> NoReturn:
        """Serve in the new process, apart from the signals and pipes of its parent."""
        status = 1
        try:
            # A signal to the parent's group must reach it once: the parent passes it on.
            os.setpgid(0, 0)
            end_with(parent)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for end in (ours, self._woken, self._wake, *(each.control for each in self._processes)):
                os.close(end)
            self._run(control, self._listener.detach())
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an IPv4 address, and does not listen yet."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((host, port))
    return listener
