"""Many deadlines at once: each task ends as it would alone, and offers are made in between."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import task_deadlines
from routing.core.decisions import CancelTask, Reason
from routing.events import recorder
from routing.router import applying, rounds
from tests import factories
from tests.factories import later

pytestmark = pytest.mark.django_db

FIELDS = ("assignment_status", "reason", "date_finished", "lane_id", "version", "date_updated")


def events_of(task: models.Task) -> list[tuple[str, Any]]:
    rows = models.Event.objects.filter(resource_sid=task.sid).order_by("pk")
    return [
        (row.event_type, row.event_data.get("reason"))
        for row in rows
        if row.event_date > task.date_created
    ]


@pytest.mark.parametrize("why", [Reason.EXPIRED, Reason.WORKFLOW_TIMEOUT, Reason.WORKFLOW_SKIPPED])
@pytest.mark.parametrize("direct", [False, True])
def test_a_task_ends_among_many_as_it_does_alone(why: str, direct: bool) -> None:
    workspace = factories.workspace()
    given: dict[str, Any] = {}
    if direct:
        given = {"routing_target": factories.worker(workspace, available=False).sid}
    alone, first, second = (factories.task(workspace, **given) for _ in range(3))
    ended = [CancelTask(task_sid=t.sid, version=t.version, why=why) for t in (alone, first, second)]
    task_deadlines.cancel_overdue_task(ended[0], now=later(5))
    assert task_deadlines.cancel_overdue_tasks(ended[1:], now=later(5)) == []
    for task in (alone, first, second):
        task.refresh_from_db()
    for task in (first, second):
        assert [getattr(task, f) for f in FIELDS] == [getattr(alone, f) for f in FIELDS]
        assert events_of(task) == events_of(alone)
    assert len(events_of(alone)) >= 1 + direct


def test_a_task_that_has_changed_or_is_on_offer_is_left_to_the_action_for_single_tasks() -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    on_offer = factories.offered(workspace).task
    changed, waiting = factories.task(workspace), factories.task(workspace)
    ended = [
        CancelTask(task_sid=on_offer.sid, version=on_offer.version, why=Reason.EXPIRED),
        CancelTask(task_sid=changed.sid, version=changed.version - 1, why=Reason.EXPIRED),
        CancelTask(task_sid=waiting.sid, version=waiting.version, why=Reason.EXPIRED),
    ]
    assert task_deadlines.cancel_overdue_tasks(ended, now=later(5)) == ended[:2]
    on_offer.refresh_from_db()
    changed.refresh_from_db()
    assert (on_offer.assignment_status, changed.assignment_status) == ("reserved", "pending")


def test_many_tasks_reach_the_next_step_or_their_end_in_one_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applying, "SLICE_SIZE", 10)
    workspace = factories.workspace()
    first, second = (factories.queue(workspace, target_workers="never == true") for _ in range(2))
    steps = [factories.target(first, timeout=60), factories.target(second, timeout=60)]
    workflow = factories.workflow(workspace, factories.filter_("1 == 1", *steps))
    tasks = [factories.task(workspace, workflow=workflow) for _ in range(applying.SLICE_SIZE + 2)]
    factories.run(workspace, later(61))
    rows = models.Task.objects.filter(pk__in=[task.pk for task in tasks])
    assert set(rows.values_list("task_queue_id", "assignment_status")) == {(second.pk, "pending")}
    assert set(rows.values_list("step_deadline_us", flat=True)) == {
        int(later(120).timestamp()) * 1_000_000
    }
    factories.run(workspace, later(122))
    counted = Counter(rows.values_list("assignment_status", "reason"))
    assert counted == {("canceled", Reason.WORKFLOW_TIMEOUT): len(tasks)}


@pytest.fixture
def workspace_with_worker() -> models.Workspace:
    """Return a workspace with one worker, who is free."""
    workspace = factories.workspace()
    factories.worker(workspace)
    return workspace


DEMANDING_TEXTS = [
    'say "no"',
    "back\\slash",
    "{a,b}",
    "NULL",
    "",
    "line\nbreak",
    "Zoë 你好",
    "'%s'",
]


@pytest.fixture
def escalating() -> models.Workflow:
    """Return a workflow that moves its tasks to a second queue after a minute."""
    workspace = factories.workspace()
    first, second = (
        factories.queue(workspace, friendly_name=f"{name} {text}", target_workers="never == true")
        for name, text in (("First", DEMANDING_TEXTS[0]), ("Second", DEMANDING_TEXTS[1]))
    )
    steps = [factories.target(first, timeout=60), factories.target(second)]
    return factories.workflow(workspace, factories.filter_("1 == 1", *steps))


def wait_in(workflow: models.Workflow, count: int) -> list[models.Task]:
    """Return tasks of a workflow whose attributes have all kinds of characters."""
    texts = itertools.islice(itertools.cycle(DEMANDING_TEXTS), count)
    return [
        factories.task(
            workflow.workspace, workflow=workflow, attributes={"subject": text, "number": number}
        )
        for number, text in enumerate(texts)
    ]


def test_events_of_many_tasks_are_complete_and_in_order(
    escalating: models.Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "CHUNK_SIZE", 13)
    tasks = wait_in(escalating, 20)
    before = factories.last_event()
    factories.run(escalating.workspace, later(61))
    events = list(models.Event.objects.filter(pk__gt=before).order_by("pk"))
    assert [(event.resource_sid, event.event_type) for event in events] == [
        (task.sid, event_type)
        for task in tasks
        for event_type in (
            "task-queue.timeout",
            "task-queue.moved",
            "task-queue.entered",
            "workflow.target-matched",
        )
    ]
    for task, event in zip(tasks, events[::4], strict=True):
        data = event.event_data
        assert data["task_attributes"] == task.attributes
        assert data["task_queue_name"] == 'First say "no"'
        assert data["workspace_sid"] == escalating.workspace.sid
        assert data["task_version"] == str(task.version + 1)
    assert {event.event_data["task_queue_name"] for event in events[3::4]} == {"Second back\\slash"}


def test_more_tasks_of_a_slice_need_no_more_statements(escalating: models.Workflow) -> None:
    counts = []
    # The first round fills caches and creates the lane.
    for number, count in enumerate((9, 9, 27), 1):
        for task in wait_in(escalating, count):
            models.Task.objects.filter(pk=task.pk).update(step_deadline_us=number)
        with CaptureQueriesContext(connection) as statements:
            rounds.run_round(escalating.workspace, later(number))
        counts.append(len(statements))
    assert counts[1] == counts[2]


def test_a_slice_of_which_nothing_can_be_ended_is_left_for_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("rows that nothing can be done with")

    monkeypatch.setattr(applying, "SLICE_SIZE", 2)
    monkeypatch.setattr(task_deadlines, "cancel_overdue_tasks", fail)
    workspace = factories.workspace()
    for _ in range(3):
        factories.task(workspace, timeout=1)
    assert rounds.run_round(workspace, later(5)) == (0, True)


def test_slices_follow_each_other_in_one_round_until_nothing_is_overdue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applying, "SLICE_SIZE", 2)
    workspace = factories.workspace()
    for _ in range(5):
        factories.task(workspace, timeout=1)
    assert rounds.run_round(workspace, later(5)) == (5, False)


def test_overdue_work_gives_way_to_offers_after_its_time_slice() -> None:
    workspace = factories.workspace()
    unserved = factories.queue(workspace, target_workers="never == true")
    workflow = factories.workflow(workspace, default=unserved)
    for _ in range(applying.SLICE_SIZE + 1):
        factories.task(workspace, workflow=workflow, timeout=1)
    factories.worker(workspace)
    wanted = factories.task(workspace, workflow=factories.workflow(workspace))
    is_asked = iter([False, True, True, True])
    _, again = rounds.run_round(workspace, later(5), lambda: next(is_asked))
    wanted.refresh_from_db()
    assert wanted.assignment_status == "reserved"
    assert again
    left = models.Task.objects.filter(workflow=workflow, assignment_status="pending")
    assert left.count() == 1


def test_an_offer_after_overdue_work_begins_when_it_is_made(
    workspace_with_worker: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    unserved = factories.queue(workspace_with_worker, target_workers="never == true")
    overdue = factories.workflow(workspace_with_worker, default=unserved)
    factories.task(workspace_with_worker, workflow=overdue, timeout=1)
    workflow = factories.workflow(workspace_with_worker)
    task = factories.task(workspace_with_worker, workflow=workflow, now=later(6))
    moments = itertools.chain([later(5)] * 3, itertools.repeat(later(7)))
    monkeypatch.setattr(timezone, "now", lambda: next(moments))
    rounds.run_for_a_while(workspace_with_worker)
    assert models.Reservation.objects.get(task=task).date_created == later(7)


def test_one_task_that_cannot_be_ended_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = factories.workspace()
    tasks = [factories.task(workspace, timeout=1) for _ in range(5)]
    cancel_overdue_tasks = task_deadlines.cancel_overdue_tasks

    def fail_on_third(decided: list[CancelTask], *, now: datetime) -> list[CancelTask]:
        if any(decision.task_sid == tasks[2].sid for decision in decided):
            raise RuntimeError("a row that nothing can be done with")
        return cancel_overdue_tasks(decided, now=now)

    monkeypatch.setattr(task_deadlines, "cancel_overdue_tasks", fail_on_third)
    rounds.run_round(workspace, later(5))
    statuses = [models.Task.objects.get(pk=task.pk).assignment_status for task in tasks]
    assert statuses == ["canceled", "canceled", "pending", "canceled", "canceled"]
    assert tasks[2].sid in caplog.text
