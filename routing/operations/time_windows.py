"""Read the time window of a request: minutes, or two dates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from routing import models, sids
from routing.operations import parameters
from routing.operations.errors import ApiError
from routing.statistics.windows import Window

DEFAULT_MINUTES: Final = 15
TOO_OLD: Final = 14241

PARAMS: Final = (
    parameters.whole_number("Minutes", least=1).describe(
        "Minutes to look back. Defaults to 15; not allowed together with dates.", 60
    ),
    parameters.date_time("StartDate").describe("The start, inclusive.", "2026-03-02T08:00:00Z"),
    parameters.date_time("EndDate").describe("The end, inclusive.", "2026-03-02T12:00:00Z"),
)


def read_window(given: dict[str, Any], *, now: datetime) -> Window:
    """Return the time window and remove its arguments from the query's."""
    found = read_dates(given, now=now)
    end = found.get("end", now)
    return Window(found.get("start", end - timedelta(minutes=DEFAULT_MINUTES)), end)


def read_dates(given: dict[str, Any], *, now: datetime) -> dict[str, datetime]:
    """Return the `start` and `end` that a query names, and remove its arguments for them."""
    minutes: int | None = given.pop("minutes", None)
    start: datetime | None = given.pop("start_date", None)
    end: datetime | None = given.pop("end_date", None)
    days = settings.TASK_RETENTION_DAYS
    if minutes is not None:
        if start is not None or end is not None:
            name = "StartDate" if start is not None else "EndDate"
            raise ApiError(
                f"Minutes and {name} cannot be given together; give Minutes, or one or two dates"
            )
        if not 1 <= minutes <= days * 1440:
            raise ApiError(
                f"Minutes is {minutes}; it must be a whole number from 1 to {days * 1440}:"
                f" older events are deleted"
            )
        start = now - timedelta(minutes=minutes)
    elif start is not None and start < now - timedelta(days=days):
        raise ApiError(
            f"StartDate is {start.isoformat()}; it must lie within the last {days} days:"
            " older events are deleted",
            code=TOO_OLD,
        )
    if end is not None and end < now - timedelta(days=days):
        raise ApiError(
            f"EndDate is {end.isoformat()}; it must lie within the last {days} days: older"
            " events are deleted"
        )
    if start is not None and start > (end or now):
        limit = f"EndDate, {end:%Y-%m-%dT%H:%M:%SZ}" if end else "now"
        raise ApiError(f"StartDate is {start:%Y-%m-%dT%H:%M:%SZ}; it must not lie after {limit}")
    named = {"start": start, "end": None if end is None else min(end, now)}
    return {name: moment for name, moment in named.items() if moment is not None}


def task_channel() -> parameters.Param:
    """Return a parameter for a task channel, by sid or unique name; it gives the sid's key."""

    def convert(value: str, place: parameters.ParamContext) -> int:
        if sids.is_valid(value, "TC"):
            return sids.index_key(value)
        rows = models.TaskChannel.objects.filter(
            workspace=place.workspace, unique_name=value.lower()
        ).order_by("pk")
        found = rows.values_list("sid", flat=True).first()
        if found is None:
            place.refuse(value, "there is no such task channel in this workspace")
        return sids.index_key(found)

    schema = {"type": "string"}
    return parameters.Param("TaskChannel", "task_channel_key", convert, schema=schema).describe(
        "Only this task channel, by its sid or its unique name.", "chat"
    )
