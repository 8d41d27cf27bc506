"""Run several processes as one: ordered start, one output, common end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TypeVar

from config import logs
from config.serve.forks import LONGEST_LINE_BYTES, Fork, end_with

LOG_SIZE = 4 * 1024 * 1024
"""Bytes of a part's log; one older file of the same size is kept."""
PATIENCE = 3.0
"""Seconds that parts have to end by themselves before they are killed."""
FOUNDATION_PATIENCE = 1.0
"""The same for foundations; together less than the five seconds that an end may take."""
LAST_LINES = 20
COLOURS = {"web": 36, "jobs": 32, "callbacks": 34, "beat": 35, "redis": 33}

T = TypeVar("T")


class Stopped(Exception):
    """A signal requested the end."""


class TooSlow(Exception):
    """Something did not happen in time."""


class PartEnded(Exception):
    """A part ended unexpectedly; carries the part."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.name)
        self.part = part


class Part:
    """A process with its output and its end."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process | Fork,
        output: asyncio.StreamReader,
        *,
        log: logging.Logger,
        foundation: bool,
        patience: float,
    ) -> None:
        self.name = name
        self.foundation = foundation
        self.patience = patience
        self.process = process
        self.output = output
        self.log = log
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)

    def note(self, text: str) -> None:
        """Write a line about the part to its log."""
        is_json = logs.is_json()
        self.log.info(
            logs.format_line(text, logger=__name__, part=self.name) if is_json else f"-- {text}"
        )

    def exit_report(self) -> str:
        """Return how it ended, with its last lines."""
        code = self.process.returncode or 0
        how = f"exit status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        lines = "".join(f"\n    {line}" for line in self.last_lines)
        return f"{self.name} ended unexpectedly ({how})" + (
            f"; its last lines:{lines}" if lines else " without any output."
        )


class Supervisor:
    """Runs the parts; an asynchronous context manager that ends them all."""

    def __init__(self, *, home: Path, logs: Path, say: Callable[[str], None]) -> None:
        """Run parts in `home`, log their lines in the directory `logs`, and pass them to `say`."""
        self.home = home
        self.logs = logs
        self.say = say
        self.parts: list[Part] = []
        self.stopping = asyncio.Event()
        self.is_hasty = False
        """Whether no part may take longer to end than `PATIENCE`, because of Ctrl-C."""
        self._endings: dict[asyncio.Task[None], Part] = {}

    async def __aenter__(self) -> Supervisor:
        self.logs.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end_all()

    def _on_signal(self, number: signal.Signals) -> None:
        self.is_hasty |= number == signal.SIGINT
        if self.stopping.is_set():
            self._signal_all(self.parts, signal.SIGKILL)
        self.stopping.set()

    async def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start a program that the parts depend on: it ends last, and writes to its log only."""
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=self.home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in a terminal then reaches only the supervisor, which ends them in order.
            start_new_session=True,
            preexec_fn=functools.partial(end_with, os.getpid()),
            limit=LONGEST_LINE_BYTES,
        )
        assert process.stdout is not None
        self._keep(name, process, process.stdout, foundation=True, patience=FOUNDATION_PATIENCE)

    async def adopt(self, name: str, fork: Fork, *, patience: float = PATIENCE) -> None:
        """Add a process that was forked before.

        Arguments:
            patience: seconds that it has to end by itself, unless Ctrl-C ends it.
        """
        self._keep(name, fork, await fork.open_output(), foundation=False, patience=patience)

    def _keep(
        self,
        name: str,
        process: asyncio.subprocess.Process | Fork,
        output: asyncio.StreamReader,
        *,
        foundation: bool,
        patience: float,
    ) -> None:
        log = self._log(name)
        part = Part(name, process, output, log=log, foundation=foundation, patience=patience)
        self.parts.append(part)
        part.note(f"started as process {process.pid}")
        self._endings[asyncio.create_task(self._listen(part))] = part

    def end_with_parent(self) -> None:
        """Stop when the process that started this one has ended."""
        parent = os.getppid()

        async def watch() -> None:
            while os.getppid() == parent:
                await asyncio.sleep(0.5)
            self.stopping.set()

        self._watch = asyncio.create_task(watch())

    async def until(self, awaitable: Awaitable[T], *, seconds: float | None = None) -> T:
        """Wait for something while all parts live.

        Raises `Stopped` after a signal, `PartEnded` if a part ends, and `TooSlow` after `seconds`.
        """
        wanted = asyncio.ensure_future(awaitable)
        stopping = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait(
                [wanted, stopping, *self._endings],
                return_when=asyncio.FIRST_COMPLETED,
                timeout=seconds,
            )
            if stopping.done():
                raise Stopped
            for ending, part in self._endings.items():
                if ending.done():
                    raise PartEnded(part)
            if not wanted.done():
                raise TooSlow(
                    f"No answer within {seconds:.0f} seconds; see the logs in {self.logs}."
                )
            return wanted.result()
        finally:
            stopping.cancel()
            wanted.cancel()

    async def end_all(self) -> None:
        """End the parts, then the foundations; kill those that do not end in time."""
        self.stopping.set()
        for foundation in (False, True):
            group = [each for each in self._endings.items() if each[1].foundation is foundation]
            self._signal_all([part for _, part in group], signal.SIGTERM)
            await asyncio.gather(*(self._end(part, ending) for ending, part in group))

    async def _end(self, part: Part, ending: asyncio.Task[None]) -> None:
        """Wait for a part's end, and kill it if that takes too long."""
        patience = min(part.patience, PATIENCE) if self.is_hasty else part.patience
        await asyncio.wait({ending}, timeout=patience)
        if not ending.done():
            self._signal_all([part], signal.SIGKILL)
            await asyncio.wait({ending})

    def _signal_all(self, parts: Sequence[Part], number: signal.Signals) -> None:
        for part in parts:
            if part.process.returncode is None:
                # Its whole session, as a part's own children must not outlive it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(part.process.pid, number)

    async def _listen(self, part: Part) -> None:
        """Pass on a part's output until it has ended."""
        colour = COLOURS.get(part.name) if _wants_colours() else None
        prefix = f"{part.name:9} | " if colour is None else f"\x1b[{colour}m{part.name:9} |\x1b[0m "
        while chunk := await _line(part.output):
            line = chunk.decode(errors="replace").rstrip()
            part.last_lines.append(line)
            part.log.info(line)
            if not part.foundation:
                self.say(logs.add_part_name(line, part.name) if logs.is_json() else prefix + line)
        await part.process.wait()
        part.note(f"process {part.process.pid} ended with {part.process.returncode}")

    def _log(self, name: str) -> logging.Logger:
        """Return a logger for the part, which writes bare lines."""
        logger = logging.Logger(name)
        handler = RotatingFileHandler(self.logs / f"{name}.log", maxBytes=LOG_SIZE, backupCount=1)
        logger.addHandler(handler)
        return logger


async def _line(stream: asyncio.StreamReader) -> bytes:
    """Return the next line, cut if it is too long; empty at the end."""
    try:
        return await stream.readuntil()
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await stream.readexactly(error.consumed)


def _wants_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
