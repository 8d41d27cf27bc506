"""Job runners and beat as programs: their output in the log's form, and a check for life.

Celery prints its banner and its last lines itself, past every logger.
"""

from __future__ import annotations

import os
import time
from typing import Any, Final

from celery.apps import beat, worker
from celery.worker import state
from celery.worker.control import inspect_command

from config import heartbeats, logs

LONG_JOBS: Final = frozenset({"routing.jobs.prune"})
"""Jobs that may take minutes, and whose age is therefore ignored."""


class Worker(worker.Worker):
    """A job runner."""

    def emit_banner(self) -> None:
        """Print Celery's banner, unless each line is to be JSON."""
        if not logs.is_json():
            super().emit_banner()


class Beat(beat.Beat):
    """The process that sends due jobs."""

    def run(self) -> None:
        """Run until stopped."""
        self.quiet: bool = self.quiet or logs.is_json()
        super().run()


def write_from_signal_handler(message: str, _file: object = None) -> None:
    """Write a line from a signal handler, where no lock may be acquired."""
    os.write(2, f"{logs.format_line(message, logger='celery')}\n".encode())


@inspect_command(name=heartbeats.ALIVE)
def alive(panel: Any, **_: Any) -> dict[str, Any]:
    """Return this runner's queues and the age of its oldest job."""
    now = time.time()
    running = [request for request in state.active_requests if request.name not in LONG_JOBS]
    started = [request.time_start for request in running if request.time_start]
    return {
        "queues": sorted(panel.app.amqp.queues.consume_from),
        "oldest_job_seconds": round(max((now - each for each in started), default=0.0), 1),
    }


def install() -> None:
    """Make Celery print its last lines in the log's form."""
    if logs.is_json():
        vars(worker)["safe_say"] = write_from_signal_handler
