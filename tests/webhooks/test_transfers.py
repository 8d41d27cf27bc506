"""Assignment callbacks of transfers: their offers are posted like any other."""

from __future__ import annotations

import pytest

from routing import models
from routing.actions import reservations, transfers
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from tests import factories
from tests.factories import NOW
from tests.webhooks.conftest import Clock
from tests.webhooks.question_steps import answer_with, concluded, failures, send_questions
from tests.webhooks.receiver import Receiver


@pytest.fixture
def alice_reservation(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> models.Reservation:
    """Return a task that Alice has accepted by callback."""
    receiver.respond = answer_with({"instruction": "accept"})
    factories.worker(workspace, "Alice")
    offer = factories.offered(workspace)
    send_questions(workflow, clock)
    receiver.requests.clear()
    offer.refresh_from_db()
    return offer


def hand_on(alice_reservation: models.Reservation, to: str) -> models.Transfer:
    return transfers.begin_transfer(
        reservation=alice_reservation, to=to, mode=TransferMode.COLD, actor=SYSTEM, now=NOW
    )


def outcome(transfer: models.Transfer) -> str:
    transfer.refresh_from_db()
    return transfer.transfer_status


def test_a_callback_may_accept_a_transfer(
    workspace: models.Workspace,
    workflow: models.Workflow,
    alice_reservation: models.Reservation,
    receiver: Receiver,
    clock: Clock,
) -> None:
    bob = factories.worker(workspace, "Bob")
    transfer = hand_on(alice_reservation, bob.sid)
    send_questions(workflow, clock)
    (request,) = receiver.requests
    assert (request.form["WorkerSid"], request.form["TaskSid"]) == (
        bob.sid,
        alice_reservation.task.sid,
    )
    assert outcome(transfer) == "complete"
    assert factories.status(bob.reservations.get()) == "accepted"
    assert factories.status(alice_reservation) == "completed"


def test_a_callback_may_reject_a_transfer_and_the_next_worker_s_offer_is_posted(
    workspace: models.Workspace,
    workflow: models.Workflow,
    alice_reservation: models.Reservation,
    receiver: Receiver,
    clock: Clock,
) -> None:
    receiver.respond = answer_with({"instruction": "reject"})
    people = [factories.worker(workspace, name, attributes={"b": 1}) for name in ("Bob", "Cecilia")]
    transfer = hand_on(alice_reservation, factories.queue(workspace, target_workers="b == 1").sid)
    assert not receiver.requests
    for _ in people:
        factories.run(workspace)
        send_questions(workflow, clock)
    assert {request.form["WorkerSid"] for request in receiver.requests} == {p.sid for p in people}
    assert outcome(transfer) == "initiated"
    assert factories.status(alice_reservation) == "accepted"


def test_without_an_answer_a_transfer_fails(
    workspace: models.Workspace,
    workflow: models.Workflow,
    alice_reservation: models.Reservation,
    receiver: Receiver,
    clock: Clock,
) -> None:
    receiver.respond = answer_with({}, status=500)
    bob = factories.worker(workspace, "Bob")
    transfer = hand_on(alice_reservation, bob.sid)
    send_questions(workflow, clock)
    offer = bob.reservations.get()
    assert (outcome(transfer), factories.status(offer)) == ("failed", "canceled")
    assert (factories.status(alice_reservation), factories.status(alice_reservation.task)) == (
        "accepted",
        "assigned",
    )
    (data,) = failures()
    assert (data["error_code"], data["transfer_sid"]) == ("40000", transfer.sid)
    assert concluded(offer).status == "failed"
    reservations.complete_reservation(reservation=alice_reservation, actor=SYSTEM, now=NOW)


def test_an_empty_answer_leaves_a_transfer_to_the_worker(
    workspace: models.Workspace,
    workflow: models.Workflow,
    alice_reservation: models.Reservation,
    receiver: Receiver,
    clock: Clock,
) -> None:
    receiver.respond = answer_with({})
    bob = factories.worker(workspace, "Bob")
    transfer = hand_on(alice_reservation, bob.sid)
    send_questions(workflow, clock)
    assert (outcome(transfer), factories.status(bob.reservations.get())) == (
        "initiated",
        "pending",
    )
