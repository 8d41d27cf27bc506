"""Notice a PostgreSQL that has fallen silent, and fail what waits for it.

A firewall that drops packets, a frozen machine or a stalled disk leave a statement without an
answer and without an error, for a quarter of an hour with the defaults of Linux. A slow statement
looks the same from here. So after some seconds in which no statement was answered, another
connection is opened. Where that is answered, the statements are only slow, and PostgreSQL's own
limits end them. Where it is not, everything that waits fails, and new work fails at once, until
the database answers again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, TypeVar

import psycopg

logger = logging.getLogger(__name__)

T = TypeVar("T")

SUSPECT_SECONDS: Final = 3.0
"""For how long something must have waited, and nothing been answered, to ask by another way."""
PROBE_SECONDS: Final = 3
"""How long a new connection may take to be opened and answered."""
FRESH_SECONDS: Final = 1.0
"""An answer of this age proves that the database is there."""
_LOOK_SECONDS: Final = 0.5
WORDS: Final = "the database does not answer"


def _nothing() -> None:
    """Do nothing."""


class Watch:
    """What waits for the database in this process, and when it last answered."""

    def __init__(self) -> None:
        """Begin switched off: management commands wait as long as it takes."""
        self.is_silent = False
        self._ask = self._on_back = _nothing
        self._waiting: dict[object, float] = {}
        self._answered_at = time.monotonic()
        self._process = 0
        self._starting = threading.Lock()
        self._ended = threading.Event()

    @property
    def is_on(self) -> bool:
        """Return whether this process watches."""
        return self._process == os.getpid()

    def start(self, ask: Callable[[], None], *, on_back: Callable[[], None] = _nothing) -> None:
        """Watch from now on, in this process.

        Arguments:
            ask: opens a connection and has it answered; raises otherwise.
            on_back: called when the database answers after a silence.
        """
        with self._starting:
            if self.is_on:
                return
            self._process, self._ask, self._on_back = os.getpid(), ask, on_back
            self._ended.clear()
            threading.Thread(target=self._run, name="database-watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._process = 0
        self.is_silent = False
        self._ended.set()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a block as waiting for the database; fail at once where it is silent."""
        self.insist()
        key = object()
        self._waiting[key] = time.monotonic()
        try:
            yield
            self._answered_at = time.monotonic()
        finally:
            del self._waiting[key]

    def insist(self) -> None:
        """Raise what the driver raises if the database is silent."""
        if self.is_silent:
            raise psycopg.OperationalError(WORDS)

    def is_fresh(self) -> bool:
        """Return whether the database has just answered."""
        return not self.is_silent and time.monotonic() - self._answered_at < FRESH_SECONDS

    def until_silent(self, steps: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Take the driver's steps, and fail between two of them once the database is silent.

        The driver calls for the next step every tenth of a second, even where nothing has come.
        """
        ready: Any = None
        while True:
            try:
                wanted = steps.send(ready)
            except StopIteration as end:
                result: T = end.value
                return result
            ready = yield wanted
            if not ready and self.is_silent:
                raise psycopg.OperationalError(WORDS)

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # the thread must outlive whatever happens to one look
                logger.exception("the database could not be watched")

    def look(self) -> None:
        """Ask by a connection of its own if nothing was answered for long, and keep the result."""
        if not self.is_silent and not self._is_suspect():
            return
        began_at = time.monotonic()
        answered = threading.Event()

        def probe() -> None:
            with contextlib.suppress(psycopg.Error, OSError):
                self._ask()
                answered.set()

        # A thread, as a name may be looked up without an end, which no timeout covers.
        threading.Thread(target=probe, name="database-probe", daemon=True).start()
        has_answered = answered.wait(PROBE_SECONDS)
        if has_answered:
            self._answered_at = time.monotonic()
        if has_answered and self.is_silent:
            logger.warning("database.back: the database answers again")
            self._on_back()
        elif not has_answered and not self.is_silent:
            # Something may have been answered while the probe waited.
            if self._answered_at > began_at:
                return
            logger.error("database.silent: %s; what waits for it fails until it does", WORDS)
        self.is_silent = not has_answered

    def _is_suspect(self) -> bool:
        long_ago = time.monotonic() - SUSPECT_SECONDS
        if self._answered_at > long_ago:
            return False
        # A copy, as other threads add and remove.
        return any(since < long_ago for since in list(self._waiting.values()))


watch: Final = Watch()


class Connection(psycopg.Connection[Any]):
    """A connection whose statements fail when the database falls silent."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer."""
        if not watch.is_on:
            return super().wait(gen, interval, timeout)
        try:
            with watch.waiting():
                return super().wait(watch.until_silent(gen), interval, timeout)
        except psycopg.OperationalError:
            if watch.is_silent:
                # Nothing more can come of it, and an answer that is late must not be read as that
                # to another statement.
                self.pgconn.finish()
            raise


class Probe(psycopg.Connection[Any]):
    """A connection that is answered soon, or not at all."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, as long as a probe may take."""
        return super().wait(gen, interval, PROBE_SECONDS)
