"""The time zones that a workspace can use, and the one of a workspace."""

from __future__ import annotations

import functools
import zoneinfo

from routing import models


@functools.cache
def time_zone_names() -> tuple[str, ...]:
    """Return the names of all time zones, in order.

    Cached per process, because finding them reads the whole zone database.
    """
    return tuple(sorted(zoneinfo.available_timezones()))


def zone_of_workspace(workspace: models.Workspace | None) -> zoneinfo.ZoneInfo:
    """Return a workspace's time zone; UTC without one, or if it is unknown."""
    try:
        return zoneinfo.ZoneInfo("UTC" if workspace is None else workspace.time_zone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo("UTC")
