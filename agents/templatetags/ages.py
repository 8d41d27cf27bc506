"""Format durations in the same way as the desk's script."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from agents.cards import Clock
from routing.core.clock import microseconds

register = template.Library()


@register.filter
def age(moment: datetime, now_ms: int) -> str:
    """Return the time from a moment to now: 0:07, 12:45, 3 h 05, 2 d 4 h."""
    return duration(_count_seconds(moment, now_ms))


@register.simple_tag
def age_element(moment: datetime, now_ms: int) -> SafeString:
    """Return the time since a moment as an element that the desk's script keeps up to date."""
    return format_html(
        '<time datetime="{}" data-age>{}</time>', moment.isoformat(), age(moment, now_ms)
    )


@register.simple_tag
def clock_text(clock: Clock, now_ms: int) -> SafeString:
    """Return how long a task has been in hand or in wrap-up, with the limit if there is one."""
    time = age_element(clock.since, now_ms)
    if clock.limit is None:
        text = gettext("{time} wrapping up") if clock.wrapping else gettext("{time} in hand")
        return format_html(text, time=time)
    if clock.wrapping:
        text = gettext("{time} wrapping up of {limit}")
    else:
        text = gettext("{time} in hand of {limit}")
    return format_html(text, time=time, limit=duration(clock.limit))


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
        return gettext("%(days)s d %(hours)s h") % {"days": hours // 24, "hours": hours % 24}
    if hours:
        return gettext("%(hours)s h %(minutes)s") % {
            "hours": hours,
            "minutes": f"{minutes % 60:02}",
        }
    return f"{minutes}:{seconds % 60:02}"
