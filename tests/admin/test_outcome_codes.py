"""Outcome codes and outcomes in the admin."""

from __future__ import annotations

from routing import models
from routing.actions import reservations
from routing.actions.support.outcomes import Outcome
from routing.actors import SYSTEM
from tests import factories
from tests.admin.visitors import Visitor, errors, words


def test_a_supervisor_adds_changes_and_deletes_a_code(
    alice: Visitor, workspace: models.Workspace
) -> None:
    alice.send(
        "routing_outcomecode_add", friendly_name="Resolved", unique_name="resolved", position="1"
    )
    code = workspace.outcome_codes.get()
    assert (code.friendly_name, code.active, code.position) == ("Resolved", True, 1)
    assert errors(
        alice.send("routing_outcomecode_add", friendly_name="X", unique_name="resolved"),
        "unique_name",
    )
    alice.send("routing_outcomecode_change", code.pk, friendly_name="Solved")
    code.refresh_from_db()
    assert (code.friendly_name, code.unique_name) == ("Solved", "resolved")
    alice.post("routing_outcomecode_delete", code.pk, post="yes")
    assert not workspace.outcome_codes.exists()


def test_a_queue_says_whether_an_outcome_is_asked_for(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    alice.send("routing_taskqueue_change", queue.pk, outcome_policy="required")
    queue.refresh_from_db()
    assert queue.outcome_policy == "required"


def test_the_outcome_is_on_the_pages_of_its_task_and_reservation(
    alice: Visitor, workspace: models.Workspace
) -> None:
    code = factories.outcome_code(workspace, unique_name="resolved")
    factories.worker(workspace)
    held = factories.accepted(workspace)
    reservations.complete_reservation(
        reservation=held,
        outcome=Outcome(code=code, note="Sent <again>"),
        actor=SYSTEM,
        now=factories.NOW,
    )
    assert "completed : resolved, Sent <again>" in words(
        alice.see("routing_task_change", held.task.pk)
    )
    assert "Sent <again>" in words(alice.see("routing_reservation_change", held.pk))
