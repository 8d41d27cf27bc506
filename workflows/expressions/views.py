"""The values that an expression reads: attributes first, then built-in values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .nodes import Segment


class View(NamedTuple):
    """The values of one task, one worker, a queue's workers or the time of day.

    Values are JSON: None, bool, int, float, str, list, and dict or another mapping.
    """

    attributes: Mapping[str, Any]
    builtins: Mapping[str, Any]


NOTHING = View({}, {})

# Built-in values that change without a write; binding leaves them open.
VOLATILE: Mapping[str, frozenset[tuple[Segment, ...]]] = {"task": frozenset({("age",)})}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def time_of_day(now: datetime) -> View:
    """Return the view for the root `taskrouter` at `now`, an aware time; the values are in UTC."""
    now = now.astimezone(UTC)
    return View(
        {},
        {
            "currentTime": now.hour * 100 + now.minute,
            "currentHour": f"{now.hour:02}",
            "currentMin": f"{now.minute:02}",
            "dayOfWeek": _DAYS[now.weekday()],
        },
    )


def look_up_path(view: View | None, segments: tuple[Segment, ...]) -> Any:
    """Return the value at `segments` in the attributes, else in the built-ins, else None."""
    if view is None:
        return None
    attributes, builtins = view
    value = follow_path(attributes, segments)
    return follow_path(builtins, segments) if value is None else value


def follow_path(container: Any, segments: tuple[Segment, ...]) -> Any:
    """Return the value at `segments`; None if a step is missing or has another type."""
    value = container
    for segment in segments:
        if isinstance(segment, str):
            if not isinstance(value, (dict, Mapping)):
                return None
            value = value.get(segment)
        elif type(value) is list and segment < len(value):
            value = value[segment]
        else:
            return None
    return value
