"""Format durations in the same way as the desk's script."""

from __future__ import annotations

from datetime import datetime

from django import template

from agents.cards import Clock
from routing.core.clock import microseconds

register = template.Library()


@register.filter
def age(moment: datetime, now_ms: int) -> str:
    """Return the time from a moment to now: 0:07, 12:45, 3 h 05, 2 d 4 h."""
    return duration(_count_seconds(moment, now_ms))


@register.filter
def is_over(clock: Clock, now_ms: int) -> bool:
    """Return whether a clock is past its limit."""
    return clock.limit is not None and _count_seconds(clock.since, now_ms) > clock.limit


@register.filter
def left(until_ms: int, now_ms: int) -> str:
    """Return the time until a moment in the form of `age`."""
    return duration(max((until_ms - now_ms) // 1000, 0))


def _count_seconds(moment: datetime, now_ms: int) -> int:
    return max((now_ms - microseconds(moment) // 1000) // 1000, 0)


@register.filter
def duration(seconds: int) -> str:
    """Return a number of seconds in the form of `age`."""
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02}"
    return f"{minutes}:{seconds % 60:02}"
