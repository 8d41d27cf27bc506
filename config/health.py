"""Health checks of all parts, with results shared by concurrent requests."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import pkgutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config import heartbeats, jobs
from routing.router import lag_warnings

RUNNER_SECONDS: Final = 1.5
"""Seconds that a job runner may take to answer."""
DATABASE_SECONDS: Final = 2.0
"""Seconds that the database may take to answer."""
PARTS_SECONDS: Final = 4.0
"""Seconds that Redis and all parts behind it may take together."""
REUSE_SECONDS: Final = 1.0
"""Seconds for which a result without failures is reused."""

OK: Final = "ok"
NO_ANSWER: Final = "no answer"
UNKNOWN: Final = "unknown"
# The exceptions that a check may raise when its part is unreachable.
UNREACHABLE: Final = (DatabaseError, RedisError, OperationalError, OSError)

Results = dict[str, str]
"""A result for each check, by name: `OK`, or the problem."""

_WRITE: Final = (
    "UPDATE django_migrations SET applied = applied"
    " WHERE id = (SELECT MIN(id) FROM django_migrations)"
)
"""Writes a row that always exists, and that nothing reads while the server runs."""


def _database() -> bool:
    """Read a row and write one, as on a full disk or a replica only reads succeed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if cursor.fetchone() != (1,):
            return False
        if connection.vendor != "sqlite":
            cursor.execute(_WRITE)
            return True
    try:
        # Without our own retries: a writer that holds the lock shows that writes are possible.
        connection.connection.execute(_WRITE)
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return True


@functools.cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this code, by file name.

    Squashed ones are excluded: the migrations that they replace represent them.
    """
    found = set()
    for app in apps.get_app_configs():
        with contextlib.suppress(ModuleNotFoundError):
            package = importlib.import_module(f"{app.name}.migrations")
            names = [each.name for each in pkgutil.iter_modules(package.__path__)]
            found |= {(app.label, name) for name in names if "_squashed_" not in name}
    return frozenset(found)


def _migrations() -> str:
    """Return `OK`, or the number of unapplied migrations with an example."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        missing = _known_migrations().difference(cursor.fetchall())
    if not missing:
        return OK
    return f"{len(missing)} not applied, such as {'.'.join(min(missing))}"


def check_database() -> Results:
    """Check the database, and compare its migrations with the code's."""
    try:
        found = {"database": OK if _database() else NO_ANSWER}
        found["migrations"] = _migrations() if found["database"] == OK else UNKNOWN
    except UNREACHABLE:
        return {"database": NO_ANSWER, "migrations": UNKNOWN}
    return found


def check_work() -> Results:
    """Check for work that is overdue."""
    try:
        age = lag_warnings.find_oldest_due_age(now=timezone.now())
    except UNREACHABLE:
        return {"due_work": UNKNOWN}
    is_late = age > timedelta(seconds=settings.LAG_SECONDS)
    return {"due_work": f"{age.total_seconds():.0f} seconds late" if is_late else OK}


def check_parts() -> Results:
    """Check Redis, and through it the job runners and beat."""
    found = dict.fromkeys(("redis", *heartbeats.RUNNERS, "beat"), UNKNOWN)
    try:
        found["redis"] = OK if heartbeats.open_redis().ping() else NO_ANSWER
        silent = _silent_runners()
        found |= {kind: NO_ANSWER if kind in silent else OK for kind in heartbeats.RUNNERS}
        found["beat"] = OK if heartbeats.beat_is_alive() else NO_ANSWER
    except UNREACHABLE:
        # The state of the others is then unknown.
        return dict.fromkeys(found, UNKNOWN) | {"redis": NO_ANSWER}
    return found


def _silent_runners() -> list[str]:
    """Send a job to each kind of runner; return the kinds that did not run it in time."""
    deadline = time.monotonic() + RUNNER_SECONDS
    silent = list(heartbeats.RUNNERS)
    # A kind that has answered is not checked again while others are waited for.
    while (silent := heartbeats.silent_runners(silent)) and time.monotonic() < deadline:
        for kind in silent:
            if heartbeats.may_ask_runner(kind):
                jobs.send_ping(kind, expires=RUNNER_SECONDS)
        time.sleep(0.02)
    return silent


class Probe:
    """Checks in their own thread, one run at a time, shared by concurrent requests.

    All requests before a run ends get its result, and so do those of the next second if nothing
    failed. A run that takes too long keeps its thread busy, but requests are still answered in
    time.
    """

    def __init__(self, check: Callable[[], Results], *, seconds: float, late: Results) -> None:
        """Create a probe without a result.

        Arguments:
            check: returns the results.
            seconds: how long a run may take.
            late: the result if it takes longer.
        """
        self._check = check
        self._seconds = seconds
        self._late = late
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._run: asyncio.Future[Results] | None = None
        self._begun_at = 0.0
        self._found: Results = {}
        self._found_at = float("-inf")

    async def ask(self) -> Results:
        """Return the current result of the checks, or a recent one."""
        now = time.monotonic()
        is_well = all(result == OK for result in self._found.values())
        if is_well and now - self._found_at < REUSE_SECONDS:
            return self._found
        if self._run is None:
            self._begun_at = now
            self._run = asyncio.get_running_loop().run_in_executor(self._thread, self._work)
            self._run.add_done_callback(self._keep)
        left = self._seconds - (now - self._begun_at)
        done, _ = await asyncio.wait({self._run}, timeout=max(left, 0))
        return done.pop().result() if done else self._late

    def _work(self) -> Results:
        close_old_connections()
        try:
            return self._check()
        finally:
            close_old_connections()

    def _keep(self, run: asyncio.Future[Results]) -> None:
        self._run = None
        if run.exception() is None:
            self._found, self._found_at = run.result(), time.monotonic()

    def close(self) -> None:
        """End the thread once its run is done."""
        self._thread.shutdown(wait=False)


def database_probe() -> Probe:
    """Return the probe whose failure means that this process cannot answer requests."""
    late = {"database": NO_ANSWER, "migrations": UNKNOWN}
    return Probe(check_database, seconds=DATABASE_SECONDS, late=late)


def work_probe() -> Probe:
    """Return the probe of overdue work."""
    return Probe(check_work, seconds=DATABASE_SECONDS, late={"due_work": UNKNOWN})


def parts_probe() -> Probe:
    """Return the probe of the other processes."""
    unknown = dict.fromkeys((*heartbeats.RUNNERS, "beat"), UNKNOWN)
    return Probe(check_parts, seconds=PARTS_SECONDS, late={"redis": NO_ANSWER} | unknown)
