"""Each column that holds text is erased, or this file tells why it has nothing of a customer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from django.apps import apps
from django.db import models as fields
from django.utils import timezone

from routing import housekeeping, models
from routing.actions import erasures, idempotency, reservations, tasks, transfers
from routing.actions.supervision import batch_rows, batches
from routing.actions.supervision.batches import Subject
from routing.actions.support.outcomes import Outcome
from routing.actors import SYSTEM, Actor
from tests import factories

MARK = "ada@example.com"
WHERE = f"mail == '{MARK}'"
KIM = Actor(type="user", sid="kim", source="supervisor")

ERASED = {
    *("routing.Task.attributes", "routing.Task.reason"),
    "routing.Event.event_data",
    *("routing.AssignmentCallback.parameters", "routing.AssignmentCallback.answer"),
    "routing.AssignmentCallback.outcome",
    "routing.CallbackDelivery.answer",
    "routing.Transfer.note",
    "routing.Reservation.outcome_note",
    *("routing.Batch.note", "routing.Batch.arguments", "routing.BatchRow.reason"),
    "routing.IdempotencyKey.body",
    *("routing.SavedView.name", "routing.SavedView.query"),
}
"""Columns that hold what a customer, an agent or a supervisor has said of a task."""

CONFIGURATION = {
    *("routing.Account.friendly_name", "routing.Activity.friendly_name"),
    *("routing.ApiKey.friendly_name", "routing.CallbackReceiver.url"),
    *("routing.OutcomeCode.unique_name", "routing.OutcomeCode.friendly_name"),
    *("routing.TaskChannel.friendly_name", "routing.TaskChannel.unique_name"),
    *("routing.TaskQueue.friendly_name", "routing.TaskQueue.target_workers"),
    *("routing.Workflow.friendly_name", "routing.WorkflowRevision.configuration"),
    *("routing.Workflow.assignment_callback_url", "routing.Workspace.event_callback_url"),
    *("routing.Workflow.fallback_assignment_callback_url", "routing.AssignmentCallback.url"),
    *("routing.AssignmentCallback.fallback_url", "routing.Workspace.friendly_name"),
    *("routing.Workspace.rejection_reasons", "routing.Workspace.withdrawn_reasons"),
    *("routing.Workspace.title_attributes", "routing.Workspace.subtitle_attributes"),
    *("routing.Workspace.attribute_labels", "routing.Workspace.hidden_attributes"),
    *("routing.Workspace.time_zone", "routing.Workspace.events_filter"),
    *("routing.DeskSettings.silent_channels", "routing.DeskSettings.time_zone"),
    *("routing.DeskSettings.keys", "auth.Permission.name", "auth.Permission.codename"),
    *("auth.Group.name", "routing.Task.former_channel_name"),
    *("routing.Alert.queue_name", "routing.Alert.channel_name"),
    *("routing.Board.name", "routing.Board.tiles", "routing.KioskLink.name"),
    *("routing.Board.quiet_from", "routing.Board.quiet_until"),
    "routing.WorkflowRevision.message",
    # Chosen from the workspace's lists.
    *("routing.Reservation.rejection_reason", "routing.Reservation.outcome_code"),
}
"""Columns that hold what an operator has configured."""

PEOPLE = {
    *("routing.Worker.friendly_name", "routing.Worker.attributes"),
    *("routing.Reservation.former_worker_name", "routing.BatchRow.subject_name"),
    *("routing.Alert.acknowledged_by", "routing.KioskLink.created_by"),
    "routing.WorkflowRevision.actor_name",
    # Attributes of agents; of tasks only where they wait, their status and their priority.
    *("routing.BatchRow.old", "routing.BatchRow.new"),
    *("routing.SavedView.saved_by",),
    *("auth.User.username", "auth.User.first_name", "auth.User.last_name", "auth.User.email"),
    *("auth.User.password", "sessions.Session.session_data", "sessions.Session.session_key"),
    *("axes.AccessFailureLog.user_agent", "axes.AccessFailureLog.username"),
    *("axes.AccessFailureLog.http_accept", "axes.AccessFailureLog.path_info"),
    *("axes.AccessAttempt.user_agent", "axes.AccessAttempt.username"),
    *("axes.AccessAttempt.http_accept", "axes.AccessAttempt.path_info"),
    *("axes.AccessAttempt.get_data", "axes.AccessAttempt.post_data"),
    *("axes.AccessLog.user_agent", "axes.AccessLog.username", "axes.AccessLog.http_accept"),
    *("axes.AccessLog.path_info", "axes.AccessLog.session_hash"),
    # Which rows of the admin were changed, and the names of their fields.
    *("admin.LogEntry.object_repr", "admin.LogEntry.change_message"),
}
"""Columns that hold names and logins of agents and operators, not of customers."""

WRITTEN_HERE = {
    *("routing.Account.sealed_auth_token", "routing.Account.sealed_secondary_token"),
    *("routing.ApiKey.sealed_secret", "routing.KioskLink.token_digest"),
    "routing.KioskLink.boards",
    *("routing.Batch.command", "routing.Dismissals.events"),
    *("routing.Event.event_type", "routing.Event.description", "routing.Event.actor_type"),
    *("routing.Event.source", "routing.Event.origin", "routing.Event.stay_end"),
    *("routing.WorkflowRevision.actor_type", "routing.WorkflowRevision.source"),
    *("routing.Figure.origin", "routing.FigureWait.origin", "routing.FigureWait.end"),
    *("routing.FigureWait.clock", "routing.MetricTotal.origin", "routing.MetricTotal.measure"),
    *("routing.IdempotencyKey.scope", "routing.IdempotencyKey.key"),
    *("routing.IdempotencyKey.digest", "routing.IdempotencyKey.etag"),
    *("routing.TaskCount.assignment_status", "routing.Transfer.transfer_failed_reason"),
    *("routing.Task.routing_target", "routing.Transfer.transfer_to"),
    *("routing.SavedView.page", "routing.SavedView.slug"),
    *("routing.Workspace.day_starts_at", "admin.LogEntry.object_id"),
    *("contenttypes.ContentType.app_label", "contenttypes.ContentType.model"),
}
"""Columns that hold words, keys and digests of the program."""

SHORT_LIVED = {
    *("routing.Lane.digest", "routing.Lane.expression", "routing.Lane.order_by"),
    "routing.Lane.known_worker_name",
    *("routing.Lane.seek_path", "routing.Lane.seek_value"),
    "routing.Alert.note",
}
"""Columns of lanes, which end a day after their last waiting task, and notes about a queue, which
end with its events: docs/privacy.md says so."""


def list_text_columns() -> set[str]:
    """Return the columns of all tables that hold text, but for choices and sids."""
    kinds = (fields.CharField, fields.TextField, fields.JSONField)
    return {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, kinds) and not column.choices and not column.name.endswith("sid")
    }


def test_each_column_with_text_is_erased_or_has_nothing_of_a_customer() -> None:
    groups = (ERASED, CONFIGURATION, PEOPLE, WRITTEN_HERE, SHORT_LIVED)
    known = set().union(*groups)
    assert sum(map(len, groups)) == len(known), "a column is in two groups"
    # A new column belongs into one of the groups. If a customer's data may get there, `erase` must
    # look there, `tell_everything` must put the mark there, and docs/privacy.md must name it.
    assert list_text_columns() - known == set()
    assert known - list_text_columns() == set()


def find_marked() -> set[str]:
    """Return the columns that contain the mark somewhere."""
    found = set()
    for column in list_text_columns() | ERASED:
        label, _dot, name = column.rpartition(".")
        values = apps.get_model(label)._default_manager.values_list(name, flat=True)
        if any(MARK in unquote(json.dumps(value)).casefold() for value in values):
            found.add(column)
    return found


def act(workspace: models.Workspace, command: str, *rows: models.Task, **arguments: Any) -> None:
    batch = batches.create_batch(
        workspace=workspace,
        command=command,
        arguments=arguments,
        subjects=[Subject(sid=each.sid) for each in rows],
        note=f"called {MARK}",
        actor=KIM,
        now=timezone.now(),
    )
    assert batch_rows.run_slice(batch, most=9)


def tell_everything() -> models.Workspace:
    """Return a workspace where the mark is in all that can be said of a task."""
    workspace = factories.workspace(now=timezone.now())
    alice = factories.worker(workspace, "Alice", capacity={"chat": 9})
    eve = factories.worker(workspace, "Eve", capacity={"chat": 9})
    factories.workflow(workspace, assignment_callback_url="https://receiver.example/asked")
    workspace.event_callback_url = "https://receiver.example/events"
    workspace.save()
    attributes, words = {"mail": MARK}, f"{MARK} was glad"
    held = factories.accepted(workspace, attributes=attributes, now=timezone.now())
    giver = held.worker
    assert giver is not None
    taker = eve if giver == alice else alice
    transfers.begin_transfer(
        reservation=held, to=taker.sid, note=words, actor=SYSTEM, now=timezone.now()
    )
    taken = taker.reservations.get()
    reservations.accept_reservation(reservation=taken, actor=SYSTEM, now=timezone.now())
    act(workspace, "tasks.take_back", held.task, reason=words, to=None)
    # Refused, in words that name the task; and canceled with a reason.
    act(workspace, "tasks.wrap_up", held.task, reason=words)
    act(workspace, "tasks.cancel", held.task, reason=words)
    other = factories.accepted(workspace, attributes=attributes, now=timezone.now())
    reservations.complete_reservation(
        reservation=other,
        reason=words,
        outcome=Outcome(note=words),
        actor=SYSTEM,
        now=timezone.now(),
    )
    # No action puts a customer's words here today; the message of a later one may.
    rows = models.BatchRow.objects.filter(subject_sid=held.task.sid)
    rows.update(reason=words)
    models.AssignmentCallback.objects.update(answer=words, outcome=words)
    models.CallbackDelivery.objects.update(answer=words)
    for slug, name, query in (
        ("one", "Lost", urlencode({"q": MARK.upper()})),
        ("two", MARK, "status=pending"),
        ("three", "All", "status=pending"),
    ):
        models.SavedView.objects.create(
            workspace=workspace,
            slug=slug,
            name=name,
            page="tasks",
            query=query,
            date_created=timezone.now(),
        )
    creation = idempotency.Creation(account=workspace.account, key="k", digest="d")
    body = {"sid": held.task.sid, "attributes": json.dumps(attributes), "age": 0}
    idempotency.answer_once(
        creation,
        lambda: idempotency.Answer(status=201, body=json.dumps(body)),
        now=timezone.now(),
    )
    return workspace


@pytest.mark.django_db
@pytest.mark.parametrize("deleted", [False, True])
def test_nothing_that_was_said_of_a_customer_is_left_anywhere(deleted: bool) -> None:
    workspace = tell_everything()
    assert find_marked() == ERASED
    if deleted:
        for task in models.Task.objects.all():
            tasks.delete_task(task=task, actor=SYSTEM, now=timezone.now())
    erase(workspace)
    assert find_marked() == set()
    assert models.SavedView.objects.get().name == "All"


def erase(workspace: models.Workspace) -> None:
    done = erasures.erase_tasks(
        workspace_sid=workspace.sid, where=WHERE, actor=SYSTEM, now=timezone.now()
    )
    assert (done.tasks, done.unfinished) == (2, [])


@pytest.mark.django_db
def test_acts_on_erased_tasks_still_tell_who_did_what() -> None:
    workspace = tell_everything()
    before = list(models.Batch.objects.order_by("pk").values("command", "actor_sid", "done"))
    outcomes = list(models.BatchRow.objects.order_by("pk").values("subject_sid", "outcome"))
    erase(workspace)
    assert list(models.Batch.objects.order_by("pk").values("command", "actor_sid", "done")) == (
        before
    )
    assert list(models.BatchRow.objects.order_by("pk").values("subject_sid", "outcome")) == outcomes
    [body] = models.IdempotencyKey.objects.values_list("body", flat=True)
    assert json.loads(body)["attributes"] == "{}"


@pytest.mark.django_db
def test_words_about_tasks_end_with_their_events_and_those_about_agents_stay() -> None:
    workspace = tell_everything()
    worker = workspace.workers.get(friendly_name="Alice")
    batches.create_batch(
        workspace=workspace,
        command="workers.set_capacity",
        arguments={},
        subjects=[Subject(sid=worker.sid)],
        note="covering for voice",
        actor=KIM,
        now=timezone.now(),
    )
    housekeeping.delete_old_rows(now=timezone.now() + timedelta(days=31))
    assert not any(column.startswith("routing.Batch") for column in find_marked())
    assert models.Batch.objects.exclude(note=None).get().note == "covering for voice"
    assert models.Batch.objects.filter(command="tasks.cancel", done=1).exists()
