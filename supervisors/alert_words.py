"""Words about thresholds and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from routing import models
from routing.core.alerting import AlertFigure, AlertScope
from routing.core.floor_figures import FigureUnit, FloorFigure
from supervisors.durations import format_duration
from supervisors.picture import OpenAlert

FIGURES: Final[Mapping[AlertFigure, Promise]] = {
    AlertFigure.WAITING: gettext_lazy("Waiting tasks"),
    AlertFigure.LONGEST_WAIT: gettext_lazy("Longest wait"),
    AlertFigure.OVERDUE: gettext_lazy("Overdue tasks"),
    AlertFigure.SERVICE_LEVEL: gettext_lazy("Service level, 30 min"),
    AlertFigure.ABANDONMENT: gettext_lazy("Abandonment rate, 30 min"),
    AlertFigure.AVAILABLE: gettext_lazy("Available agents"),
    AlertFigure.FREE: gettext_lazy("Agents with a free slot"),
    AlertFigure.OLDEST_WRAP_UP: gettext_lazy("Oldest wrap-up"),
    AlertFigure.MISSED_OFFERS: gettext_lazy("Missed offers, 10 min"),
    AlertFigure.NO_DESK: gettext_lazy("Available agents with no desk open"),
}
"""The name of each figure."""
UNITS: Final[Mapping[FigureUnit, Promise]] = {
    FigureUnit.SECONDS: gettext_lazy("seconds"),
    FigureUnit.PERCENT: gettext_lazy("percent"),
}
"""The units of limits that are no plain numbers."""


def add_unit(name: Promise, unit: FigureUnit) -> str:
    """Return the name of a figure, with the unit of its limits where they are no plain numbers."""
    words = UNITS.get(unit)
    return (
        str(name)
        if words is None
        else _("%(figure)s, in %(unit)s") % {"figure": name, "unit": words}
    )


def describe_value(figure: FloorFigure, value: float | None) -> str:
    """Return a figure with its unit: 12, 3:05, 81.5 %."""
    if value is None:
        return "–"
    if figure.unit is FigureUnit.SECONDS:
        return format_duration(value)
    if figure.unit is FigureUnit.PERCENT:
        whole = value == int(value)
        return _("%(number)s %%") % {"number": number_format(value, 0 if whole else 1)}
    return number_format(int(value))


def describe_limit(figure: AlertFigure, limit: int) -> str:
    """Return a limit with the direction in which it is bad: at least 5, at most 80 %."""
    value = describe_value(figure, limit)
    if figure.is_low_bad:
        return _("at most %(value)s") % {"value": value}
    return _("at least %(value)s") % {"value": value}


def describe_alert(alert: OpenAlert | models.Alert) -> str:
    """Return an alert in one line: Chats: Waiting tasks 12, limit at least 10."""
    figure = AlertFigure(alert.figure)
    words = {
        "place": name_place(alert),
        "figure": FIGURES[figure],
        "value": describe_value(figure, alert.value),
        "limit": describe_limit(figure, alert.limit),
    }
    if isinstance(alert, models.Alert) and alert.date_cleared is not None:
        return _("%(place)s: %(figure)s, limit %(limit)s") % words
    return _("%(place)s: %(figure)s %(value)s, limit %(limit)s") % words


def name_place(alert: OpenAlert | models.Alert) -> str:
    """Return what an alert is about: a queue or the whole floor, and perhaps a channel."""
    place = alert.queue_name or _("The whole floor")
    if not alert.channel_name:
        return place
    return _("%(queue)s on %(channel)s") % {"queue": place, "channel": alert.channel_name}


def name_scope(threshold: models.Threshold) -> str:
    """Return what a threshold is about."""
    match threshold.scope:
        case AlertScope.QUEUE if threshold.task_queue is not None:
            place = threshold.task_queue.friendly_name
        case AlertScope.EACH_QUEUE:
            place = _("Each queue")
        case _:
            place = _("The whole floor")
    if threshold.task_channel is None:
        return place
    names = {"queue": place, "channel": threshold.task_channel.friendly_name}
    return _("%(queue)s on %(channel)s") % names


def describe_hold(threshold: models.Threshold) -> str:
    """Return for how long a figure must stay beyond a limit; empty for at once."""
    if not threshold.hold:
        return ""
    return ngettext("for %(count)d second", "for %(count)d seconds", threshold.hold) % {
        "count": threshold.hold
    }
