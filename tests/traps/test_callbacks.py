"""Traps of callbacks: how often they are posted, and what happens without an answer."""

from __future__ import annotations

import pytest

from routing import models
from routing.actions import reservations
from routing.actions.support.errors import Rescinded
from routing.actors import SYSTEM
from routing.webhook_delivery import assignment_questions
from tests import factories
from tests.factories import NOW
from tests.webhooks.conftest import TOKEN, Clock, _allowed, clock, receiver
from tests.webhooks.receiver import Receiver, Request

__all__ = ["_allowed", "clock", "receiver"]

ACCEPT = b'{"instruction": "accept"}'


@pytest.fixture
def callback_workflow(db: None, receiver: Receiver) -> models.Workflow:
    """Return a workflow with an assignment callback, whose queue offers a task to five at once."""
    workspace = factories.workspace(account=factories.account(auth_token=TOKEN))
    return factories.workflow(
        workspace,
        default=factories.queue(workspace, max_reserved_workers=5),
        assignment_callback_url=receiver.url,
    )


def offered_to(count: int, workflow: models.Workflow) -> list[models.Reservation]:
    """Offer one task to so many workers."""
    for _ in range(count):
        factories.worker(workflow.workspace)
    task = factories.task(workflow.workspace)
    factories.run(workflow.workspace)
    return list(task.reservations.select_related("task", "worker").order_by("pk"))


def test_two_offers_of_one_task_are_two_callbacks(
    callback_workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    offers = offered_to(2, callback_workflow)
    for _ in range(2):
        assignment_questions.send_due_questions(callback_workflow.sid, clock=clock)
    asked = sorted(request.form["ReservationSid"] for request in receiver.requests)
    assert asked == sorted(offer.sid for offer in offers)
    assert len({request.form["WorkerSid"] for request in receiver.requests}) == 2
    assert {request.form["TaskSid"] for request in receiver.requests} == {offers[0].task.sid}


def test_of_two_accepting_callbacks_one_gets_the_task_and_the_other_is_rescinded(
    callback_workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    receiver.respond = lambda request: request.answer(200, ACCEPT)
    offers = offered_to(2, callback_workflow)
    assignment_questions.send_due_questions(callback_workflow.sid, clock=clock)
    assert sorted(str(factories.status(offer)) for offer in offers) == ["accepted", "rescinded"]
    outcomes = models.AssignmentCallback.objects.values_list("outcome", flat=True)
    assert sorted(outcome.split(":")[0] for outcome in outcomes) == ["accepted", "too late"]
    loser = next(offer for offer in offers if offer.reservation_status == "rescinded")
    with pytest.raises(Rescinded):
        reservations.accept_reservation(reservation=loser, actor=SYSTEM, now=NOW)


def test_two_failed_callbacks_cancel_the_offer_and_move_no_worker(
    callback_workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    callback_workflow.fallback_assignment_callback_url = receiver.url
    callback_workflow.save()
    receiver.respond = lambda request: request.answer(500)
    (offer,) = offered_to(1, callback_workflow)
    assignment_questions.send_due_questions(callback_workflow.sid, clock=clock)
    assert len(receiver.requests) == 2
    assert factories.status(offer) == "canceled"
    assert factories.status(offer.task) == "pending"
    offer.current_worker.refresh_from_db()
    assert offer.current_worker.activity.friendly_name == "Available"
    assert "worker.activity.update" not in factories.event_types()


@pytest.mark.parametrize("body", [b"{}", b""])
def test_an_empty_answer_leaves_the_offer_pending(
    callback_workflow: models.Workflow, receiver: Receiver, clock: Clock, body: bytes
) -> None:
    def answer(request: Request) -> None:
        request.answer(200, body)

    receiver.respond = answer
    (offer,) = offered_to(1, callback_workflow)
    assignment_questions.send_due_questions(callback_workflow.sid, clock=clock)
    assert factories.status(offer) == "pending"
