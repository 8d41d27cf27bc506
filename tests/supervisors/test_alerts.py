"""The page Alerts: what is open, thresholds, and who takes care of what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from routing import models
from routing.core.event_catalog import EventType as E
from supervisors import pictures, watching
from tests.supervisors.conftest import Cockpit

FORM: dict[str, Any] = {
    "about": "floor",
    "channel": "",
    "figure": "waiting",
    "hold": 0,
    "margin": 10,
}


def post(cockpit: Cockpit, path: str, *, who: str = "member", **given: Any) -> HttpResponse:
    """Return the answer to a form of the cockpit."""
    address = f"/supervisor/{path}?workspace={cockpit.workspace.sid}"
    found: HttpResponse = cockpit.people[who].post(address, given)  # type: ignore[assignment]
    return found


def raise_alert(cockpit: Cockpit, **given: Any) -> models.Alert:
    """Make a threshold on the page, pass its limit, and return the alert."""
    answer = post(cockpit, "alerts/thresholds/new", **{**FORM, "watch": 1, **given})
    assert answer.status_code == 302
    cockpit.task()
    look(cockpit)
    return models.Alert.objects.get()


def look(cockpit: Cockpit) -> None:
    watching.watch_workspace(cockpit.workspace.sid, now=timezone.now())
    pictures.forget_pictures()


def test_a_threshold_is_made_and_changed_and_deleted_on_its_page(cockpit: Cockpit) -> None:
    post(cockpit, "alerts/thresholds/new", **{**FORM, "about": cockpit.queue.sid, "watch": 5})
    row = models.Threshold.objects.get()
    assert (row.scope, row.task_queue, row.watch, row.act) == ("queue", cockpit.queue, 5, None)
    assert "at least 5" in cockpit.read("alerts")
    assert 'value="5"' in cockpit.read(f"alerts/thresholds/{row.sid}")
    post(cockpit, f"alerts/thresholds/{row.sid}", **{**FORM, "watch": 5, "act": 9})
    row.refresh_from_db()
    assert (row.scope, row.act) == ("floor", 9)
    post(cockpit, "do/thresholds.delete", sid=row.sid)
    assert not models.Threshold.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "set a limit for watch, for act, or for both"),
        ({"watch": "many"}, "Enter a whole number"),
        ({"watch": 5, "act": 2}, "act must be larger than watch"),
        ({"watch": 5, "figure": "mood"}, "mood is not one of the available choices"),
        ({"watch": 5, "about": "WQ" + "0" * 32}, "is not one of the available choices"),
    ],
)
def test_a_form_that_makes_no_sense_says_why_at_its_field(
    cockpit: Cockpit, given: dict[str, Any], words: str
) -> None:
    answer = post(cockpit, "alerts/thresholds/new", **FORM | given)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not models.Threshold.objects.exists()


def test_an_open_alert_is_shown_on_every_page(cockpit: Cockpit) -> None:
    assert "hidden" in cockpit.read("panels/bell").partition(">")[0]
    raise_alert(cockpit)
    for path in ("", "queues", "alerts"):
        page = cockpit.read(path)
        assert "1 alert" in page
    assert "The whole floor: Waiting tasks 1, limit at least 1" in cockpit.read("alerts")
    assert "The whole floor: Waiting tasks 1" in cockpit.read()


def test_who_takes_care_of_an_alert_is_shown_and_it_calls_no_longer(cockpit: Cockpit) -> None:
    alert = raise_alert(cockpit)
    post(cockpit, "do/alerts.acknowledge", sid=alert.sid, note="Called Ben")
    pictures.forget_pictures()
    page = cockpit.read("alerts")
    assert "lead takes care of it" in page
    assert "Called Ben" in page
    assert "1 alert taken care of" in page
    again = post(cockpit, "do/alerts.acknowledge", sid=alert.sid)
    assert again.status_code == 409
    assert "lead takes care of this alert already" in again.content.decode()


def test_a_muted_alert_is_listed_and_calls_no_one(cockpit: Cockpit) -> None:
    raise_alert(cockpit)
    row = models.Threshold.objects.get()
    post(cockpit, "do/thresholds.mute", sid=row.sid, **{"for": "15"})
    row.refresh_from_db()
    assert row.muted_until is not None
    assert timedelta(minutes=14) < row.muted_until - timezone.now() <= timedelta(minutes=15)
    pictures.forget_pictures()
    assert 'data-calling="0"' in cockpit.read("panels/bell")
    assert "muted" in cockpit.read("panels/alerts")
    post(cockpit, "do/thresholds.mute", sid=row.sid, **{"for": "off"})
    pictures.forget_pictures()
    assert 'data-calling="1"' in cockpit.read("panels/bell")
    assert post(cockpit, "do/thresholds.mute", sid=row.sid, **{"for": "ever"}).status_code == 400


def test_an_alert_decides_how_severe_its_queue_is(cockpit: Cockpit) -> None:
    raise_alert(cockpit, about="each_queue", watch="", act=1)
    assert "severity--act" in cockpit.read("panels/queues")
    row = models.Threshold.objects.get()
    post(cockpit, "do/thresholds.mute", sid=row.sid, **{"for": "60"})
    pictures.forget_pictures()
    assert "severity--act" not in cockpit.read("panels/queues")


def test_cleared_alerts_stay_listed_for_a_day(cockpit: Cockpit) -> None:
    raise_alert(cockpit)
    post(cockpit, "do/thresholds.delete", sid=models.Threshold.objects.get().sid)
    page = cockpit.read("alerts")
    assert "No alert is open." in page
    assert "The whole floor: Waiting tasks, limit at least 1" in page


def test_each_user_chooses_whether_alerts_sound(cockpit: Cockpit) -> None:
    assert 'data-alert-sound="off"' in cockpit.read()
    post(cockpit, "do/alerts.call", sound="1")
    assert 'data-alert-sound="on"' in cockpit.read()
    assert 'data-alert-sound="off"' in cockpit.get(who="superuser").content.decode()


def test_changes_names_who_made_and_who_acknowledged(cockpit: Cockpit) -> None:
    alert = raise_alert(cockpit)
    post(cockpit, "do/alerts.acknowledge", sid=alert.sid)
    page = cockpit.read("changes")
    assert E.THRESHOLD_CREATED in page
    assert E.ALERT_ACKNOWLEDGED in page


@pytest.mark.parametrize(
    ("who", "status"), [("agent", 403), ("stranger", 404), ("anonymous", 302), ("member", 302)]
)
@pytest.mark.parametrize(
    "path", ["do/alerts.acknowledge", "do/thresholds.mute", "do/thresholds.delete"]
)
def test_only_supervisors_of_the_workspace_change_alerts(
    cockpit: Cockpit, path: str, who: str, status: int
) -> None:
    alert = raise_alert(cockpit)
    threshold = models.Threshold.objects.get()
    sid = alert.sid if "alerts" in path else threshold.sid
    assert post(cockpit, path, who=who, sid=sid, **{"for": "15"}).status_code == status
    untouched = (
        models.Threshold.objects.filter(muted_until=None).exists()
        and not models.Alert.objects.exclude(acknowledged_by="").exists()
    )
    assert untouched == (who != "member")


def test_rows_of_another_workspace_are_not_found(cockpit: Cockpit) -> None:
    alert = raise_alert(cockpit)
    threshold = models.Threshold.objects.get()
    elsewhere = models.Workspace.objects.exclude(pk=cockpit.workspace.pk).get(
        friendly_name="Elsewhere"
    )
    for path, sid in (("do/alerts.acknowledge", alert.sid), ("do/thresholds.mute", threshold.sid)):
        address = f"/supervisor/{path}?workspace={elsewhere.sid}"
        answer = cockpit.people["superuser"].post(address, {"sid": sid, "for": "15"})
        assert answer.status_code == 404
