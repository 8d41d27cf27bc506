"""Callbacks in the admin show the last answer, and can be sent again."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.actions import assignment_callbacks, callbacks, workspaces
from routing.actors import SYSTEM
from routing.webhooks import queue
from tests import factories
from tests.admin.visitors import Visitor, errors, words
from tests.factories import NOW, later

URL = "https://example.com/hook"


@pytest.fixture
def refused(workspace: models.Workspace) -> models.CallbackDelivery:
    """Return a delivery of workspace A that was answered by a 500."""
    workspaces.update_workspace(workspace=workspace, event_callback_url=URL, actor=SYSTEM, now=NOW)
    delivery = models.CallbackDelivery.objects.get()
    receiver = models.CallbackReceiver.objects.get()
    attempt = callbacks.Attempt(delivery, False, 500, "500 <b>out of order</b>")
    callbacks.record_attempts([attempt], receiver=receiver, now=NOW)
    return delivery


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the receivers for which a job was queued."""
    found: list[str] = []
    monkeypatch.setattr(queue, "enqueue", found.append)
    return found


def test_the_last_answer_and_the_next_attempt_are_shown(
    alice: Visitor, refused: models.CallbackDelivery
) -> None:
    shown = words(alice.see("routing_callbackdelivery_changelist"))
    assert "workspace.updated" in shown
    assert "500 <b>out of order</b>" in shown
    page = words(alice.see("routing_callbackdelivery_change", refused.pk))
    assert URL in page
    assert "2026-03-02 12:00:01 UTC at the earliest" in page


def test_a_callback_that_was_given_up_can_be_sent_again_at_once(
    alice: Visitor,
    refused: models.CallbackDelivery,
    called: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    rows = models.CallbackDelivery.objects.all()
    callbacks.fail_deliveries(rows, "given up")
    models.CallbackReceiver.objects.update(rests_until=later(60))
    chosen: dict[str, Any] = {"action": "send_again", "_selected_action": [refused.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice.post("routing_callbackdelivery_changelist", **chosen)
    assert "1 callback is sent again now" in words(answer)
    refused.refresh_from_db()
    assert refused.status == "pending"
    assert models.CallbackReceiver.objects.get().rests_until is None
    assert called == [refused.workspace_sid]


def test_callbacks_of_another_workspace_are_neither_shown_nor_sent(
    bob: Visitor, refused: models.CallbackDelivery, called: list[str]
) -> None:
    assert "workspace.updated" not in words(bob.see("routing_callbackdelivery_changelist"))
    assert bob.see("routing_callbackdelivery_change", refused.pk).status_code in {302, 403}
    refused.refresh_from_db()
    before = refused.date_due
    chosen: dict[str, Any] = {"action": "send_again", "_selected_action": [refused.pk]}
    bob.post("routing_callbackdelivery_changelist", **chosen)
    refused.refresh_from_db()
    assert refused.date_due == before
    assert called == []


def test_the_outcome_of_an_assignment_callback_is_shown(
    alice: Visitor, workspace: models.Workspace
) -> None:
    factories.workflow(workspace, assignment_callback_url=URL)
    factories.worker(workspace)
    reservation = factories.offered(workspace)
    question = models.AssignmentCallback.objects.get()
    reply = assignment_callbacks.Reply(
        do="cancel", outcome="withdrawn: nobody was there", error_code=40000, answered=False
    )
    assignment_callbacks.apply_reply(question=question, reply=reply, now=NOW)
    shown = words(alice.see("routing_assignmentcallback_changelist"))
    assert "withdrawn: nobody was there" in shown
    assert "40000" in shown.replace(",", "")
    page = words(alice.see("routing_assignmentcallback_change", question.pk))
    assert reservation.task.sid in page
    assert URL in page


def test_an_address_that_cannot_be_called_is_refused_at_its_field(
    alice: Visitor, workspace: models.Workspace
) -> None:
    answer = alice.send(
        "routing_workspace_change", workspace.pk, event_callback_url="http://127.0.0.1:8080/hook"
    )
    assert "CALLBACK_ALLOW_PRIVATE" in errors(answer, "event_callback_url")
    workspace.refresh_from_db()
    assert workspace.event_callback_url == ""
    alice.send("routing_workspace_change", workspace.pk, event_callback_url=URL)
    workspace.refresh_from_db()
    assert workspace.event_callback_url == URL
