"""The courier publishes in order, at least once, and blocks no caller."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import groups, housekeeping, jobs, models, wakeups
from routing.actions import workers
from routing.actors import SYSTEM
from routing.core.event_catalog import NEEDS_DELIVERY
from routing.events import courier, unpublished
from tests import factories
from tests.events.conftest import channel_layer
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


class _Recorder:
    """A channel layer that records messages, and fails on request."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.broken = False

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.broken:
            raise ConnectionError("Redis is away")
        self.heard.append((group, message["event_type"]))


@pytest.fixture
def recorder(settings: Any) -> Iterator[_Recorder]:
    """Record all messages of the courier, which starts at the first event as in production."""
    settings.DELIVERY_INLINE = False
    made = _Recorder()
    with channel_layer(made):
        yield made
    finish()


def finish() -> None:
    """Publish the courier's events, and end it."""
    assert courier.stop_courier(timeout=10)


def test_the_courier_publishes_in_order_and_marks_events_as_published(recorder: _Recorder) -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace)
    factories.accepted(workspace)
    finish()
    told = [event for group, event in recorder.heard if group == groups.worker_group(alice.sid)]
    assert told == ["reservation.created", "reservation.accepted"]
    assert not models.UnpublishedEvent.objects.exists()


def test_no_caller_waits_for_a_redis_that_does_not_answer(
    recorder: _Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    workspace = factories.workspace()
    alice = factories.worker(workspace, available=False)
    monkeypatch.setattr(wakeups, "wake_router", lambda sid: answers.wait(10))
    # A caller that waited for the answer would hang.
    workers.set_activity(
        worker=alice, activity=factories.activity(workspace), actor=SYSTEM, now=NOW
    )
    assert (groups.worker_group(alice.sid), "worker.activity.update") not in recorder.heard
    answers.set()
    finish()
    assert (groups.worker_group(alice.sid), "worker.activity.update") in recorder.heard


def test_the_sweep_republishes_events_that_could_not_be_published(recorder: _Recorder) -> None:
    recorder.broken = True
    workspace = factories.workspace()
    alice = factories.worker(workspace, available=False)
    workers.set_activity(
        worker=alice, activity=factories.activity(workspace), actor=SYSTEM, now=timezone.now()
    )
    finish()
    assert models.UnpublishedEvent.objects.exists()
    recorder.broken = False
    models.Event.objects.update(event_date=timezone.now() - timedelta(seconds=10))
    jobs.redeliver_events()
    finish()
    assert (groups.worker_group(alice.sid), "worker.activity.update") in recorder.heard
    assert not models.UnpublishedEvent.objects.exists()


def test_the_sweep_skips_recent_events(recorder: _Recorder) -> None:
    recorder.broken = True
    workspace = factories.workspace(now=timezone.now())
    finish()
    recorder.broken = False
    jobs.redeliver_events()
    finish()
    assert recorder.heard == []
    assert workspace.sid


def test_a_busy_queue_gets_merged_messages_and_the_last_one_is_not_lost(
    recorder: _Recorder,
) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace)
    for _ in range(20):
        factories.task(workspace)
    finish()
    told = [event for group, event in recorder.heard if group.startswith("task_queue.")]
    assert 1 <= len(told) < 40
    assert told[-1] == "task.created"


def test_events_without_an_audience_are_not_noted_as_unpublished() -> None:
    workspace = factories.workspace()
    factories.task(workspace)
    noted = models.Event.objects.filter(
        pk__in=models.UnpublishedEvent.objects.values("pk"), workspace_sid=workspace.sid
    )
    all_events = models.Event.objects.filter(workspace_sid=workspace.sid)
    types = {*all_events.values_list("event_type", flat=True)}
    assert {*noted.values_list("event_type", flat=True)} == types & {*NEEDS_DELIVERY}
    assert "workflow.entered" in types


def test_an_event_that_is_deleted_before_it_is_published_leaves_no_row() -> None:
    factories.task(factories.workspace())
    models.Event.objects.all().delete()
    assert models.UnpublishedEvent.objects.exists()
    housekeeping.delete_old_rows(now=timezone.now())
    assert not models.UnpublishedEvent.objects.exists()


def test_sqlite_notes_new_events_by_their_ids_whatever_it_knows_of_the_table() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL notes them in the insert")
    workspace = factories.workspace()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as queries:
        factories.task(workspace)
    insert = next(q["sql"] for q in queries if "INTO unpublished_events" in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + insert.replace("%", "%%"))
        plan = [line[-1] for line in cursor.fetchall()]
    assert plan == ["SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]


def test_a_sweep_seeks_what_is_unpublished_whatever_sqlite_knows_of_the_log() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this is about the plans of SQLite")
    factories.task(factories.workspace())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as queries:
        assert unpublished.load_left_behind(now=factories.later(60))
        assert unpublished.find_oldest_date()
    plans = []
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
            plans += [line[-1] for line in cursor.fetchall()]
    assert any(step.startswith("SEARCH event") for step in plans)
    assert not any(step.startswith("SCAN event") for step in plans)
