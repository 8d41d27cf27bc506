"""Figures of the last minutes in the picture: service level, overdue tasks, missed offers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import reservations, task_transitions, workers
from routing.actors import SYSTEM, Actor
from routing.core.rates import Target
from routing.sdk import leases
from routing.statistics import bookkeeper
from supervisors import reading
from supervisors.columns import COLUMNS
from supervisors.judging import Judged, Reason, Severity, judge_queues
from supervisors.picture import Picture
from supervisors.recent import forget_today
from supervisors.templatetags import cockpit as tags
from supervisors.wording import describe_why
from tests import factories
from tests.supervisors.conftest import Cockpit

# The bookkeeper counts only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMER = Actor(type="api-key", sid="SK1")


@pytest.fixture
def now() -> datetime:
    """Return the present moment, as figures are read for windows that end now."""
    return timezone.now()


def read(cockpit: Cockpit, now: datetime) -> tuple[Picture, Judged]:
    """Count all events, and return the picture with the judged queue."""
    bookkeeper.keep_books(now=now, seconds=60)
    forget_today()
    picture = reading.read_whole(cockpit.workspace, number=1, now=now)
    (judged,) = judge_queues(picture)
    return picture, judged


def ago(now: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds ago."""
    return now - timedelta(seconds=seconds)


def task(cockpit: Cockpit, created: datetime, **given: Any) -> models.Task:
    """Make a task that began to wait at a moment."""
    return factories.task(cockpit.workspace, workflow=cockpit.workflow, now=created, **given)


def answer(cockpit: Cockpit, created: datetime, answered: datetime) -> models.Reservation:
    """Make a task that was offered and accepted at a moment."""
    made = task(cockpit, created)
    factories.run(cockpit.workspace, answered)
    offer = factories.reservation(made)
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=answered)


def test_answers_and_abandonments_of_30_minutes_make_the_service_level(
    cockpit: Cockpit, now: datetime
) -> None:
    answer(cockpit, ago(now, 600), ago(now, 590))
    answer(cockpit, ago(now, 500), ago(now, 400))
    factories.set_capacity(cockpit.ada, available=False)
    gone = task(cockpit, ago(now, 300))
    task_transitions.cancel_task(task=gone, reason="gone", actor=CUSTOMER, now=ago(now, 200))
    _, judged = read(cockpit, now)
    recent = judged.recent
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = sum(ago(now, seconds) >= midnight for seconds in (600, 500, 300))
    assert (recent.answered_30m, recent.abandoned_30m, recent.entered_today) == (2, 1, today)
    assert recent.average_speed_ms == 55_000
    assert tags.percent(recent.level) == "33.3 %"
    assert judged.severity is Severity.ACT
    assert 'title="Formula B">B</abbr>' in cockpit.read("queues")
    text = cockpit.read()
    assert "service level 33.3 %, goal 80" in text
    assert "Nothing waits now; the service level of the last 30 minutes is below its goal." in text


def test_a_task_that_waits_beyond_its_target_is_overdue_and_lowers_the_level(
    cockpit: Cockpit, now: datetime
) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=1)
    for seconds in (400, 300):
        held = answer(cockpit, ago(now, seconds), ago(now, seconds))
        task_transitions.complete_task(task=held.task, actor=SYSTEM, now=ago(now, seconds))
    factories.set_capacity(cockpit.ada, available=False)
    task(cockpit, ago(now, 50))
    assert read(cockpit, now)[1].severity is Severity.OK
    task(cockpit, ago(now, 61))
    _, judged = read(cockpit, now)
    assert judged.recent.overdue == 1
    assert judged.recent.level.percent == 66.7
    assert judged.severity is Severity.WATCH


def test_a_target_of_its_own_decides_what_is_overdue(cockpit: Cockpit, now: datetime) -> None:
    factories.set_capacity(cockpit.ada, available=False)
    task(cockpit, ago(now, 61))
    models.QueueTarget.objects.create(
        task_queue=cockpit.queue,
        task_channel=factories.channel(cockpit.workspace),
        threshold=300,
        goal=50,
        date_created=now,
        date_updated=now,
    )
    picture, judged = read(cockpit, now)
    assert judged.recent.overdue == 0
    assert judged.goal == 50
    place = (cockpit.queue.pk, factories.channel(cockpit.workspace).pk)
    assert picture.setup.target_of(place) == Target(threshold=300, goal=50)


def test_offers_that_expire_are_named_with_those_who_let_them(
    cockpit: Cockpit, now: datetime
) -> None:
    available = factories.activity(cockpit.workspace)
    for seconds in (500, 370, 240):
        made = task(cockpit, ago(now, seconds))
        factories.run(cockpit.workspace, ago(now, seconds))
        for offer in made.reservations.all():
            reservations.time_out_reservation(sid=offer.sid, now=ago(now, seconds - 121))
        workers.set_activity(
            worker=cockpit.ada, activity=available, actor=SYSTEM, now=ago(now, seconds - 122)
        )
    picture, judged = read(cockpit, now)
    assert judged.why is not None
    assert judged.why.reason is Reason.OFFERS_FAIL
    assert describe_why(judged.why, picture.setup).endswith("missed, by Ada.")


def test_a_queue_in_which_tasks_were_answered_lately_is_being_worked_off(
    cockpit: Cockpit, now: datetime
) -> None:
    answer(cockpit, ago(now, 70), ago(now, 60))
    task(cockpit, ago(now, 10))
    picture, judged = read(cockpit, now)
    assert judged.why is not None
    assert describe_why(judged.why, picture.setup) == "Being worked off: 1 answered in 5 min."
    assert judged.minutes_to_clear == 30


def test_a_queue_that_had_tasks_today_is_not_folded_away(cockpit: Cockpit, now: datetime) -> None:
    _, judged = read(cockpit, now)
    assert judged.is_quiet
    held = answer(cockpit, ago(now, 1), now)
    task_transitions.complete_task(task=held.task, actor=SYSTEM, now=now)
    assert not read(cockpit, now)[1].is_quiet


def test_all_columns_can_be_shown_and_sorted_by(cockpit: Cockpit, now: datetime) -> None:
    answer(cockpit, ago(now, 70), ago(now, 60))
    task(cockpit, ago(now, 10))
    bookkeeper.keep_books(now=now, seconds=60)
    for name in COLUMNS:
        text = cockpit.read("queues", show=list(COLUMNS), sort=f"-{name}")
        assert 'aria-sort="descending"' in text
        assert str(COLUMNS[name].title) in text


def test_agents_without_a_desk_are_counted_where_redis_knows(
    cockpit: Cockpit, real_redis: Any
) -> None:
    assert "1 available agent has no desk open." in cockpit.read()
    counts = leases.SessionCounts(desks={cockpit.ada.sid: 1})
    leases.renew_lease("here", counts, now=timezone.now())
    reading.forget_connected()
    picture = reading.read_whole(cockpit.workspace, number=9, now=timezone.now())
    assert picture.unreachable == frozenset()


def test_a_task_that_comes_between_two_queries_of_a_picture_is_no_error(
    cockpit: Cockpit, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.set_capacity(cockpit.ada, available=False)
    task(cockpit, ago(now, 600))
    _, longest = reading.read_tasks(cockpit.workspace.pk)
    assert longest
    # The counts are read before the longest waits.
    monkeypatch.setattr(reading, "read_tasks", lambda _: ({}, longest))
    _, judged = read(cockpit, now)
    assert judged.tasks.waiting == 0
    assert judged.recent.overdue == 0
