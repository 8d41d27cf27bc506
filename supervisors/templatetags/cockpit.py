"""Template tags of the cockpit."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing.core.clock import microseconds
from supervisors.durations import format_duration
from supervisors.judging import Severity
from supervisors.wording import SEVERITIES

register = template.Library()


@register.simple_tag(takes_context=True)
def since(
    context: Context, us: int | None, watch: int | None = None, act: int | None = None
) -> SafeString | str:
    """Show the time since a moment, which the script keeps up to date and colours.

    Arguments:
        us: the moment in microseconds; None shows a dash.
        watch: the seconds after which it is worth a look.
        act: the seconds after which it needs an act.
    """
    if us is None:
        return "–"
    seconds = (microseconds(context["scene"].now) - us) / 1_000_000
    limits = [("data-watch", watch), ("data-act", act)]
    more = SafeString().join(
        format_html(' {}="{}"', name, value) for name, value in limits if value is not None
    )
    moment = datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return format_html(
        '<time class="since" datetime="{}" data-since="{}"{}>{}</time>',
        moment,
        us // 1000,
        more,
        format_duration(seconds),
    )


@register.filter
def duration(seconds: float | None) -> str:
    """Return a number of seconds as a duration, or a dash."""
    return "–" if seconds is None else format_duration(seconds)


@register.filter
def severity_word(severity: Severity) -> str:
    """Return the word of a severity."""
    return str(SEVERITIES[severity])


@register.filter
def dash(value: int | None) -> int | str:
    """Return a number, or a dash for none."""
    return "–" if value is None else value
