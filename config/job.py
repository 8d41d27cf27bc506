"""Base class of jobs: if the database fails, a job returns to its queue."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery import Task
from celery.exceptions import Reject

from routing.db.errors import AWAY

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 30.0
"""Seconds without a failed job after which the next failure counts as another outage."""
PAUSE_SECONDS: Final = 0.2
"""Seconds that a job waits before it returns, so that it is not taken again at once."""


class Job(Task):  # type: ignore[type-arg] # generic for mypy alone
    """A job that another runner may take if this one cannot reach the database.

    It expires in the queue like any other. A failure is logged unless another one preceded it.
    """

    abstract = True

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run the job."""
        try:
            return self.run(*args, **options)
        except AWAY as error:
            if self.request.called_directly or self.request.is_eager:
                raise
            process_failures.note(error)
            time.sleep(PAUSE_SECONDS)
            raise Reject(error, requeue=True) from error


class JobFailures:
    """The time of this process's last job that failed because of the database."""

    def __init__(self) -> None:
        """Create it without a failure."""
        self._last = float("-inf")

    def note(self, error: Exception) -> None:
        """Log the first failure of an outage."""
        now = time.monotonic()
        if now - self._last > QUIET_SECONDS:
            logger.error("jobs.database_failed: jobs return to their queue for now (%s)", error)
        self._last = now


process_failures: Final = JobFailures()
