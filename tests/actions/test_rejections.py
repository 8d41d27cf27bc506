"""Rejections: their reasons, and the pause after them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.actions import reservations, workers, workspaces
from routing.actions.support.errors import InvalidInput
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from routing.explanations import facts, wording
from routing.fields.declarations import date_text
from supervisors import explaining
from tests import factories
from tests.factories import NOW, later


def configure(workspace: models.Workspace, **changes: Any) -> None:
    workspaces.update_workspace(workspace=workspace, actor=SYSTEM, now=NOW, **changes)


def reject(
    offer: models.Reservation, *, reason: str | None = None, now: datetime = NOW
) -> models.Reservation:
    return reservations.reject_reservation(reservation=offer, reason=reason, actor=SYSTEM, now=now)


def explain(task: models.Task, *, seconds: float) -> Any:
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    return facts.explain_task(row, now=later(seconds))


def test_a_reason_is_stored_and_recorded(workspace: models.Workspace) -> None:
    configure(workspace, rejection_reasons="Wrong language\nConflict")
    factories.worker(workspace)
    offer = factories.offered(workspace)
    reject(offer, reason=" Conflict ")
    offer.refresh_from_db()
    assert offer.rejection_reason == "Conflict"
    event = models.Event.objects.filter(event_type="reservation.rejected").latest("pk")
    assert event.event_data["reservation_rejection_reason"] == "Conflict"


def test_without_a_reason_the_event_has_no_key_for_it(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    reject(factories.offered(workspace), reason="")
    event = models.Event.objects.filter(event_type="reservation.rejected").latest("pk")
    assert "reservation_rejection_reason" not in event.event_data


def test_a_reason_must_be_one_of_the_workspace(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace)
    with pytest.raises(InvalidInput, match="the workspace has none"):
        reject(offer, reason="Boring")
    configure(workspace, rejection_reasons="Conflict")
    offer.workspace.refresh_from_db()
    with pytest.raises(InvalidInput, match="must be one of 'Conflict'"):
        reject(offer, reason="Boring")
    assert factories.status(offer) == "pending"


def test_reasons_are_trimmed_and_bounded(workspace: models.Workspace) -> None:
    configure(workspace, rejection_reasons=" Conflict \r\n\nWrong language\nConflict\n")
    assert workspace.rejection_reasons == "Conflict\nWrong language"
    for wrong in ("x" * 65, "\n".join(map(str, range(21)))):
        with pytest.raises(InvalidInput, match="rejection_reasons"):
            configure(workspace, rejection_reasons=wrong)
    for seconds in (-1, 3_601):
        with pytest.raises(InvalidInput, match="rejection_pause"):
            configure(workspace, rejection_pause=seconds)


def test_the_explanation_says_since_when_and_for_how_long(workspace: models.Workspace) -> None:
    configure(workspace, rejection_pause=60)
    alice = factories.worker(workspace, "Alice")
    factories.worker(workspace, "Bob", available=False)
    offer = factories.offered(workspace)
    reject(offer)
    found = explain(offer.task, seconds=12.5)
    verdict = found.verdicts.find_verdict(alice.sid)
    assert verdict.refusal == "recently_rejected"
    assert wording.describe_verdict(verdict, found) == (
        "The worker rejected this task 12 seconds ago; they may be offered it again in 48 seconds."
    )
    assert explaining.describe_verdict(verdict, found) == wording.describe_verdict(verdict, found)
    assert "1 who rejected it a moment ago" in wording.summarize(found)
    assert explaining.summarize(found, date_text) == wording.summarize(found)
    assert verdict.grab_refusal is None
    again = explain(offer.task, seconds=60)
    assert again.verdicts.find_verdict(alice.sid).rank == 1


def test_a_pause_that_is_switched_off_ends_at_once(workspace: models.Workspace) -> None:
    configure(workspace, rejection_pause=60)
    factories.worker(workspace, "Alice")
    factories.worker(workspace, "Bob", available=False)
    offer = factories.offered(workspace)
    reject(offer)
    factories.run(workspace, later(1))
    assert factories.status(offer.task) == "pending"
    configure(workspace, rejection_pause=0)
    factories.run(workspace, later(2))
    assert factories.status(offer.task) == "reserved"


def test_the_pause_ends_when_the_other_worker_is_deleted(workspace: models.Workspace) -> None:
    configure(workspace, rejection_pause=60)
    factories.worker(workspace, "Alice")
    bob = factories.worker(workspace, "Bob", available=False)
    offer = factories.offered(workspace)
    reject(offer)
    factories.run(workspace, later(1))
    assert factories.status(offer.task) == "pending"
    workers.delete_worker(worker=bob, actor=SYSTEM, now=NOW)
    factories.run(workspace, later(2))
    assert factories.status(offer.task) == "reserved"


def test_only_with_a_pause_a_cycle_reads_rejections_and_by_an_index(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace, "Alice")
    factories.worker(workspace, "Bob", available=False)
    reject(factories.offered(workspace))
    for pause in (0, 60):
        configure(workspace, rejection_pause=pause)
        with CaptureQueriesContext(connection) as queries:
            factories.run(workspace, later(1))
        asked = [query["sql"] for query in queries if 'paused_until_us" >' in query["sql"]]
        assert bool(asked) == bool(pause)
        for offer in workspace.reservations.pending():
            reject(offer, now=later(2))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + asked[0].replace("%", "%%"))
        plan = "\n".join(row[3] for row in cursor.fetchall())
    assert "reservations_paused" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_the_reason_of_a_deskless_rejection_is_none(workspace: models.Workspace) -> None:
    configure(workspace, rejection_pause=60, rejection_reasons="Conflict")
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    workers.set_activity(
        worker=worker,
        activity=factories.activity(workspace, "Offline"),
        reject_pending_reservations=True,
        actor=SYSTEM,
        now=NOW,
    )
    offer.refresh_from_db()
    assert (offer.reservation_status, offer.rejection_reason) == ("rejected", None)
    assert offer.paused_until_us == microseconds(later(60))
