"""The report Alerts: what was raised, for how long, and who took care of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from routing import models
from routing.actions import alerts, thresholds
from routing.actors import Actor
from routing.core.alerting import AlertFigure, AlertScope
from supervisors import following, pictures, watching
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_reports import NOON, load, read_file, show

pytestmark = pytest.mark.django_db

LEAD = Actor(type="user", sid="lead", source="supervisor")


def raise_alert(cockpit: Cockpit) -> models.Alert:
    """Raise an alert for the queue at noon, and return it."""
    thresholds.create_threshold(
        workspace=cockpit.workspace,
        scope=AlertScope.QUEUE,
        task_queue=cockpit.queue,
        figure=AlertFigure.WAITING,
        act=1,
        actor=LEAD,
        now=NOON,
    )
    cockpit.task(now=NOON)
    with time_machine.travel(NOON, tick=False):
        watching.watch_workspace(cockpit.workspace.sid, now=NOON)
    pictures.forget_pictures()
    following.forget_versions()
    return models.Alert.objects.get()


def test_an_alert_is_told_with_its_times_and_who_took_care_of_it(cockpit: Cockpit) -> None:
    alert = raise_alert(cockpit)
    after = NOON + timedelta(minutes=2)
    alerts.acknowledge_alert(alert=alert, note="=1+1", actor=LEAD, now=after)
    thresholds.delete_threshold(
        threshold=models.Threshold.objects.get(), actor=LEAD, now=NOON + timedelta(minutes=5)
    )
    now = NOON + timedelta(hours=1)
    (row,) = load(cockpit, "alerts", now=now)["rows"]
    assert row["alert"]["sid"] == alert.sid
    figures = row["figures"]
    assert figures["raised"] == "2026-03-02T12:00:00+00:00"
    assert (figures["open_for"], figures["taken_after"]) == (300_000, 120_000)
    assert (figures["state"], figures["level"], figures["figure"]) == ("cleared", "act", "waiting")
    assert (figures["queue"], figures["taken_by"]) == ("Chats", "lead")
    assert "Chats: Waiting tasks" in show(cockpit, "alerts", now=now)
    with time_machine.travel(now, tick=False):
        lines = read_file(cockpit.get("reports/alerts.csv", show="note,level"))
    line = dict(zip(lines[0], lines[1], strict=True))
    assert (line["alert sid"], line["note"]) == (alert.sid, "'=1+1")


def test_only_alerts_of_the_window_and_of_the_chosen_queue_are_listed(cockpit: Cockpit) -> None:
    raise_alert(cockpit)
    now = NOON + timedelta(hours=1)
    assert load(cockpit, "alerts", now=now, queue="WQ" + "0" * 32)["rows"] == []
    assert len(load(cockpit, "alerts", now=now, queue=cockpit.queue.sid)["rows"]) == 1
    assert load(cockpit, "alerts", now=now + timedelta(days=9))["rows"] == []


def test_an_open_alert_lasts_until_now(cockpit: Cockpit) -> None:
    raise_alert(cockpit)
    (row,) = load(cockpit, "alerts", now=NOON + timedelta(hours=1))["rows"]
    assert (row["figures"]["state"], row["figures"]["open_for"]) == ("open", 3_600_000)
    assert row["figures"]["taken_after"] is None
