"""Limits of wrap-ups: the deadline, the extension, and what happens at the end."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.actions import reservations, task_queues, task_transitions
from routing.actions.support.errors import NotNow, StaleState
from routing.actors import SYSTEM, Actor
from routing.core.clock import microseconds
from routing.core.vocabulary import WrapUpEnd
from routing.explanations import facts, wording
from routing.router import lag_warnings
from routing.snapshots.due_work import list_due_workspaces
from tests import factories
from tests.factories import NOW, later


def wrapping(workspace: models.Workspace, **queue: Any) -> models.Reservation:
    """Return a reservation whose wrap-up began at `NOW`, limited to 60 seconds."""
    made = factories.queue(workspace, **{"wrap_up_limit": 60} | queue)
    factories.workflow(workspace, default=made)
    factories.worker(workspace)
    held = factories.accepted(workspace)
    task_transitions.wrap_up_task(task=held.task, actor=SYSTEM, now=NOW)
    held.refresh_from_db()
    return held


def extend(held: models.Reservation, *, seconds: float) -> models.Reservation:
    actor = Actor(type="worker", sid=held.worker_sid, source="desk")
    return reservations.extend_wrap_up(reservation=held, actor=actor, now=later(seconds))


def test_a_task_is_completed_when_its_wrap_up_is_over(workspace: models.Workspace) -> None:
    held = wrapping(workspace)
    assert held.wrap_up_deadline_us == microseconds(later(60))
    factories.run(workspace, later(59))
    assert factories.status(held) == "wrapping"
    before = factories.last_event()
    factories.run(workspace, later(60))
    assert (factories.status(held), factories.status(held.task)) == ("completed", "completed")
    assert factories.event_types(before) == [
        "task.completed",
        "reservation.completed",
        "task.updated",
    ]
    event = models.Event.objects.filter(event_type="reservation.completed").latest("pk")
    assert event.actor_type == "system"
    assert held.task.reason == "Task completed on wrap-up timeout"


def test_a_freed_slot_goes_to_the_next_task_in_the_same_cycle(
    workspace: models.Workspace,
) -> None:
    wrapping(workspace)
    waiting = factories.task(workspace)
    factories.run(workspace, later(59))
    assert factories.status(waiting) == "pending"
    factories.run(workspace, later(60))
    assert factories.status(waiting) == "reserved"


def test_the_reason_that_was_given_at_wrap_up_is_kept(workspace: models.Workspace) -> None:
    factories.workflow(workspace, default=factories.queue(workspace, wrap_up_limit=60))
    factories.worker(workspace)
    held = factories.accepted(workspace)
    task_transitions.wrap_up_task(task=held.task, reason="Hung up", actor=SYSTEM, now=NOW)
    factories.run(workspace, later(60))
    held.task.refresh_from_db()
    assert (held.task.assignment_status, held.task.reason) == ("completed", "Hung up")


@pytest.mark.parametrize("queue", [{"wrap_up_end": WrapUpEnd.STAY}, {"wrap_up_limit": None}])
def test_a_task_stays_where_the_queue_says_so_or_has_no_limit(
    workspace: models.Workspace, queue: dict[str, Any]
) -> None:
    held = wrapping(workspace, **queue)
    factories.run(workspace, later(3_600))
    assert factories.status(held) == "wrapping"
    assert list_due_workspaces(now=later(3_600)) == []


def test_the_limit_is_that_of_the_moment_when_the_wrap_up_began(
    workspace: models.Workspace,
) -> None:
    held = wrapping(workspace)
    queue = held.task.task_queue
    assert queue is not None
    task_queues.update_task_queue(queue=queue, wrap_up_limit=None, actor=SYSTEM, now=NOW)
    factories.run(workspace, later(60))
    assert factories.status(held) == "completed"


def test_an_extension_gives_as_much_time_again_once(workspace: models.Workspace) -> None:
    held = wrapping(workspace)
    before = factories.last_event()
    version = held.version
    assert extend(held, seconds=50).wrap_up_deadline_us == microseconds(later(120))
    assert factories.event_types(before) == ["reservation.wrapup-extended"]
    event = models.Event.objects.get(pk__gt=before)
    assert event.event_data["reservation_wrap_up_deadline"] == str(int(later(120).timestamp()))
    held.refresh_from_db()
    # Sessions of the SDK, which do not get this event, would miss a version.
    assert held.version == version
    with pytest.raises(NotNow, match="extended already"):
        extend(held, seconds=55)
    factories.run(workspace, later(119))
    assert factories.status(held) == "wrapping"
    factories.run(workspace, later(120))
    assert factories.status(held) == "completed"


def test_a_wrap_up_that_is_over_has_no_limit_or_has_not_begun_is_not_extended(
    workspace: models.Workspace,
) -> None:
    held = wrapping(workspace)
    with pytest.raises(NotNow, match="is over"):
        extend(held, seconds=60)
    other = factories.workspace()
    unlimited = wrapping(other, wrap_up_limit=None)
    with pytest.raises(NotNow, match="has no limit"):
        extend(unlimited, seconds=1)
    accepted = factories.accepted(other, channel="sms")
    with pytest.raises(NotNow, match="not in wrap-up"):
        extend(accepted, seconds=1)


def test_a_deadline_that_was_moved_after_the_snapshot_completes_nothing(
    workspace: models.Workspace,
) -> None:
    held = wrapping(workspace)
    extend(held, seconds=59)
    with pytest.raises(StaleState):
        reservations.complete_overdue_wrap_up(sid=held.sid, now=later(60))
    assert factories.status(held) == "wrapping"


def test_the_sweep_finds_the_workspace_and_the_lag_counts_it(workspace: models.Workspace) -> None:
    wrapping(workspace)
    models.UnpublishedEvent.objects.all().delete()
    assert list_due_workspaces(now=later(59)) == []
    assert list_due_workspaces(now=later(60)) == [workspace.sid]
    assert lag_warnings.find_oldest_due_age(now=later(75)).total_seconds() == 15


def test_overdue_wrap_ups_are_found_by_an_index(workspace: models.Workspace) -> None:
    wrapping(workspace)
    with CaptureQueriesContext(connection) as queries:
        factories.run(workspace, later(60))
    asked = [
        query["sql"]
        for query in queries
        if query["sql"].lstrip().startswith("SELECT")
        and "wrap_up_deadline_us" in query["sql"]
        and "<=" in query["sql"]
    ]
    assert len(asked) == 2
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
            plan = "\n".join(row[3] for row in cursor.fetchall())
            assert "reservations_wrap_up_due" in plan, plan


def test_the_explanation_says_since_when_it_is_wrapped_up_after_an_extension(
    workspace: models.Workspace,
) -> None:
    held = wrapping(workspace)
    extend(held, seconds=50)
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=held.task.pk)
    said = wording.summarize(facts.explain_task(row, now=later(55)))
    assert "wrapping it up since 2026-03-02T12:00:00Z" in said
