"""Run cycles as soon as somebody asks for one: the threads of a job runner that wait for wakes.

A job would do as well, and costs several times what a short cycle does. Beat's sweep still sends
jobs, so that work is found whatever becomes of these threads. While Redis is away, neither wakes
nor jobs come: then the threads look for work themselves, every second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import closing
from datetime import datetime
from typing import Any, Final

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from routing import assignment, models, shared_redis, wakes
from routing.core.clock import microseconds
from routing.models.prepared import Prepared

logger = logging.getLogger(__name__)

THREADS: Final = 3
"""So many workspaces' cycles run at once; one's long cycle does not hold up the next."""

_PAUSE: Final = 1.0
"""Seconds between two sweeps while Redis is away, and to wait while the database is."""
_AFTERWARDS: Final = 10.0
"""Seconds for which sweeps go on when Redis is back: until beat and all others have it again."""

AWAY: Final = (OperationalError, InterfaceError)
"""What is raised when the database is away; or in a deadlock, after which it is there."""

_WORKSPACE: Final = Prepared(lambda sid: models.Workspace.objects.filter(sid=sid), "WS")


def run(workspace_sid: str) -> None:
    """Run the router in one workspace, again for as long as wakes come in meanwhile.

    Raises a database error, without having taken the workspace's lock, if the database is silent.
    """
    _insist_on_database()
    # Closed, so that a cycle that fails gives its lock back at once.
    with closing(wakes.turns(workspace_sid)) as turns:
        for _turn in turns:
            for workspace in _WORKSPACE(workspace_sid):
                if not assignment.run_for_a_while(workspace):
                    wakes.wake(workspace_sid)


def list_due(now: datetime) -> list[str]:
    """Return the sids of the workspaces in which something waits or is due."""
    us = microseconds(now)
    here = OuterRef("pk")
    waiting = models.Task.objects.pending().filter(workspace=here)
    expired = models.Task.objects.expiring().filter(workspace=here, expires_us__lte=us)
    offers = models.Reservation.objects.pending().filter(workspace=here, deadline_us__lte=us)
    seeking = models.Transfer.objects.filter(workspace=here, seeking=True)
    due = models.Workspace.objects.filter(
        Q(Exists(waiting)) | Exists(expired) | Exists(offers) | Exists(seeking)
    )
    return list(due.order_by("pk").values_list("sid", flat=True))


def _insist_on_database() -> None:
    if connection.vendor == "postgresql":
        database: Any = connection
        database.insist_on_answer()


class Router:
    """Threads that take wakes, each the next one, until told to stop."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"router-{number}", daemon=True)
            for number in range(threads)
        ]
        self._sharing = threading.Lock()
        self._due: deque[str] = deque()
        self._sweep_at = 0.0
        self._sweep_until = 0.0

    def start(self) -> None:
        """Begin to take wakes."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout: float) -> None:
        """Take no more, and wait for what is under way, for so many seconds per thread at most."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)

    def _work(self) -> None:
        is_failing = False
        while not self._stop.is_set():
            try:
                if is_failing:
                    _insist_on_database()
                if time.monotonic() < self._sweep_until:
                    self._sweep()
                self._take_wake()
                is_failing = False
            except AWAY as error:
                if not is_failing:
                    logger.warning("router.database_failed: %s; what was due runs again", error)
                elif self._stop.wait(_PAUSE):
                    break
                is_failing = True
            except Exception:  # whatever one workspace's cycle raises, the next one's shall run
                logger.exception("a cycle has failed")
            finally:
                close_old_connections()
        connection.close()

    def _take_wake(self) -> None:
        """Wait for a wake, and answer it; while Redis is away, wait for the next sweep."""
        try:
            workspace_sid = wakes.taken()
        except shared_redis.BROKEN:
            now = time.monotonic()
            self._sweep_until = now + _AFTERWARDS
            self._stop.wait(min(max(self._sweep_at - now, 0.0), _PAUSE))
            return
        if workspace_sid is None:
            return
        close_old_connections()
        try:
            run(workspace_sid)
        except AWAY:
            # Another runner may reach the database.
            wakes.give_back(workspace_sid)
            raise

    def _sweep(self) -> None:
        """Run cycles wherever something is due, once a second, together with the other threads."""
        with self._sharing:
            if time.monotonic() >= self._sweep_at:
                close_old_connections()
                _insist_on_database()
                self._due = deque(list_due(timezone.now()))
                self._sweep_at = time.monotonic() + _PAUSE
        while not self._stop.is_set():
            try:
                workspace_sid = self._due.popleft()
            except IndexError:
                return
            run(workspace_sid)
