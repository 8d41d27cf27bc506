"""Outcomes: the codes of a workspace, and what is stored when a task is completed."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.actions import erasures, outcome_codes, reservations, task_transitions, transfers
from routing.actions.support.errors import InvalidInput
from routing.actions.support.outcomes import Outcome
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import TransferMode
from tests import factories
from tests.factories import NOW


def completed_data() -> dict[str, Any]:
    event = models.Event.objects.filter(event_type="reservation.completed").latest("pk")
    data: dict[str, Any] = event.event_data
    return data


def test_codes_are_created_changed_and_deleted_with_an_event_each(
    workspace: models.Workspace,
) -> None:
    before = factories.last_event()
    code = factories.outcome_code(workspace, unique_name="Resolved", friendly_name="Resolved")
    assert code.unique_name == "resolved"
    given: dict[str, Any] = {"code": code, "actor": SYSTEM, "now": NOW}
    outcome_codes.update_outcome_code(**given, active=False, position=3)
    outcome_codes.delete_outcome_code(**given)
    assert factories.event_types(before) == [
        "outcome-code.created",
        "outcome-code.updated",
        "outcome-code.deleted",
    ]


def test_names_are_unique_in_a_workspace(workspace: models.Workspace) -> None:
    factories.outcome_code(workspace, unique_name="resolved", friendly_name="Resolved")
    for given in ({"unique_name": "RESOLVED"}, {"friendly_name": "resolved"}):
        with pytest.raises(InvalidInput, match="exists already"):
            factories.outcome_code(workspace, **given)
    factories.outcome_code(factories.workspace(), unique_name="resolved")


def test_a_workspace_has_a_limited_number_of_codes(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_codes, "LIMIT", 1)
    factories.outcome_code(workspace)
    with pytest.raises(InvalidInput, match="at most 1 outcome codes"):
        factories.outcome_code(workspace)


def test_the_outcome_is_stored_on_the_reservation_and_recorded(
    workspace: models.Workspace,
) -> None:
    code = factories.outcome_code(workspace, unique_name="resolved")
    factories.worker(workspace)
    held = factories.accepted(workspace)
    task_transitions.complete_task(
        task=held.task,
        outcome=Outcome(code=code, note=" Sent again "),
        actor=SYSTEM,
        now=NOW,
    )
    held.refresh_from_db()
    assert (held.outcome_code, held.outcome_note) == ("resolved", "Sent again")
    data = completed_data()
    assert data["reservation_outcome_code"] == "resolved"
    assert data["reservation_outcome_note"] == "Sent again"


def test_without_an_outcome_the_event_has_no_keys_for_it(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    assert not {"reservation_outcome_code", "reservation_outcome_note"} & completed_data().keys()


def test_a_code_must_be_active_and_of_the_workspace(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    off = factories.outcome_code(workspace, active=False)
    foreign = factories.outcome_code(factories.workspace())
    wrong = {
        "not active": Outcome(code=off),
        "another workspace": Outcome(code=foreign),
        "1001 characters": Outcome(note="x" * 1_001),
    }
    for words, outcome in wrong.items():
        with pytest.raises(InvalidInput, match=words):
            reservations.complete_reservation(
                reservation=held, outcome=outcome, actor=SYSTEM, now=NOW
            )
    assert factories.status(held) == "accepted"


def test_a_deleted_code_stays_on_completed_reservations(workspace: models.Workspace) -> None:
    code = factories.outcome_code(workspace, unique_name="resolved")
    factories.worker(workspace)
    held = factories.accepted(workspace)
    reservations.complete_reservation(
        reservation=held, outcome=Outcome(code=code), actor=SYSTEM, now=NOW
    )
    outcome_codes.delete_outcome_code(code=code, actor=SYSTEM, now=NOW)
    held.refresh_from_db()
    assert held.outcome_code == "resolved"


def test_after_a_warm_transfer_the_outcome_is_that_of_the_worker_who_gives_it(
    workspace: models.Workspace,
) -> None:
    code = factories.outcome_code(workspace, unique_name="passed_on")
    alice = factories.worker(workspace, "Alice")
    held = factories.accepted(workspace)
    bob = factories.worker(workspace, "Bob")
    transfers.begin_transfer(
        reservation=held, to=bob.sid, mode=TransferMode.WARM, actor=SYSTEM, now=NOW
    )
    taken = reservations.accept_reservation(
        reservation=held.task.reservations.pending().get(), actor=SYSTEM, now=NOW
    )
    task_transitions.complete_task(
        task=held.task,
        outcome=Outcome(code=code),
        actor=Actor(type="worker", sid=alice.sid, source="desk"),
        now=NOW,
    )
    held.refresh_from_db()
    taken.refresh_from_db()
    assert (held.outcome_code, taken.outcome_code) == ("passed_on", None)
    assert taken.reservation_status == "accepted"


def test_an_erasure_removes_the_note_and_keeps_the_code(workspace: models.Workspace) -> None:
    code = factories.outcome_code(workspace, unique_name="resolved")
    factories.worker(workspace)
    held = factories.accepted(workspace, attributes={"customer": "Ada"})
    reservations.complete_reservation(
        reservation=held, outcome=Outcome(code=code, note="Ada moved"), actor=SYSTEM, now=NOW
    )
    erasures.erase_tasks(
        workspace_sid=workspace.sid, where='customer == "Ada"', actor=SYSTEM, now=NOW
    )
    held.refresh_from_db()
    assert (held.outcome_code, held.outcome_note) == ("resolved", None)
    data = completed_data()
    assert data["reservation_outcome_note"] is None
    assert data["reservation_outcome_code"] == "resolved"
