"""Beat's clockwork: keeps its times in memory, shows that it ticks, and is calm without a Redis."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from redis.exceptions import RedisError

from config import heartbeats

logger = logging.getLogger(__name__)


class TickingScheduler(Scheduler):
    """Send what is due, and leave a sign of life with every tick.

    The schedule is the same at every start and nothing in it is rarer than hourly, so there is
    nothing worth keeping in a file.
    """

    broken = False

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
        """Send one job; tell of a broker that is gone, and of its return, once."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            if not self.broken:
                logger.error("Beat cannot reach the job runners: %s", error)
            self.broken = True
        else:
            if self.broken:
                logger.warning("Beat reaches the job runners again.")
            self.broken = False
