"""`/healthz`: whether the parts that make the whole work answer, each asked in earnest."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config import heartbeats, jobs

PATIENCE = 1.5
"""Seconds to wait for a job runner's answer."""
KEPT_SECONDS = 1
"""For how long it is believed that all is well."""

# What a check may raise when the part that it asks is not there.
SILENCE = (DatabaseError, RedisError, OperationalError, OSError)


_WRITE: Final = (
    "UPDATE django_migrations SET applied = applied"
    " WHERE id = (SELECT MIN(id) FROM django_migrations)"
)
"""Writes a row that is always there, and that nothing reads while the server runs."""


def _database() -> bool:
    """Read a row and write one: on a full disk, or on a replica, only reads succeed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if cursor.fetchone() != (1,):
            return False
        if connection.vendor != "sqlite":
            cursor.execute(_WRITE)
            return True
    try:
        # Past our own patience: a writer who has the file locked shows that it takes writes.
        connection.connection.execute(_WRITE)
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return True


def _jobs() -> bool:
    """Have a job done, unless one was within the last second."""
    deadline = time.monotonic() + PATIENCE
    while not heartbeats.jobs_are_alive():
        if time.monotonic() > deadline:
            return False
        if heartbeats.may_ask_jobs():
            jobs.ping.apply_async(expires=PATIENCE)
        time.sleep(0.02)
    return True


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "redis": lambda: bool(heartbeats.redis().ping()),
    "jobs": _jobs,
    "beat": heartbeats.beat_is_alive,
}
BY_WAY_OF_REDIS = ("jobs", "beat")
OK = "ok"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all parts answer, else 503 and which ones do not."""
    asked_at = getattr(request, "scope", {}).get("cordboard.received", time.monotonic())
    checks = _last.checks(asked_at)
    failing = [name for name, found in checks.items() if found != OK]
    body = {"status": "failing" if failing else OK, "failing": failing, "checks": checks}
    return JsonResponse(body, status=503 if failing else 200)


class Last:
    """What came of the last checks, for all who asked before they ended."""

    def __init__(self) -> None:
        """Begin without any."""
        self._found: dict[str, str] = {}
        self._at = float("-inf")
        self._lock = threading.Lock()

    def checks(self, asked_at: float) -> dict[str, str]:
        """Return what came of checks that ended after a moment, or all went well just before it."""
        with self._lock:
            is_well = all(found == OK for found in self._found.values())
            if self._at + (KEPT_SECONDS if is_well else 0) < asked_at:
                self._found = _check()
                self._at = time.monotonic()
            return self._found


_last: Final = Last()


def _check() -> dict[str, str]:
    checks: dict[str, str] = {}
    for name, check in CHECKS.items():
        if name in BY_WAY_OF_REDIS and checks["redis"] != OK:
            # They would answer through Redis: what they do now, nothing can say.
            checks[name] = "unknown"
        else:
            checks[name] = OK if _answers(check) else "no answer"
    return checks


def _answers(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except SILENCE:
        return False
