"""The time zones that a workspace can use, and the one of a workspace."""

from __future__ import annotations

import functools
import zoneinfo


@functools.cache
def time_zone_names() -> tuple[str, ...]:
    """Return the names of all time zones, in order.

    Cached per process, because finding them reads the whole zone database.
    """
    return tuple(sorted(zoneinfo.available_timezones()))


def find_zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone of this name; UTC if it is unknown."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo("UTC")
