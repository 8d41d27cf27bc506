"""The pause after a rejection and its reasons, in the admin."""

from __future__ import annotations

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from tests import factories
from tests.admin.visitors import Visitor, errors, words


def test_a_supervisor_sets_the_pause_and_the_reasons(
    alice: Visitor, workspace: models.Workspace
) -> None:
    page = "routing_workspace_change"
    assert errors(alice.send(page, workspace.pk, rejection_pause="4000"), "rejection_pause")
    reasons = "Conflict\r\nWrong language\r\n"
    alice.send(page, workspace.pk, rejection_pause="60", rejection_reasons=reasons)
    workspace.refresh_from_db()
    assert workspace.rejection_pause == 60
    assert workspace.rejection_reasons == "Conflict\nWrong language"


def test_the_reason_of_a_rejection_is_on_the_pages_of_its_task_and_reservation(
    alice: Visitor, workspace: models.Workspace
) -> None:
    workspace.rejection_reasons = "Conflict"
    workspace.save()
    factories.worker(workspace)
    offer = factories.offered(workspace)
    reservations.reject_reservation(
        reservation=offer, reason="Conflict", actor=SYSTEM, now=factories.NOW
    )
    assert "rejected : Conflict" in words(alice.see("routing_task_change", offer.task.pk))
    assert "Conflict" in words(alice.see("routing_reservation_change", offer.pk))
