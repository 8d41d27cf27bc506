"""Detect a PostgreSQL server that stops answering, and fail the statements that wait for it.

A firewall that drops packets, a frozen machine or a stalled disk leave a statement without an
answer and without an error, for a quarter of an hour with Linux's defaults. A slow statement looks
the same from here. So after some seconds in which no statement was answered, another connection is
opened. If it is answered, the statements are only slow, and PostgreSQL's own limits end them. If
not, all waiting statements fail, and new ones fail at once, until the database answers again.
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
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from config.patches.postgresql.pipelines import Pipeline
from config.patches.postgresql.preparation import UniqueNames

logger = logging.getLogger(__name__)

T = TypeVar("T")

SUSPECT_SECONDS: Final = 3.0
"""Seconds of waiting, without any answer, after which the database is probed."""
PROBE_SECONDS: Final = 3
"""Seconds that a probe's connection and query may take."""
FRESH_SECONDS: Final = 1.0
"""Seconds for which an answer proves that the database is reachable."""
CHECK_SECONDS: Final = 0.5
"""Seconds between two checks for silence."""
WORDS: Final = "the database does not answer"


def _nothing() -> None:
    """Do nothing."""


class Watch:
    """The waiting statements of this process, and the time of the last answer."""

    def __init__(
        self, *, suspect_seconds: float = SUSPECT_SECONDS, check_seconds: float = CHECK_SECONDS
    ) -> None:
        """Create it switched off, as management commands may wait."""
        self._suspect_seconds = suspect_seconds
        self._check_seconds = check_seconds
        self.is_silent = False
        self._ask = self._on_back = _nothing
        self._waiting: dict[object, float] = {}
        self._answered_at = time.monotonic()
        self._process = 0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._ended = threading.Event()

    @property
    def is_on(self) -> bool:
        """Return whether this process watches the database."""
        return self._process == os.getpid()

    def start(self, ask: Callable[[], None], *, on_back: Callable[[], None] = _nothing) -> None:
        """Start to watch, in this process.

        Arguments:
            ask: opens a connection and has it answered; raises otherwise.
            on_back: called when the database answers after a silence.
        """
        with self._starting:
            if self.is_on:
                return
            self._process, self._ask, self._on_back = os.getpid(), ask, on_back
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name="database-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; return once the check under way has ended."""
        self._process = 0
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.is_silent = False

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a block as waiting for the database; fail at once while it is silent."""
        self.insist()
        key = object()
        self._waiting[key] = time.monotonic()
        try:
            yield
            self._answered_at = time.monotonic()
        finally:
            del self._waiting[key]

    def insist(self) -> None:
        """Raise the driver's error if the database is silent."""
        if self.is_silent:
            raise psycopg.OperationalError(WORDS)

    def is_fresh(self) -> bool:
        """Return whether the database has just answered."""
        return not self.is_silent and time.monotonic() - self._answered_at < FRESH_SECONDS

    def until_silent(self, steps: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Run the driver's steps, and fail between two of them once the database is silent.

        The driver asks for the next step every tenth of a second, even without data.
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
        while not self._ended.wait(self._check_seconds):
            try:
                self.look()
            except Exception:  # the thread must survive any error of one check
                logger.exception("the database could not be watched")

    def look(self) -> None:
        """Probe the database if nothing was answered for long, and record the result."""
        if not self.is_silent and not self._is_suspect():
            return
        began_at = time.monotonic()
        answered = threading.Event()

        def probe() -> None:
            with contextlib.suppress(psycopg.Error, OSError):
                self._ask()
                answered.set()

        # In a thread, as a name lookup may take forever, which no timeout covers.
        threading.Thread(target=probe, name="database-probe", daemon=True).start()
        has_answered = answered.wait(PROBE_SECONDS)
        if has_answered:
            self._answered_at = time.monotonic()
        if has_answered and self.is_silent:
            logger.warning("database.back: the database answers again")
            self._on_back()
        elif not has_answered and not self.is_silent:
            # A statement may have been answered while the probe waited.
            if self._answered_at > began_at:
                return
            logger.error("database.silent: %s; waiting statements fail until it does", WORDS)
        self.is_silent = not has_answered

    def _is_suspect(self) -> bool:
        long_ago = time.monotonic() - self._suspect_seconds
        if self._answered_at > long_ago:
            return False
        # A copy, as other threads add and remove entries.
        return any(since < long_ago for since in list(self._waiting.values()))


watch: Final = Watch()


class Connection(psycopg.Connection[Any]):
    """A connection whose statements fail when the database falls silent.

    A transaction that begins in a pipeline costs no round trip of its own, and one that we roll
    back does not cost the prepared statements.
    """

    def _start_query(self) -> PQGen[None]:
        """Begin a transaction if necessary, together with its first statement."""
        if self._pipeline is None or self._autocommit:
            yield from super()._start_query()
        elif self.pgconn.transaction_status == TransactionStatus.IDLE:
            # The driver would wait here until the transaction has begun.
            yield from self._exec_command(self._get_tx_start_command())

    def _rollback_gen(self) -> PQGen[None]:
        """Roll back, and keep the prepared statements unless one has failed.

        The driver drops them, as tables may have been created in the transaction. We create none.
        """
        has_failed = self.pgconn.transaction_status != TransactionStatus.INTRANS
        if has_failed or not isinstance(self._prepared, UniqueNames):
            yield from super()._rollback_gen()
            return
        with self._prepared.keep():
            yield from super()._rollback_gen()

    @contextlib.contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        """Send the statements of a block together."""
        if self._pipeline is None:
            self._pipeline = Pipeline(self)
        with super().pipeline() as pipeline:
            yield pipeline

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer."""
        if not watch.is_on:
            return super().wait(gen, interval, timeout)
        try:
            with watch.waiting():
                return super().wait(watch.until_silent(gen), interval, timeout)
        except psycopg.OperationalError:
            if watch.is_silent:
                # It cannot be used any more, as a late answer must not be read as the answer to
                # another statement.
                self.pgconn.finish()
            raise


class Probe(psycopg.Connection[Any]):
    """A connection for probes, with a short time limit."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, at most for a probe's time limit."""
        return super().wait(gen, interval, PROBE_SECONDS)
