"""What every job does when the database fails: it goes back to the queue."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery import Task
from celery.exceptions import Reject
from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 30.0
"""How long no job must have failed for the next failure to be another outage."""
PAUSE_SECONDS: Final = 0.2
"""How long a job waits before it goes back, so that it does not come again at once."""


class Job(Task):  # type: ignore[type-arg] # generic for mypy alone
    """A job that another runner may take when this one does not reach the database.

    It expires there like any other. A failure is logged unless there was another just before.
    """

    abstract = True

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Do the job."""
        try:
            return self.run(*args, **options)
        except (OperationalError, InterfaceError) as error:
            if self.request.called_directly or self.request.is_eager:
                raise
            _failures.note(error)
            time.sleep(PAUSE_SECONDS)
            raise Reject(error, requeue=True) from error


class _Failures:
    """When a job of this process last failed for want of the database."""

    def __init__(self) -> None:
        """Begin without any."""
        self._last = float("-inf")

    def note(self, error: Exception) -> None:
        """Log the first failure of an outage."""
        now = time.monotonic()
        if now - self._last > QUIET_SECONDS:
            logger.error("jobs.database_failed: jobs go back to their queue for now (%s)", error)
        self._last = now


_failures: Final = _Failures()
