"""Processes that start as copies of one that has loaded everything already.

Loading Django, Daphne and Celery takes a second of CPU and 100 MB. `make run` does it once: on
Linux each part is a fork, which shares those pages until it writes to them. Elsewhere, where system
libraries do not survive a fork, each part is a new interpreter that loads everything itself.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

METHOD = "fork" if sys.platform == "linux" else "spawn"
LONGEST_LINE_BYTES = 1024 * 1024
PR_SET_PDEATHSIG = 1

_supervisor_ends: list[Connection] = []
"""The supervisor's ends of the pipes to its processes; a fork inherits those made before it."""


class Fork:
    """A process with a pipe for its output and a pipe for the signal to start.

    Create it before the parent has threads or connections, as a fork can use neither.
    """

    def __init__(self, name: str, run: Callable[..., None], arguments: Sequence[str] = ()) -> None:
        """Start a process that prepares itself, then waits for `release`.

        Arguments:
            run: a module's function. It is called with a file descriptor and then `arguments`;
                the descriptor brings a line at `release`, and ends when the supervisor does.
        """
        context: Any = multiprocessing.get_context(METHOD)
        control, self._control = context.Pipe(duplex=False)
        self._output, output = context.Pipe(duplex=False)
        _supervisor_ends.extend([self._control, self._output])
        self.returncode: int | None = None
        # As a daemon, it ends if the supervisor fails before adopting it.
        self._process = context.Process(
            target=_run, name=name, args=(name, run, control, output, *arguments), daemon=True
        )
        self._process.start()
        control.close()
        output.close()

    @property
    def pid(self) -> int:
        """Return the process id."""
        found: int = self._process.pid
        return found

    def release(self) -> None:
        """Send the signal to start; a process that has already ended is not an error."""
        try:
            os.write(self._control.fileno(), b"go\n")
        except BrokenPipeError:
            return

    async def open_output(self) -> asyncio.StreamReader:
        """Return a stream of the lines that the process prints."""
        reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader),
            open(os.dup(self._output.fileno()), "rb", buffering=0),  # noqa: SIM115 - the loop's
        )
        return reader

    async def wait(self) -> None:
        """Return when the process has ended; `returncode` is set then."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        self.returncode = self._process.exitcode


def _run(
    name: str,
    run: Callable[..., None],
    control: Connection,
    output: Connection,
    *arguments: str,
) -> None:
    """Detach the new process from the supervisor's terminal and pipes, and run the part."""
    # Ctrl-C in a terminal then reaches the supervisor alone, which ends the parts in order.
    os.setsid()
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None
    end_with(supervisor.pid or 0)
    for end in _supervisor_ends:
        end.close()
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    output.close()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv = ["cordboard", name]
    run(control.fileno(), *arguments)


def end_with(parent: int) -> None:
    """End this process when its parent ends, however that does, where the kernel can (Linux)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
