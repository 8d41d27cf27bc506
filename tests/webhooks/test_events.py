"""Event callbacks: the outbox, their content, their cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from routing import housekeeping, models
from routing.actions import tasks, workspaces
from routing.actors import SYSTEM
from routing.webhook_delivery import event_deliveries
from tests import factories
from tests.factories import NOW
from tests.webhooks.conftest import Clock
from tests.webhooks.event_steps import post_events, set_callback_url
from tests.webhooks.receiver import Receiver


def test_a_workspace_without_an_address_writes_no_deliveries(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    factories.accepted(workspace)
    assert not models.CallbackDelivery.objects.exists()
    assert not models.CallbackReceiver.objects.exists()


def test_an_event_carries_its_fields_in_the_forms_spelling(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    task = factories.task(
        workspace, attributes='{"name": "Žofia & Söhne", "n": [1, 2]}', priority=3
    )
    post_events(workspace, clock)
    form = next(r.form for r in notified_receiver.requests if r.form["EventType"] == "task.created")
    event = models.Event.objects.get(event_type="task.created")
    wanted = {
        "Sid": event.sid,
        "AccountSid": workspace.account.sid,
        "WorkspaceSid": workspace.sid,
        "WorkspaceName": workspace.friendly_name,
        "ResourceType": "task",
        "ResourceSid": task.sid,
        "Timestamp": str(int(NOW.timestamp())),
        "TimestampMs": str(int(NOW.timestamp()) * 1000),
        "TaskSid": task.sid,
        "TaskAttributes": '{"name": "Žofia & Söhne", "n": [1, 2]}',
        "TaskPriority": "3",
        "TaskAge": "0",
        "TaskAssignmentStatus": "pending",
        "TaskChannelUniqueName": "chat",
    }
    assert wanted.items() <= form.items()
    assert "HolderSids" not in form
    assert (
        notified_receiver.requests[0]
        .handler.headers["Content-Type"]
        .startswith("application/x-www-form-urlencoded")
    )


def test_only_events_of_the_filter_are_posted(
    workspace: models.Workspace, receiver: Receiver, clock: Clock
) -> None:
    set_callback_url(workspace, receiver.url, "task.created, reservation.accepted")
    factories.worker(workspace)
    factories.accepted(workspace)
    post_events(workspace, clock)
    assert sorted(receiver.types) == ["reservation.accepted", "task.created"]


def test_rolled_back_events_are_never_posted(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    with transaction.atomic():
        factories.task(workspace)
        transaction.set_rollback(True)
    post_events(workspace, clock)
    assert notified_receiver.requests == []


def test_the_last_event_of_a_workspace_is_posted_after_its_end(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=NOW)
    post_events(workspace, clock)
    assert notified_receiver.types == ["workspace.deleted"]
    housekeeping.delete_old_rows(now=NOW)
    assert not models.CallbackReceiver.objects.exists()


def test_a_round_costs_a_fixed_number_of_queries(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    def cost(tasks_: int) -> int:
        for _ in range(tasks_):
            factories.task(workspace)
        with CaptureQueriesContext(connection) as asked:
            event_deliveries._post_round(_receiver(workspace), clock)
        return len(asked)

    assert cost(8) == cost(30)


def _receiver(workspace: models.Workspace) -> models.CallbackReceiver:
    return models.CallbackReceiver.objects.get(sid=workspace.sid)


def test_an_event_costs_one_statement_more_with_an_address_and_none_without(
    account: models.Account, workspace: models.Workspace
) -> None:
    other = factories.workspace(account=account)
    set_callback_url(other, "https://example.com/hook")

    def cost(workspace: models.Workspace) -> int:
        task = factories.task(workspace)
        with CaptureQueriesContext(connection) as asked:
            tasks.update_task(task=task, priority=5, actor=SYSTEM, now=NOW)
        return len([q for q in asked if "callback_deliveries" in q["sql"]])

    assert (cost(workspace), cost(other)) == (0, 1)


def test_old_deliveries_are_forgotten_and_new_ones_kept(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock, settings: Any
) -> None:
    factories.task(workspace)
    post_events(workspace, clock)
    days = timedelta(days=settings.CALLBACK_RETENTION_DAYS)
    housekeeping.delete_old_rows(now=NOW + days - timedelta(seconds=1))
    assert models.CallbackDelivery.objects.exists()
    housekeeping.delete_old_rows(now=NOW + days + timedelta(seconds=1))
    assert not models.CallbackDelivery.objects.exists()
    assert models.Event.objects.exists()


def test_the_sweep_finds_due_deliveries(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    assert event_deliveries.list_due_workspaces(clock()) == []
    notified_receiver.respond = lambda request: request.answer(500)
    factories.task(workspace)
    assert event_deliveries.list_due_workspaces(clock()) == [workspace.sid]
    post_events(workspace, clock)
    assert event_deliveries.list_due_workspaces(clock()) == []
    clock.shift(60)
    assert event_deliveries.list_due_workspaces(clock()) == [workspace.sid]
