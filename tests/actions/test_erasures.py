"""A customer's data in tasks and their events can be erased, and nothing else is."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from routing import models
from routing.actions import erasures, reservations, task_transitions, tasks, transfers, workspaces
from routing.actions.support.errors import InvalidInput
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, later

ADA, BEN = {"customer": {"name": "Ada", "mail": "ada@example.com"}}, {"customer": {"name": "Ben"}}
WHERE = "customer.name == 'Ada'"


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    """Return a workspace with a worker and a workflow that has an assignment callback."""
    workspace = factories.workspace()
    factories.worker(workspace, "Bob", capacity={"chat": 9})
    factories.workflow(workspace, assignment_callback_url="https://receiver.example/asked")
    return workspace


def completed_task(workspace: models.Workspace, attributes: dict[str, Any]) -> models.Task:
    offer = factories.accepted(workspace, attributes=attributes)
    reservations.complete_reservation(
        reservation=offer, reason="Ada was glad", actor=SYSTEM, now=later(5)
    )
    offer.task.refresh_from_db()
    return offer.task


def erase(workspace: models.Workspace, where: str = WHERE, **given: Any) -> erasures.Erasure:
    return erasures.erase_tasks(
        workspace_sid=workspace.sid, where=where, actor=SYSTEM, now=later(60), **given
    )


def everything() -> str:
    """Return all that the tables hold of tasks, as text."""
    rows: list[Any] = [
        *models.Task.objects.values_list("attributes", "reason"),
        *models.Event.objects.values_list("event_data", flat=True),
        *models.AssignmentCallback.objects.values_list("parameters", "answer"),
        *models.CallbackDelivery.objects.values_list("answer", flat=True),
        *models.Transfer.objects.values_list("note", flat=True),
    ]
    return json.dumps(rows)


def test_nothing_of_the_customer_is_left_and_others_are_untouched(
    workspace: models.Workspace,
) -> None:
    task, other = completed_task(workspace, ADA), completed_task(workspace, BEN)
    models.AssignmentCallback.objects.update(answer="{'text': 'Hello Ada'}")
    events = models.Event.objects.filter(task_key__isnull=False)
    kept = events.filter(event_data__task_sid=other.sid)
    before = list(kept.order_by("pk").values())
    there = events.filter(event_data__task_sid=task.sid).count()
    done = erase(workspace)
    # One more event records that the task was changed.
    assert (done.tasks, done.events, done.unfinished, done.more) == (1, there, [], False)
    task.refresh_from_db()
    assert (task.attributes, task.reason, task.assignment_status) == ("{}", None, "completed")
    assert list(kept.order_by("pk").values()) == before
    other.refresh_from_db()
    assert (json.loads(other.attributes), other.reason) == (BEN, "Ada was glad")
    models.Task.objects.filter(pk=other.pk).delete()
    kept.delete()
    models.AssignmentCallback.objects.all().update(answer="")
    assert "ada@example.com" not in everything()
    assert "glad" not in everything()
    last = events.order_by("-pk")[0]
    assert (last.event_type, last.event_data["task_attributes"]) == ("task.updated", "{}")
    assert erase(workspace).tasks == 0


def test_notes_of_transfers_are_erased_too(workspace: models.Workspace) -> None:
    held = factories.accepted(workspace, attributes=ADA)
    factories.worker(workspace, "Eve")
    eve = workspace.workers.get(friendly_name="Eve")
    transfers.begin_transfer(
        reservation=held, to=eve.sid, note="Ada was angry", actor=SYSTEM, now=later(5)
    )
    reservations.accept_reservation(reservation=eve.reservations.get(), actor=SYSTEM, now=later(6))
    task_transitions.complete_task(task=held.task, actor=SYSTEM, now=later(7))
    assert everything().count("angry") > 1
    assert erase(workspace).tasks == 1
    assert "angry" not in everything()


def test_attributes_that_a_task_had_before_are_found_too(workspace: models.Workspace) -> None:
    task = completed_task(workspace, ADA)
    tasks.update_task(task=task, attributes='{"anonymous": true}', actor=SYSTEM, now=later(9))
    assert erase(workspace).tasks == 1
    assert "ada@example.com" not in everything()


def test_events_of_deleted_tasks_and_workspaces_are_erased_too(workspace: models.Workspace) -> None:
    tasks.delete_task(task=completed_task(workspace, ADA), actor=SYSTEM, now=later(9))
    completed_task(workspace, ADA)
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=later(10))
    assert "ada@example.com" in everything()
    assert erase(workspace).tasks == 2
    assert "ada@example.com" not in everything()


def test_a_task_that_is_not_finished_stays_as_it_is_and_is_named(
    workspace: models.Workspace,
) -> None:
    waiting = factories.task(workspace, attributes=ADA)
    done = erase(workspace)
    assert (done.tasks, done.unfinished) == (0, [waiting.sid])
    waiting.refresh_from_db()
    assert json.loads(waiting.attributes) == ADA
    task_transitions.cancel_task(task=waiting, reason="Ada left", actor=SYSTEM, now=later(9))
    assert erase(workspace).tasks == 1
    assert "Ada" not in everything()


def test_counting_changes_nothing(workspace: models.Workspace) -> None:
    completed_task(workspace, ADA)
    before = everything()
    done = erase(workspace, count_only=True)
    assert done.tasks == 1
    assert done.events == models.Event.objects.filter(task_key__isnull=False).count()
    assert everything() == before


def test_other_workspaces_are_not_searched(workspace: models.Workspace) -> None:
    completed_task(workspace, ADA)
    assert erase(factories.workspace()).tasks == 0
    assert erase(workspace, count_only=True).tasks == 1


def test_statistics_stay_as_they_are(workspace: models.Workspace) -> None:
    completed_task(workspace, ADA)
    columns = ("event_type", "event_date", "worker_key", "task_channel_key", "waited_ms")
    before = list(models.Event.objects.order_by("pk").values_list(*columns))
    erase(workspace)
    assert list(models.Event.objects.order_by("pk").values_list(*columns))[: len(before)] == before


def test_many_batches_and_a_bound(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "BATCH", 3)
    monkeypatch.setattr(erasures, "MOST_TASKS", 2)
    for _ in range(3):
        completed_task(workspace, ADA)
    first = erase(workspace)
    assert (first.tasks, first.more) == (2, True)
    second = erase(workspace)
    assert (second.tasks, second.more) == (1, False)
    assert "ada@example.com" not in everything()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("customer.name = ", "is not an expression"),
        ("1 == 1", "name the value"),
        ("customer.name != 'Ben'", "name the value"),
        ("customer == null", "name the value"),
    ],
)
def test_an_expression_that_matches_every_task_is_refused(
    workspace: models.Workspace, where: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        erase(workspace, where)


def test_the_command_counts_first_and_ends_with_an_error_while_something_is_left(
    workspace: models.Workspace,
) -> None:
    completed_task(workspace, ADA)
    waiting = factories.task(workspace, attributes=ADA)

    def run(*words: str) -> str:
        printed = io.StringIO()
        call_command("erase", workspace.sid, WHERE, *words, stdout=printed)
        return printed.getvalue()

    with pytest.raises(CommandError, match=f"1 tasks that match are not finished .{waiting.sid}"):
        run()
    task_transitions.cancel_task(task=waiting, reason=None, actor=SYSTEM, now=NOW)
    assert run().startswith("Found: 2 finished or deleted tasks")
    assert run("--yes").startswith("Erased: 2 finished or deleted tasks")
    assert run().startswith("Found: 0 finished or deleted tasks")
    with pytest.raises(CommandError, match="is not an expression"):
        call_command("erase", workspace.sid, "name ~ 'Ada'", stdout=io.StringIO())
