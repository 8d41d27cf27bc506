"""Beat's scheduler: in memory, with a heartbeat, and quiet while Redis is unreachable."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from redis.exceptions import RedisError

from config import heartbeats

logger = logging.getLogger(__name__)

TRY_SECONDS: Final = 1
"""Seconds after a failure until the broker is tried again."""


class TickingScheduler(Scheduler):
    """Send due jobs, and record a heartbeat at every tick.

    The schedule is the same at every start, and its longest interval is an hour, so it need not be
    kept in a file.
    """

    broken = False
    try_at = 0.0

    def _ensure_connected(self) -> Any:
        """Connect to the broker; while it is away, try each second and log that once."""
        return self.connection.ensure_connection(
            self._note_failure,
            interval_start=TRY_SECONDS,
            interval_step=0,
            interval_max=TRY_SECONDS,
        )

    def _note_failure(self, error: Exception, _: float = 0.0) -> None:
        if not self.broken:
            logger.error("Beat cannot reach the job runners: %s", error)
        self.broken = True

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send due jobs; return the seconds until the next tick."""
        delay: float = super().tick(*args, **kwargs)
        try:
            heartbeats.record_beat()
        except RedisError:
            # Without Redis the heartbeat cannot be read either; `apply_entry` has logged the
            # failure.
            return min(delay, 1.0) or 0.1
        return min(delay, 1.0)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send one job; log an unreachable broker, and its return, once.

        Meantime one job per second is tried, as each may wait for a timeout.
        """
        if self.broken and time.monotonic() < self.try_at:
            return
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            self._note_failure(error)
            self.try_at = time.monotonic() + TRY_SECONDS
        else:
            if self.broken:
                logger.warning("Beat reaches the job runners again.")
            self.broken = False
