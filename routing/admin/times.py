"""Format times in the page's time zone, with their age."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def format_time(when: datetime | None) -> SafeString:
    """Return a time with its age, or a dash for None."""
    if when is None:
        return SafeString("–")
    return format_html(
        '<time datetime="{}">{}</time> <span class="quiet">{}</span>',
        when.isoformat(),
        format_plain_time(when),
        format_age(when),
    )


def format_microseconds(microseconds: int) -> SafeString:
    """Return a time given in microseconds since 1970, with its age."""
    return format_time(datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC))


def format_plain_time(when: datetime, *, seconds: bool = True) -> str:
    """Return a time in a sortable format with the name of its time zone."""
    form = "%Y-%m-%d %H:%M:%S %Z" if seconds else "%Y-%m-%d %H:%M %Z"
    return timezone.localtime(when).strftime(form)


def format_age(when: datetime) -> str:
    """Return a time's age, or the time left until it."""
    seconds = round((timezone.now() - when).total_seconds())
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "s"))
    count = abs(seconds) // size
    return f"{count} {unit} ago" if seconds >= 0 else f"in {count} {unit}"


def format_short_age(when: datetime) -> SafeString:
    """Return the age only; the time is shown as a tooltip."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(),
        format_plain_time(when),
        format_age(when),
    )
