"""Run cycles as soon as somebody asks for one: the threads of a job runner that wait for wakes.

A job would do as well, and costs several times what a short cycle does. Beat's sweep still sends
jobs, so that work is found whatever becomes of these threads.
"""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from typing import Final

from django.db import close_old_connections, connection

from routing import assignment, models, shared_redis, wakes
from routing.models.prepared import Prepared

logger = logging.getLogger(__name__)

THREADS: Final = 3
"""So many workspaces' cycles run at once; one's long cycle does not hold up the next."""

_PAUSE: Final = 1.0  # seconds to wait when Redis is away


_WORKSPACE: Final = Prepared(lambda sid: models.Workspace.objects.filter(sid=sid), "WS")


def run(workspace_sid: str) -> None:
    """Run the router in one workspace, again for as long as wakes come in meanwhile."""
    # Closed, so that a cycle that fails gives its lock back at once.
    with closing(wakes.turns(workspace_sid)) as turns:
        for _turn in turns:
            for workspace in _WORKSPACE(workspace_sid):
                if not assignment.run_for_a_while(workspace):
                    wakes.wake(workspace_sid)


class Router:
    """Threads that take wakes, each the next one, until told to stop."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"router-{number}", daemon=True)
            for number in range(threads)
        ]

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
        while not self._stop.is_set():
            try:
                if workspace_sid := wakes.taken():
                    close_old_connections()
                    run(workspace_sid)
            except shared_redis.BROKEN as error:
                logger.warning("no wakes for now (%s); the sweep finds the work", error)
                self._stop.wait(_PAUSE)
            except Exception:  # whatever one workspace's cycle raises, the next one's shall run
                logger.exception("a cycle has failed")
            finally:
                close_old_connections()
        connection.close()
