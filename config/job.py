"""What every job does when the database fails: it goes back to the queue."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery import Task
from celery.exceptions import Reject
from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.2
"""How long a job waits before it goes back, so that it does not come again at once."""


class Job(Task):  # type: ignore[type-arg] # generic for mypy alone
    """A job that another runner may take when this one does not reach the database.

    It expires there like any other. A failure is logged once, until a job succeeds.
    """

    abstract = True

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Do the job."""
        try:
            result = self.run(*args, **options)
        except (OperationalError, InterfaceError) as error:
            if self.request.called_directly or self.request.is_eager:
                raise
            _outage.begin(error)
            time.sleep(PAUSE_SECONDS)
            raise Reject(error, requeue=True) from error
        _outage.end()
        return result


class _Outage:
    """Whether the last job of this process failed for want of the database."""

    is_on = False

    def begin(self, error: Exception) -> None:
        """Log the first failure."""
        if not self.is_on:
            logger.error("jobs.database_failed: jobs go back to their queue for now (%s)", error)
        self.is_on = True

    def end(self) -> None:
        """Note a success."""
        self.is_on = False


_outage: Final = _Outage()
