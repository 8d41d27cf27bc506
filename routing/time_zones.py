"""Names of the time zones that a workspace can use."""

from __future__ import annotations

import functools
import zoneinfo


@functools.cache
def time_zone_names() -> tuple[str, ...]:
    """Return the names of all time zones, in order.

    Cached per process, because finding them reads the whole zone database.
    """
    return tuple(sorted(zoneinfo.available_timezones()))
