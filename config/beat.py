"""Beat's clockwork: keeps its times in memory, shows that it ticks, and is calm without a Redis."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from redis.exceptions import RedisError

from config import heartbeats

logger = logging.getLogger(__name__)

TRY_SECONDS: Final = 1.0
"""How long after a failure a broker that is gone is tried again."""


class TickingScheduler(Scheduler):
    """Send what is due, and leave a sign of life with every tick.

    The schedule is the same at every start and nothing in it is rarer than hourly, so there is
    nothing worth keeping in a file.
    """

    broken = False
    try_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until the next tick."""
        delay: float = super().tick(*args, **kwargs)
        try:
            heartbeats.record_beat()
        except RedisError:
            # Without Redis nobody can read the sign either; `apply_entry` has told.
            return min(delay, 1.0) or 0.1
        return min(delay, 1.0)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send one job; tell of a broker that is gone, and of its return, once.

        While it is gone, one job in a second is tried, as each may wait for a timeout.
        """
        if self.broken and time.monotonic() < self.try_at:
            return
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            if not self.broken:
                logger.error("Beat cannot reach the job runners: %s", error)
            self.broken = True
            self.try_at = time.monotonic() + TRY_SECONDS
        else:
            if self.broken:
                logger.warning("Beat reaches the job runners again.")
            self.broken = False
