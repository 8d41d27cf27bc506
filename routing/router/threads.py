"""Threads of a job runner that wait for wakes and run cycles.

A Celery job per wake would work too, but it costs several times as much as a short cycle. The sweep
of beat still sends jobs, so work is found even if these threads fail. While Redis is away there are
neither wakes nor jobs: then the threads look for due work themselves, every second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import closing
from typing import Any, Final

from django.db import close_old_connections, connection
from django.utils import timezone

from routing import instruments, wakeups
from routing.db.errors import AWAY
from routing.instruments import Cause
from routing.redis import clients
from routing.router import rounds
from routing.snapshots import due_work

logger = logging.getLogger(__name__)

THREADS: Final = 3
"""Workspaces whose cycles run at once, so that a long cycle does not delay all others."""

PAUSE_SECONDS: Final = 1.0
"""Seconds between two sweeps while Redis is away, and between attempts to reach the database."""


def run_workspace(workspace_sid: str, *, cause: Cause = Cause.WAKE) -> None:
    """Run the router in one workspace, and repeat while wakes arrive.

    Offers of a sweep without any wake, and without a deadline that was due, are what a lost wake
    has left. They are counted for `/metrics`.

    Raises a database error before taking the workspace's lock if the database does not answer.
    """
    check_database()
    is_sweep = cause is Cause.SWEEP and instruments.is_measuring()
    may_be_lost = is_sweep and wakeups.is_woken(workspace_sid) is False
    # The generator is closed at once, so that a cycle that fails releases its lock.
    with closing(wakeups.claim_turns(workspace_sid)) as turns:
        for _turn in turns:
            with instruments.measure_cycle(cause) as cycle:
                found = due_work.load_workspace_with_due_work(workspace_sid, now=timezone.now())
                for workspace, due in found:
                    if not rounds.run_for_a_while(workspace, due):
                        wakeups.wake_router(workspace_sid)
            if may_be_lost and cycle.offers and wakeups.is_woken(workspace_sid) is False:
                instruments.count_finds("wakes", 1)
            cause, may_be_lost = Cause.WAKE, False


def check_database() -> None:
    """Raise an error if PostgreSQL does not answer within its limit."""
    if connection.vendor == "postgresql":
        database: Any = connection
        database.insist_on_answer()


class Router:
    """Threads that serve one wake after another until they are stopped."""

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
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout: float) -> None:
        """Serve no more wakes, and wait for running cycles; `timeout` is in seconds per thread."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)

    def _work(self) -> None:
        is_failing = False
        while not self._stop.is_set():
            try:
                if is_failing:
                    check_database()
                if time.monotonic() < self._sweep_until:
                    self._sweep()
                self._take_wake()
                is_failing = False
            except AWAY as error:
                if not is_failing:
                    logger.warning("router.database_failed: %s; what was due runs again", error)
                elif self._stop.wait(PAUSE_SECONDS):
                    break
                is_failing = True
            except Exception:  # an error in one workspace must not stop the next
                logger.exception("cycle failed")
            finally:
                close_old_connections()
        connection.close()

    def _take_wake(self) -> None:
        """Wait for a wake and run its cycle; while Redis is away, wait for the next sweep."""
        try:
            workspace_sid = wakeups.take_wake()
        except clients.BROKEN:
            now = time.monotonic()
            self._sweep_until = now + clients.SETTLE_SECONDS
            self._stop.wait(min(max(self._sweep_at - now, 0.0), PAUSE_SECONDS))
            return
        if workspace_sid is None:
            return
        close_old_connections()
        try:
            run_workspace(workspace_sid)
        except AWAY:
            # Another runner may reach the database.
            wakeups.return_wake(workspace_sid)
            raise

    def _sweep(self) -> None:
        """Run cycles wherever work is due, once a second; the threads share the workspaces."""
        with self._sharing:
            if time.monotonic() >= self._sweep_at:
                close_old_connections()
                check_database()
                self._due = deque(due_work.list_due_workspaces(now=timezone.now()))
                self._sweep_at = time.monotonic() + PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                workspace_sid = self._due.popleft()
            except IndexError:
                return
            run_workspace(workspace_sid, cause=Cause.SWEEP)
