"""Reconnect a job runner to Redis: soon, and without a log line for each attempt."""

from __future__ import annotations

import logging
import warnings
from typing import Any, Final

from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer
from celery.worker.state import maybe_shutdown

logger = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 2.0
"""Seconds between two attempts; Celery's own delays grow to half a minute."""


class Consumer(consumer.Consumer):
    """The consumer of jobs from Redis."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Release a lost connection, without the warning about a setting that we have chosen."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, with any number of attempts, and log the first failure only."""
        is_logged = False

        def note(error: Exception, _interval: float) -> None:
            nonlocal is_logged
            if not is_logged:
                logger.error("jobs.away: no jobs until Redis is back (%s)", error)
            is_logged = True

        connected = conn.ensure_connection(
            note,
            None,
            interval_start=FIRST_PAUSE,
            interval_step=FIRST_PAUSE,
            interval_max=LONGEST_PAUSE,
            callback=maybe_shutdown,
        )
        self.first_connection_attempt = False
        self.broker_connection_retry_attempt = 0
        if is_logged:
            logger.warning("jobs.back: jobs are taken again")
        return connected
