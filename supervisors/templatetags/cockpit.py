"""Template tags of the cockpit."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from routing.core.clock import microseconds
from routing.core.rates import Ratio
from supervisors.durations import format_duration, isolate_date
from supervisors.figure_note import WINDOWS, Window
from supervisors.figure_notes import NOTES
from supervisors.judging import Severity
from supervisors.picture import Recent
from supervisors.query import View
from supervisors.wording import SEVERITIES

register = template.Library()


@register.inclusion_tag("supervisors/_figure_name.html", takes_context=True)
def figure_name(context: Context, key: str) -> dict[str, Any]:
    """Show the name of a figure, with a menu: what it counts, and the tasks that it counts."""
    return _describe_figure(context, key)


@register.inclusion_tag("supervisors/_figure_about.html", takes_context=True)
def figure_about(
    context: Context, key: str, named: str = "", window: str = "", place: str = ""
) -> dict[str, Any]:
    """Show the same menu at the head of a column or a list.

    Arguments:
        named: what the head says, if that is not the figure's name.
        window: the `Window` of the column, if it is not that of the figure.
        place: part of the menu's id, where a panel shows the figure several times.
    """
    return _describe_figure(context, key, named=named, window=window, place=place)


def _describe_figure(
    context: Context, key: str, *, named: str = "", window: str = "", place: str = ""
) -> dict[str, Any]:
    note, scene = NOTES[key], context["scene"]
    query = urlencode({"workspace": scene.workspace.sid})
    about = Window(window) if window else note.window
    tasks = ""
    if note.statuses:
        shown = View(
            workspace=scene.workspace.sid,
            queue=scene.view.queue,
            channel=scene.view.channel,
            worker=scene.view.worker,
            status=note.statuses,
        )
        tasks = f"{reverse('supervisors:tasks')}?{shown.canonical}"
    return {
        "note": note,
        "name": named or note.name,
        "window": WINDOWS[about],
        "is_past": about is not Window.NOW,
        "help": f"{reverse('supervisors:help')}?{query}#figure-{key}",
        "tasks": tasks,
        "csv": context.get("csv", ""),
        "place": "-".join(filter(None, (context.get("panel", ""), place))),
        "scene": scene,
        "view": context["view"],
    }


@register.simple_tag(takes_context=True)
def since(
    context: Context, us: int | None, watch: int | None = None, act: int | None = None
) -> SafeString | str:
    """Show the time since a moment, which the script keeps up to date and colours.

    Arguments:
        us: the moment in microseconds; none shows a dash.
        watch: the seconds after which it is worth a look.
        act: the seconds after which it needs an act.
    """
    if not us:
        return "–"
    seconds = (microseconds(context["scene"].now) - us) / 1_000_000
    limits = [("data-watch", watch), ("data-act", act)]
    more = format_html_join("", ' {}="{}"', ((name, value) for name, value in limits if value))
    moment = datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return format_html(
        '<time class="since" datetime="{}" data-since="{}"{}>{}</time>',
        moment,
        us // 1000,
        more,
        format_duration(seconds),
    )


@register.simple_tag(takes_context=True)
def until(context: Context, us: int | None) -> SafeString | str:
    """Show the time left until a moment, which the script keeps up to date; a dash for none."""
    if not us:
        return "–"
    seconds = (us - microseconds(context["scene"].now)) / 1_000_000
    moment = datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return format_html(
        '<time class="until" datetime="{}" data-until="{}">{}</time>',
        moment,
        us // 1000,
        format_duration(seconds),
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, us: int | None) -> SafeString | str:
    """Show a moment in the time zone of the view; a dash for none."""
    if us is None:
        return "–"
    at = datetime.fromtimestamp(us / 1_000_000, UTC)
    zone = zoneinfo.ZoneInfo(name) if (name := context["view"].tz) else None
    text = date_format(timezone.localtime(at, zone), "Y-m-d H:i:s")
    return format_html(
        '<time dir="ltr" datetime="{}">{}</time>', at.isoformat(timespec="seconds"), text
    )


@register.simple_tag(takes_context=True)
def refreshes(context: Context) -> SafeString | str:
    """Return the attribute with the moment at which time alone will change a panel, if any."""
    us = context.get("refresh_at_us")
    return "" if us is None else format_html(' data-refresh-at="{}"', us // 1000)


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


@register.filter
def duration_ms(milliseconds: int | None) -> str:
    """Return a number of milliseconds as a duration, or a dash."""
    return "–" if milliseconds is None else format_duration(milliseconds / 1000)


@register.filter
def minutes(value: float | None) -> str:
    """Return an estimate in minutes as a duration; ∞ if there is no end."""
    if value is None:
        return "–"
    return "∞" if value == float("inf") else f"≈ {format_duration(value * 60)}"


@register.filter
def percent(ratio: Ratio) -> str:
    """Return a share with one decimal, or a dash; `≤` if it is at most this."""
    value = ratio.percent
    if value is None:
        return "–"
    text = _("%(percent)s %%") % {"percent": number_format(value, 1) if value < 100 else "100"}
    return f"≤ {text}" if ratio.is_upper_bound else text


@register.filter
def overdue(recent: Recent) -> str:
    """Return the number of overdue tasks, with a plus if there are more."""
    return f"{recent.overdue}{'+' if recent.has_more_overdue else ''}"


@register.filter
def isolated(text: str) -> str:
    """Return a text in which a date keeps its order after Arabic letters."""
    return isolate_date(text)
