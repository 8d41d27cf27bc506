"""The report *Alerts*: one row an alert that was raised in the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.core.alerting import AlertFigure, AlertLevel
from supervisors.alert_words import FIGURES, describe_alert, describe_limit, describe_value
from supervisors.reports.columns import Column, Label, Unit
from supervisors.reports.rendering import MOST_ROWS
from supervisors.reports.request import Request
from supervisors.reports.tables import Head, Row, Table

DIMENSIONS: Final = (("alert",),)
FILTERS: Final = ("queue",)

LEVELS: Final = {
    AlertLevel.WATCH.value: gettext_lazy("Watch"),
    AlertLevel.ACT.value: gettext_lazy("Act"),
}
STATES: Final = {"open": gettext_lazy("Open"), "cleared": gettext_lazy("Cleared")}


def build_table(request: Request) -> Table:
    """Return the first rows of the window, the last raised alert first."""
    rows = list(islice(iterate_rows(request), MOST_ROWS + 1))
    notes = []
    if len(rows) > MOST_ROWS:
        notes.append(
            _("The last %(rows)d alerts of the window are shown; the file has all of them.")
            % {"rows": MOST_ROWS}
        )
    return Table(columns=list_columns(request), rows=rows[:MOST_ROWS], notes=notes)


def iterate_rows(request: Request) -> Iterator[Row]:
    """Yield all rows."""
    for alert in list_alerts(request).iterator(chunk_size=500):
        yield Row(heads=[Head(text=describe_alert(alert), sid=alert.sid)], figures=alert)


def list_alerts(request: Request) -> QuerySet[models.Alert]:
    """Return the alerts that were raised in the window, the last first."""
    span = request.window.span
    rows = models.Alert.objects.filter(
        workspace=request.workspace,
        date_raised__gte=_find_moment(span.start),
        date_raised__lt=_find_moment(span.end),
    )
    if request.query.queue:
        rows = rows.filter(queue_sid__in=request.query.queue)
    return rows.order_by("-date_raised", "-pk")


def _find_moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def list_columns(request: Request) -> list[Column]:
    """Return the columns; dates are in the time zone of the window."""
    zone, now = request.window.calendar.zone, request.now
    return [
        _date("raised", gettext_lazy("Raised"), lambda alert: alert.date_raised, zone, usual=True),
        _date("cleared", gettext_lazy("Cleared"), lambda alert: alert.date_cleared, zone),
        Column(
            name="open_for",
            title=gettext_lazy("Open for"),
            read=lambda alert: _measure(alert.date_raised, alert.date_cleared or now),
            unit=Unit.MS,
            formula=gettext_lazy("From raising to clearing; of an open one, until now."),
            is_usual=True,
        ),
        _text("state", gettext_lazy("State"), _read_state, words=STATES),
        _text("level", gettext_lazy("Level"), lambda alert: alert.level, words=LEVELS),
        _text(
            "figure",
            gettext_lazy("Figure"),
            lambda alert: alert.figure,
            words={figure.value: words for figure, words in FIGURES.items()},
        ),
        _text("queue", gettext_lazy("Queue"), lambda alert: alert.queue_name),
        _text("channel", gettext_lazy("Channel"), lambda alert: alert.channel_name, usual=False),
        _text("value", gettext_lazy("Value"), _read_value, usual=False),
        _text("limit", gettext_lazy("Limit"), _read_limit),
        _text("taken_by", gettext_lazy("Taken care of by"), lambda alert: alert.acknowledged_by),
        Column(
            name="taken_after",
            title=gettext_lazy("Taken care of after"),
            read=lambda alert: _measure(alert.date_raised, alert.date_acknowledged),
            unit=Unit.MS,
            formula=gettext_lazy("From raising to the acknowledgement that holds."),
            is_usual=True,
        ),
        _text("note", gettext_lazy("Note"), lambda alert: alert.note, usual=False),
    ]


Read = Callable[[models.Alert], str]


def _text(
    name: str,
    title: Label,
    read: Read,
    *,
    usual: bool = True,
    words: dict[str, Any] | None = None,
) -> Column:
    return Column(
        name=name,
        title=title,
        read=lambda alert: read(alert) or None,
        unit=Unit.TEXT,
        is_usual=usual,
        words=words,
    )


def _date(
    name: str,
    title: Label,
    read: Callable[[models.Alert], datetime | None],
    zone: tzinfo,
    *,
    usual: bool = False,
) -> Column:
    def localize(alert: models.Alert) -> datetime | None:
        at = read(alert)
        return None if at is None else at.astimezone(zone)

    return Column(name=name, title=title, read=localize, unit=Unit.DATE, is_usual=usual)


def _measure(begin: datetime, end: datetime | None) -> int | None:
    return None if end is None else round((end - begin).total_seconds() * 1000)


def _read_state(alert: models.Alert) -> str:
    return "open" if alert.date_cleared is None else "cleared"


def _read_value(alert: models.Alert) -> str:
    return describe_value(AlertFigure(alert.figure), alert.value)


def _read_limit(alert: models.Alert) -> str:
    return describe_limit(AlertFigure(alert.figure), alert.limit)
