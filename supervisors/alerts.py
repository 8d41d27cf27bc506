"""The page Alerts: what is open, what was cleared, and the thresholds; and the bell of the bar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from routing import models
from routing.core.alerting import AlertFigure, AlertLevel
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from supervisors.alert_words import (
    FIGURES,
    describe_alert,
    describe_hold,
    describe_limit,
    name_scope,
)
from supervisors.judging import Severity
from supervisors.panel import Context, Panel, Scene
from supervisors.picture import OpenAlert

CLEARED_WITHIN: Final = timedelta(hours=24)
MOST_CLEARED: Final = 50
MOST_ON_NOW: Final = 10

_THRESHOLDS: Final = frozenset(
    {E.THRESHOLD_CREATED, E.THRESHOLD_UPDATED, E.THRESHOLD_DELETED, E.TASK_QUEUE_DELETED}
)


def load_alerts(scene: Scene) -> Context:
    """Return the open alerts, the worst and oldest first."""
    shown = [_describe(scene, alert) for alert in scene.picture.alerts]
    return {
        "alerts": shown,
        "first": shown[:MOST_ON_NOW],
        "more": max(len(shown) - MOST_ON_NOW, 0),
    }


def _describe(scene: Scene, alert: OpenAlert) -> Context:
    return {
        "alert": alert,
        "severity": Severity[alert.level.upper()],
        "words": describe_alert(alert),
        "link": scene.queue_link(alert.queue_sid) if alert.queue_sid else "",
        "muted": alert.is_muted(microseconds(scene.now)),
    }


def load_bell(scene: Scene) -> Context:
    """Return the alerts that are not taken care of, for the badge, the sound and notifications."""
    now_us = microseconds(scene.now)
    calling = [
        alert
        for alert in scene.picture.alerts
        if not alert.acknowledged_by and not alert.is_muted(now_us)
    ]
    return {
        "open": len(scene.picture.alerts),
        "calling": len(calling),
        "acts": any(alert.level == AlertLevel.ACT for alert in calling),
        "told": [
            {
                "id": f"{alert.sid}-{alert.level}",
                "level": alert.level,
                "words": describe_alert(alert),
            }
            for alert in calling
        ],
    }


def load_cleared(scene: Scene) -> Context:
    """Return the alerts that were cleared lately, the newest first."""
    rows = models.Alert.objects.filter(
        workspace=scene.workspace, date_cleared__gte=scene.now - CLEARED_WITHIN
    ).order_by("-date_cleared", "-pk")[:MOST_CLEARED]
    return {
        "cleared": [
            {
                "alert": row,
                "severity": Severity[row.level.upper()],
                "words": describe_alert(row),
                "seconds": (row.date_cleared - row.date_raised).total_seconds(),
            }
            for row in rows
            if row.date_cleared is not None
        ]
    }


def load_thresholds(scene: Scene) -> Context:
    """Return all thresholds with their limits."""
    rows = scene.workspace.thresholds.select_related("task_queue", "task_channel").order_by("pk")
    return {"thresholds": [_describe_threshold(scene, row) for row in rows]}


def _describe_threshold(scene: Scene, row: models.Threshold) -> dict[str, Any]:
    figure = AlertFigure(row.figure)
    return {
        "row": row,
        "scope": name_scope(row),
        "figure": FIGURES[figure],
        "watch": "" if row.watch is None else describe_limit(figure, row.watch),
        "act": "" if row.act is None else describe_limit(figure, row.act),
        "hold": describe_hold(row),
        "muted": row.muted_until is not None and row.muted_until > scene.now,
    }


BELL: Final = Panel(name="bell", load=load_bell)
"""The badge in the bar of every page."""
PANELS: Final = (
    BELL,
    Panel(name="alerts", load=load_alerts),
    Panel(name="now_alerts", load=load_alerts),
    Panel(
        name="cleared",
        load=load_cleared,
        from_picture=False,
        stale_on=frozenset({E.ALERT_CLEARED, E.ALERT_RAISED}),
    ),
    Panel(name="thresholds", load=load_thresholds, from_picture=False, stale_on=_THRESHOLDS),
)
