"""An assignment callback is posted once, and its answer carried out once, in every race."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from routing import models
from routing.actions import (
    assignment_callbacks,
    callbacks,
    offers,
    reservations,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.webhook_delivery import assignment_questions
from tests import factories
from tests.factories import NOW, later
from tests.webhooks.conftest import Clock
from tests.webhooks.question_steps import answer_with, concluded, failures, offer, send_questions
from tests.webhooks.receiver import Receiver, Request


def test_an_offer_is_posted_once(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    receiver.respond = answer_with({})
    offer(workspace)
    for _ in range(3):
        send_questions(workflow, clock)
    assert len(receiver.requests) == 1
    assert assignment_questions.list_due_workflows(clock()) == []


def test_an_offer_that_was_answered_and_a_grab_are_not_posted(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(workspace)
    reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
    send_questions(workflow, clock)
    assert concluded(reservation).outcome == "not sent: the offer was already accepted"
    queue = models.TaskQueue.objects.get()
    models.TaskQueue.objects.filter(pk=queue.pk).update(grab_policy="anything")
    worker = factories.worker(workspace)
    task = factories.task(workspace)
    offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=NOW)
    send_questions(workflow, clock)
    assert receiver.requests == []


def test_an_answer_that_comes_after_another_is_too_late(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(workspace)

    def answered_before(request: Request) -> None:
        reservations.reject_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
        connection.close()
        request.answer(200, b'{"instruction": "accept"}')

    receiver.respond = answered_before
    send_questions(workflow, clock)
    assert factories.status(reservation) == "rejected"
    assert concluded(reservation).outcome.startswith("too late")


def test_an_answer_after_the_offers_time_accepts_nothing(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(workspace)
    receiver.respond = answer_with({"instruction": "accept"})
    clock.shift(121)
    send_questions(workflow, clock)
    assert concluded(reservation).outcome.startswith("too late")
    factories.run(workspace, later(121))
    assert factories.status(reservation) == "timeout"


def test_an_unanswered_callback_is_no_failure_if_the_offer_was_accepted_before(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(workspace)

    def accepted_before(request: Request) -> None:
        reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
        connection.close()
        request.answer(500)

    receiver.respond = accepted_before
    send_questions(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert failures() == []


def test_an_answer_is_carried_out_once_even_if_two_runners_have_it(
    workspace: models.Workspace, workflow: models.Workflow, clock: Clock
) -> None:
    reservation = offer(workspace)
    question = concluded(reservation)
    accept = assignment_callbacks.Reply(do="accept", outcome="accepted")
    first, _ = assignment_callbacks.apply_reply(question=question, reply=accept, now=NOW)
    assert first == "accepted"
    again, _ = assignment_callbacks.apply_reply(question=question, reply=accept, now=NOW)
    assert again.startswith("too late")
    reject = assignment_callbacks.Reply(do="nothing", outcome="nothing", error_code=40005)
    late, _ = assignment_callbacks.apply_reply(question=question, reply=reject, now=NOW)
    assert late == "too late: the callback was already concluded by another process"
    assert failures() == []
    assert concluded(reservation).outcome == "accepted"


def test_the_next_runner_posts_again_if_one_is_killed_before_it_acts(
    workspace: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    receiver.respond = answer_with({"instruction": "accept"})
    reservation = offer(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(assignment_callbacks, "apply_reply", die)
        patched.setattr(callbacks, "release_lease", lambda _: None)
        with pytest.raises(Killed):
            send_questions(workflow, clock)
    send_questions(workflow, clock)
    assert factories.status(reservation) == "pending"
    assert assignment_questions.list_due_workflows(clock()) == []
    clock.now += callbacks.LEASE
    assert assignment_questions.list_due_workflows(clock()) == [workflow.sid]
    send_questions(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert [request.token for request in receiver.requests] == [reservation.sid] * 2


def test_the_callback_carries_the_values_of_the_moment_of_the_offer(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    offer(workspace)
    workflows.update_workflow(workflow=workflow, assignment_callback_url="", actor=SYSTEM, now=NOW)
    receiver.respond = answer_with({"instruction": "accept"})
    send_questions(workflow, clock)
    assert len(receiver.requests) == 1


def test_failing_receivers_are_paused_between_rounds(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    receiver.respond = lambda request: request.answer(503)
    task = offer(workspace).task
    for _ in range(120):
        send_questions(workflow, clock)
        factories.run(workspace, clock())
        clock.shift(1)
    task.refresh_from_db()
    assert 10 < task.assignments < 40
    receiver.respond = answer_with({"instruction": "accept"})
    clock.shift(10)
    send_questions(workflow, clock)
    assert factories.status(task) == "assigned"


def test_a_hanging_receiver_of_one_workflow_delays_no_other(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    hang = threading.Event()
    asked = threading.Event()
    with Receiver("the token that signs").running() as slow:

        def wait(request: Request) -> None:
            asked.set()
            hang.wait(10)
            request.answer()

        slow.respond = wait
        other = factories.workflow(workspace, assignment_callback_url=slow.url)
        first = offer(workspace, workflow=other)
        thread = threading.Thread(target=_ask_and_close, args=[other, clock])
        thread.start()
        assert asked.wait(10)
        receiver.respond = answer_with({"instruction": "accept"})
        second = offer(workspace, workflow=workflow)
        send_questions(workflow, clock)
        assert factories.status(second) == "accepted"
        hang.set()
        thread.join()
        assert factories.status(first) == "canceled"


def _ask_and_close(workflow: models.Workflow, clock: Clock) -> None:
    try:
        send_questions(workflow, clock)
    finally:
        connection.close()


def test_deleting_a_workspace_deletes_its_open_callbacks(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    offer(workspace)
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=NOW)
    send_questions(workflow, clock)
    assert receiver.requests == []
    assert not models.AssignmentCallback.objects.exists()
