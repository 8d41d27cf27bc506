"""Post callbacks while Redis is unreachable and no jobs can be sent.

One thread of each callback runner pings Redis every second. While there is no answer, and for a
while after, it queries the database for due callbacks. The lease of each receiver prevents two
runners from posting to it at once.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from django.db import close_old_connections, connection
from django.utils import timezone

from routing.db.errors import AWAY
from routing.redis import clients
from routing.webhook_delivery import assignment_questions, event_deliveries, host_slots

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0


def post_due_callbacks(sid: str) -> None:
    """Post the due event callbacks of a workspace, or assignment callbacks of a workflow."""
    if sid.startswith("WS"):
        event_deliveries.post_due_events(sid)
    else:
        assignment_questions.send_due_questions(sid)


def list_due_receivers(now: datetime) -> list[str]:
    """Return some of the workspaces and workflows with callbacks that may be sent now."""
    workspaces = event_deliveries.list_due_workspaces(now)
    return [*workspaces, *assignment_questions.list_due_workflows(now)]


class Standby:
    """Threads that query and post due callbacks while Redis is unreachable."""

    def __init__(self) -> None:
        """Create the threads."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="callbacks-standby", daemon=True)
        self._posting = ThreadPoolExecutor(host_slots.THREADS, thread_name_prefix="standby")
        self._under_way: set[str] = set()

    def start(self) -> None:
        """Start to check Redis."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more posts."""
        self._stop.set()
        self._posting.shutdown(wait=False, cancel_futures=True)

    def _work(self) -> None:
        sweep_until = 0.0
        while not self._stop.wait(PAUSE_SECONDS):
            if clients.is_away(always_ping=True):
                sweep_until = time.monotonic() + clients.SETTLE_SECONDS
            if time.monotonic() >= sweep_until:
                continue
            try:
                self.sweep()
            except Exception as error:  # the thread must survive any error of one query
                _log_failure("due callbacks could not be queried", error)
            finally:
                close_old_connections()

    def sweep(self) -> None:
        """Post all due callbacks that are not being posted already."""
        now = timezone.now()
        for sid in list_due_receivers(now):
            if sid not in self._under_way:
                self._under_way.add(sid)
                self._posting.submit(self._post, sid)

    def _post(self, sid: str) -> None:
        try:
            post_due_callbacks(sid)
        except Exception as error:  # of one receiver; the next query finds the rest
            _log_failure(f"the callbacks of {sid} could not be posted", error)
        finally:
            self._under_way.discard(sid)
            connection.close()


def _log_failure(words: str, error: Exception) -> None:
    if isinstance(error, AWAY):
        logger.debug("%s (%s)", words, error)
    else:
        logger.exception(words)
