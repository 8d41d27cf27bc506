"""Thresholds are judged without an open cockpit: alerts are raised, changed and cleared once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import alerts, task_queues, task_transitions, thresholds, workers
from routing.actions.support.errors import InvalidInput, NotNow
from routing.actors import SYSTEM, Actor
from routing.core.alerting import AlertFigure, AlertScope
from routing.core.event_catalog import EventType as E
from supervisors import following, jobs, reading, watching
from tests import factories
from tests.supervisors.conftest import Cockpit

OLGA = Actor(type="user", sid="olga", source="supervisor", ip_address=None)


class Clock:
    """A time that the tests move."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def move(self, seconds: float) -> datetime:
        """Move on, and return the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the clock, at the present."""
    return Clock()


def limit(cockpit: Cockpit, figure: str = "waiting", **given: Any) -> models.Threshold:
    """Make a threshold for the queue, unless another scope is given."""
    values: dict[str, Any] = {"scope": AlertScope.QUEUE, "task_queue": cockpit.queue} | given
    if values["scope"] is not AlertScope.QUEUE:
        values["task_queue"] = None
    return thresholds.create_threshold(
        workspace=cockpit.workspace,
        figure=AlertFigure(figure),
        actor=OLGA,
        now=timezone.now(),
        **values,
    )


def watch(cockpit: Cockpit, now: datetime) -> int:
    return watching.watch_workspace(cockpit.workspace.sid, now=now)


def told(cockpit: Cockpit) -> list[str]:
    """Return the types of all events about alerts, oldest first."""
    rows = models.Event.objects.filter(
        workspace_sid=cockpit.workspace.sid, event_type__startswith="alert."
    )
    return [event.event_type for event in rows.order_by("pk")]


def cancel(task: models.Task, clock: Clock) -> None:
    """Let a task leave its queue."""
    task_transitions.cancel_task(task=task, reason=None, actor=SYSTEM, now=clock.now)


def open_alerts(cockpit: Cockpit) -> list[tuple[str, str]]:
    rows = models.Alert.objects.filter(date_cleared__isnull=True).order_by("queue_name")
    return [(row.queue_name, row.level) for row in rows]


def test_an_alert_is_raised_once_and_cleared_once(cockpit: Cockpit, clock: Clock) -> None:
    limit(cockpit, watch=2, hold=10)
    workers.set_activity(
        worker=cockpit.ada,
        activity=factories.activity(cockpit.workspace, "Offline"),
        actor=SYSTEM,
        now=clock.now,
    )
    made = [cockpit.task() for _ in range(3)]
    assert watch(cockpit, clock.move(1)) == 0
    assert watch(cockpit, clock.move(9)) == 0
    assert watch(cockpit, clock.move(1)) == 1
    assert watch(cockpit, clock.move(60)) == 0
    assert open_alerts(cockpit) == [("Chats", "watch")]
    for task in made:
        cancel(task, clock)
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Chats", "watch")]
    watch(cockpit, clock.move(10))
    assert open_alerts(cockpit) == []
    assert told(cockpit) == [E.ALERT_RAISED, E.ALERT_CLEARED]
    raised = models.Event.objects.get(event_type=E.ALERT_RAISED)
    assert raised.event_data["alert_value"] == "3"
    assert raised.event_data["task_queue_name"] == "Chats"
    assert raised.actor_type == "system"


def test_an_alert_about_desks_stays_while_redis_is_away(
    cockpit: Cockpit, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(cockpit, "no_desk", watch=1)
    known: list[set[str] | None] = [set()]
    monkeypatch.setattr(reading, "find_connected", lambda now: known[-1])
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Chats", "watch")]
    known.append(None)
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Chats", "watch")]
    known.append({cockpit.ada.sid})
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == []


def test_an_alert_gets_worse_and_better(cockpit: Cockpit, clock: Clock) -> None:
    limit(cockpit, watch=1, act=3)
    made = [cockpit.task()]
    watch(cockpit, clock.move(1))
    made += [cockpit.task() for _ in range(2)]
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Chats", "act")]
    cancel(made.pop(), clock)
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Chats", "watch")]
    assert told(cockpit) == [E.ALERT_RAISED, E.ALERT_CHANGED, E.ALERT_CHANGED]
    assert models.Alert.objects.count() == 1


def test_a_threshold_of_each_queue_raises_an_alert_for_each(cockpit: Cockpit, clock: Clock) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Calls")
    limit(cockpit, scope=AlertScope.EACH_QUEUE, watch=1)
    cockpit.task()
    cockpit.task(workflow=factories.workflow(cockpit.workspace, default=other))
    assert watch(cockpit, clock.move(1)) == 2
    assert open_alerts(cockpit) == [("Calls", "watch"), ("Chats", "watch")]


def test_a_threshold_of_the_floor_sums_over_all_queues(cockpit: Cockpit, clock: Clock) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Calls")
    limit(cockpit, scope=AlertScope.FLOOR, watch=2)
    cockpit.task()
    cockpit.task(workflow=factories.workflow(cockpit.workspace, default=other))
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("", "watch")]


@pytest.mark.parametrize(
    ("figure", "given"),
    [
        ("longest_wait", {"watch": 60}),
        ("overdue", {"watch": 1}),
        ("service_level", {"watch": 50}),
        ("free", {"watch": 0}),
        ("available", {"act": 0}),
        ("no_desk", {"watch": 1, "scope": AlertScope.FLOOR}),
    ],
)
def test_each_figure_is_read(
    cockpit: Cockpit, clock: Clock, figure: str, given: dict[str, Any]
) -> None:
    limit(cockpit, figure, **given)
    cockpit.task(now=clock.now - timedelta(seconds=90))
    if figure in ("free", "available"):
        assert watch(cockpit, clock.move(1)) == 0
        away = factories.activity(cockpit.workspace, "Offline")
        workers.set_activity(worker=cockpit.ada, activity=away, actor=SYSTEM, now=clock.now)
    expected = 0 if figure == "no_desk" and not is_known(clock.now) else 1
    assert watch(cockpit, clock.move(1)) == expected


def is_known(now: datetime) -> bool:
    """Return whether it is known which workers have a desk open, which needs Redis."""
    from supervisors import reading

    return reading.find_connected(now=now) is not None


def test_the_oldest_wrap_up_is_read(cockpit: Cockpit, clock: Clock) -> None:
    limit(cockpit, "oldest_wrap_up", watch=120)
    held = factories.accepted(cockpit.workspace, now=clock.now)
    task_transitions.wrap_up_task(task=held.task, actor=SYSTEM, now=clock.now)
    assert watch(cockpit, clock.move(60)) == 0
    assert watch(cockpit, clock.move(61)) == 1


def test_a_change_of_one_worker_is_seen_at_the_next_look(cockpit: Cockpit, clock: Clock) -> None:
    limit(cockpit, "available", act=0)
    assert watch(cockpit, clock.move(1)) == 0
    away = factories.activity(cockpit.workspace, "Offline")
    workers.set_activity(worker=cockpit.ada, activity=away, actor=SYSTEM, now=clock.now)
    assert watch(cockpit, clock.move(1)) == 1


def test_the_alert_of_a_queue_that_is_deleted_is_cleared(cockpit: Cockpit, clock: Clock) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Calls")
    limit(cockpit, "available", task_queue=other, watch=5)
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == [("Calls", "watch")]
    task_queues.delete_task_queue(queue=other, actor=SYSTEM, now=clock.now)
    assert cockpit.workspace.sid in watching.list_watched_workspaces()
    watch(cockpit, clock.move(1))
    assert open_alerts(cockpit) == []
    assert told(cockpit)[-1] == E.ALERT_CLEARED
    assert cockpit.workspace.sid not in watching.list_watched_workspaces()


def test_deleting_a_threshold_clears_its_alerts(cockpit: Cockpit, clock: Clock) -> None:
    row = limit(cockpit, watch=1)
    cockpit.task()
    watch(cockpit, clock.move(1))
    thresholds.delete_threshold(threshold=row, actor=OLGA, now=clock.now)
    assert open_alerts(cockpit) == []
    assert told(cockpit) == [E.ALERT_RAISED, E.ALERT_CLEARED]


def test_two_processes_that_look_at_once_raise_one_alert(cockpit: Cockpit, clock: Clock) -> None:
    row = limit(cockpit, watch=1)
    cockpit.task()
    picture = following.follow_picture(cockpit.workspace)
    assert picture is not None
    seen = [watching._judge(picture, row, {}, {}, clock.now) for _ in range(2)]
    assert [alerts.apply_moves(row, moves, now=clock.now) for moves in seen] == [1, 0]
    assert told(cockpit) == [E.ALERT_RAISED]


def test_an_alert_is_acknowledged_once_and_again_when_it_gets_worse(
    cockpit: Cockpit, clock: Clock
) -> None:
    limit(cockpit, watch=1, act=3)
    cockpit.task()
    watch(cockpit, clock.move(1))
    alert = models.Alert.objects.get()
    alerts.acknowledge_alert(alert=alert, note="Called Ben", actor=OLGA, now=clock.now)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note) == ("olga", "Called Ben")
    with pytest.raises(NotNow, match="acknowledged by olga already"):
        alerts.acknowledge_alert(alert=alert, note="", actor=OLGA, now=clock.now)
    for _ in range(2):
        cockpit.task()
    watch(cockpit, clock.move(1))
    alert.refresh_from_db()
    assert (alert.level, alert.acknowledged_by, alert.note) == ("act", "", "")
    assert told(cockpit) == [E.ALERT_RAISED, E.ALERT_ACKNOWLEDGED, E.ALERT_CHANGED]


def test_a_cleared_alert_cannot_be_acknowledged(cockpit: Cockpit, clock: Clock) -> None:
    limit(cockpit, watch=1)
    task = cockpit.task()
    watch(cockpit, clock.move(1))
    cancel(task, clock)
    watch(cockpit, clock.move(1))
    with pytest.raises(NotNow, match="was cleared"):
        alerts.acknowledge_alert(
            alert=models.Alert.objects.get(), note="", actor=OLGA, now=clock.now
        )


def test_a_muted_threshold_says_so_in_its_events(cockpit: Cockpit, clock: Clock) -> None:
    row = limit(cockpit, watch=1)
    until = clock.now + timedelta(minutes=15)
    thresholds.mute_threshold(threshold=row, until=until, actor=OLGA, now=clock.now)
    cockpit.task()
    watch(cockpit, clock.move(1))
    event = models.Event.objects.get(event_type=E.ALERT_RAISED)
    assert event.event_data["alert_muted"] == "true"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "set a limit for watch, for act, or for both"),
        ({"watch": 0}, "watch is 0; it must be a whole number from 1"),
        ({"watch": 5, "act": 5}, "act must be larger than watch"),
        ({"figure": "available", "watch": 2, "act": 3}, "act must be smaller than watch"),
        ({"figure": "service_level", "act": 101}, "from 0 to 100"),
        ({"watch": 5, "hold": 3601}, "hold is 3601"),
        ({"watch": 5, "task_queue": None}, "name a queue for the scope 'queue'"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(
    cockpit: Cockpit, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        limit(cockpit, **given)
    assert not models.Threshold.objects.exists()


def test_queues_and_channels_of_other_workspaces_are_refused(cockpit: Cockpit) -> None:
    elsewhere = factories.queue(factories.workspace())
    with pytest.raises(InvalidInput, match="belongs to another workspace"):
        limit(cockpit, watch=5, task_queue=elsewhere)


def test_a_workspace_has_a_limited_number_of_thresholds(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds, "LIMIT", 1)
    limit(cockpit, watch=5)
    with pytest.raises(InvalidInput, match="at most 1 thresholds"):
        limit(cockpit, watch=6)


def test_changes_of_a_threshold_are_recorded_with_both_values(cockpit: Cockpit) -> None:
    row = limit(cockpit, watch=5)
    thresholds.update_threshold(threshold=row, actor=OLGA, now=timezone.now(), watch=7)
    event = models.Event.objects.get(event_type=E.THRESHOLD_UPDATED)
    assert event.event_data["changes"] == '{"watch": ["5", "7"]}'


def test_the_sweep_starts_a_job_for_workspaces_with_thresholds(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        jobs.watch_thresholds,
        "apply_async",
        lambda kwargs, **_: sent.append(kwargs["workspace_sid"]),
    )
    jobs.sweep_thresholds()
    assert sent == []
    limit(cockpit, watch=5)
    jobs.sweep_thresholds()
    assert sent == [cockpit.workspace.sid]
