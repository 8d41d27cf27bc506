"""Names of the time zones that a workspace may be shown in."""

from __future__ import annotations

import functools
import zoneinfo


@functools.cache
def time_zone_names() -> tuple[str, ...]:
    """Return the name of each time zone known here, in order.

    They are read once per process, as finding them walks through the whole zone database.
    """
    return tuple(sorted(zoneinfo.available_timezones()))
