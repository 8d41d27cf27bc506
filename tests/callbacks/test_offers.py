"""Assignment callbacks: asked once per offer, and done what is answered, once."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from routing import models
from routing.actions import (
    assignment_callbacks,
    callbacks,
    grabs,
    reservations,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.receivers import questions
from tests import factories
from tests.callbacks.conftest import Clock
from tests.callbacks.receiver import Receiver, Request, silent
from tests.factories import NOW, later

Ask = Callable[[], models.AssignmentCallback]


@pytest.fixture
def workflow(floor: models.Workspace, receiver: Receiver) -> models.Workflow:
    """Return a workflow that asks the receiver about its offers."""
    return factories.workflow(floor, assignment_callback_url=receiver.url)


def says(answer: Any, status: int = 200, content_type: str = "application/json") -> Any:
    """Return what a receiver does that always gives this answer."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda request: request.answer(status, body, content_type)


def ask(workflow: models.Workflow, clock: Clock) -> None:
    questions.run(workflow.sid, clock=clock)


def offer(floor: models.Workspace, **given: Any) -> models.Reservation:
    """Make an offer to a worker of its own."""
    factories.worker(floor)
    return factories.offered(floor, **given)


def concluded(reservation: models.Reservation) -> models.AssignmentCallback:
    return models.AssignmentCallback.objects.get(reservation=reservation)


def failures() -> list[dict[str, Any]]:
    rows = models.Event.objects.filter(event_type="reservation.callback-failed").order_by("pk")
    return [row.event_data for row in rows]


def test_the_receiver_is_told_what_there_is_to_know(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(floor, attributes={"name": "Žofia"}, priority=7)
    ask(workflow, clock)
    task, worker = reservation.task, reservation.worker
    assert [request.form for request in receiver.requests] == [
        {
            "Timestamp": str(int(NOW.timestamp())),
            "AccountSid": floor.account.sid,
            "WorkspaceSid": floor.sid,
            "WorkflowSid": workflow.sid,
            "TaskQueueSid": models.TaskQueue.objects.get().sid,
            "WorkerSid": worker.sid,
            "WorkerName": worker.friendly_name,
            "WorkerAttributes": "{}",
            "TaskSid": task.sid,
            "TaskAttributes": '{"name": "\\u017dofia"}',
            "TaskAge": "0",
            "TaskPriority": "7",
            "TaskChannelSid": factories.channel(floor).sid,
            "TaskChannelUniqueName": "chat",
            "ReservationSid": reservation.sid,
        }
    ]
    assert receiver.requests[0].token == reservation.sid


def test_a_workflow_without_an_address_asks_nobody(floor: models.Workspace) -> None:
    factories.workflow(floor)
    offer(floor)
    assert not models.AssignmentCallback.objects.exists()


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"instruction": "accept"}, "accepted"), ({"instruction": "reject"}, "rejected")],
)
def test_what_is_answered_is_done(
    floor: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    answer: Any,
    status: str,
) -> None:
    receiver.respond = says(answer)
    reservation = offer(floor)
    ask(workflow, clock)
    assert factories.status(reservation) == status
    assert concluded(reservation).outcome == status
    event = models.Event.objects.get(event_type=f"reservation.{status}")
    assert (event.actor_type, event.actor_sid, event.source) == (
        "callback",
        workflow.sid,
        "callback",
    )
    assert failures() == []


def test_whoever_rejects_may_say_where_the_worker_goes(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    activity = factories.activity(floor, "Unavailable")
    receiver.respond = says({"instruction": "reject", "activity_sid": activity.sid})
    reservation = offer(floor)
    ask(workflow, clock)
    assert factories.status(reservation) == "rejected"
    reservation.worker.refresh_from_db()
    assert reservation.worker.activity == activity


@pytest.mark.parametrize("body", [b"", b"{}", b" {} \n"])
def test_an_empty_answer_leaves_the_offer_waiting(
    floor: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    body: bytes,
) -> None:
    receiver.respond = says(body)
    reservation = offer(floor)
    ask(workflow, clock)
    assert factories.status(reservation) == "pending"
    assert concluded(reservation).status == "delivered"
    assert failures() == []
    reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"comment": "hello"}, 40005, "no instruction"),
        (b'{"instruction": "accept"', 40001, "not JSON"),
        (json.dumps('{"instruction": "accept"}').encode(), 40001, "no JSON object"),
        (b"[" * 30_000, 40001, "not JSON"),
        (b"\xff\xfe", 40001, "not JSON"),
        ({"instruction": "Accept it"}, 55555, "no instruction 'Accept it'"),
        ({"instruction": ["accept"]}, 55555, "no instruction"),
        ({"instruction": "reject", "activity_sid": "WA" + "0" * 32}, 40100, "no activity"),
        ({"instruction": "reject", "activity_sid": 7}, 40100, "no activity"),
        *(
            ({"instruction": word, "to": "+1555"}, 20501, f"{word} needs a telephone network")
            for word in ("dequeue", "call", "redirect", "conference", "supervise")
        ),
    ],
)
def test_what_cannot_be_done_is_told_by_an_event_and_in_the_log(
    floor: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    answer: Any,
    code: int,
    words: str,
) -> None:
    receiver.respond = says(answer)
    reservation = offer(floor)
    with caplog.at_level(logging.WARNING):
        ask(workflow, clock)
    assert factories.status(reservation) == "pending"
    (data,) = failures()
    assert data["error_code"] == str(code)
    assert words in data["error_message"]
    assert (data["reservation_sid"], data["callback_url"]) == (reservation.sid, receiver.url)
    assert f"error {code}" in caplog.text
    assert concluded(reservation).error_code == code


UNUSABLE: dict[str, Callable[[Request], None]] = {
    "not found": lambda request: request.answer(404),
    "broken": lambda request: request.answer(500, b'{"instruction": "reject"}'),
    "no content": lambda request: request.answer(204),
    "no JSON by its type": says(b'{"instruction": "reject"}', content_type="text/html"),
    "megabytes": says(b'{"instruction": "reject"}' + b" " * 3_000_000),
    "redirect": lambda request: request.answer(302, Location="http://127.0.0.1:1/"),
    "garbage": lambda request: request.raw(b"\x00\xffgarbage\r\n\r\n"),
    "nothing": lambda request: request.handler.connection.close(),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_of_an_answer_that_does_not_count_the_fallback_is_asked(
    floor: models.Workspace, receiver: Receiver, clock: Clock, what: str
) -> None:
    receiver.respond = lambda request: (
        request.answer(200, b'{"instruction": "accept"}')
        if request.url.endswith("/fallback")
        else UNUSABLE[what](request)
    )
    workflow = factories.workflow(
        floor,
        assignment_callback_url=receiver.url,
        fallback_assignment_callback_url=receiver.url.replace("/hook", "/fallback"),
    )
    reservation = offer(floor)
    ask(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert len(receiver.requests) == 2
    assert failures() == []


@pytest.mark.parametrize("what", UNUSABLE)
def test_when_nobody_answers_the_offer_is_withdrawn_and_the_worker_stays(
    floor: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    what: str,
) -> None:
    receiver.respond = UNUSABLE[what]
    reservation = offer(floor)
    ask(workflow, clock)
    assert factories.status(reservation) == "canceled"
    assert factories.status(reservation.task) == "pending"
    reservation.worker.refresh_from_db()
    assert reservation.worker.activity.friendly_name == "Available"
    assert factories.worker_channel(reservation.worker).consumed == 0
    (data,) = failures()
    assert data["error_code"] == "40000"
    assert data["reservation_status"] == "canceled"
    assert concluded(reservation).status == "failed"
    assert len(receiver.requests) == 1


def test_who_says_nothing_is_waited_for_no_longer_than_said(
    floor: models.Workspace, clock: Clock
) -> None:
    with silent() as url:
        workflow = factories.workflow(
            floor,
            assignment_callback_url=f"{url}#rt=100",
            fallback_assignment_callback_url=f"{url}#tt=100",
        )
        reservation = offer(floor)
        ask(workflow, clock)
    assert factories.status(reservation) == "canceled"
    assert concluded(reservation).answer.count("in time") == 2


def test_an_offer_is_asked_about_once(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    receiver.respond = says({})
    offer(floor)
    for _ in range(3):
        ask(workflow, clock)
    assert len(receiver.requests) == 1
    assert questions.due(clock()) == []


def test_nobody_is_asked_about_what_was_answered_or_grabbed_before(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(floor)
    reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
    ask(workflow, clock)
    assert concluded(reservation).outcome == "not asked: the offer was accepted before"
    queue = models.TaskQueue.objects.get()
    models.TaskQueue.objects.filter(pk=queue.pk).update(grab_policy="anything")
    worker = factories.worker(floor)
    task = factories.task(floor)
    grabs.grab_task(task=task, worker=worker, actor=SYSTEM, now=NOW)
    ask(workflow, clock)
    assert receiver.requests == []


def test_an_answer_that_comes_after_another_is_too_late(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(floor)

    def answered_meanwhile(request: Request) -> None:
        reservations.reject_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
        connection.close()
        request.answer(200, b'{"instruction": "accept"}')

    receiver.respond = answered_meanwhile
    ask(workflow, clock)
    assert factories.status(reservation) == "rejected"
    assert concluded(reservation).outcome.startswith("too late")


def test_an_answer_after_the_offers_time_accepts_nothing(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(floor)
    receiver.respond = says({"instruction": "accept"})
    clock.shift(121)
    ask(workflow, clock)
    assert concluded(reservation).outcome.startswith("too late")
    factories.run(floor, later(121))
    assert factories.status(reservation) == "timeout"


def test_a_withdrawn_offer_is_no_failure_when_it_was_accepted_meanwhile(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(floor)

    def accepted_meanwhile(request: Request) -> None:
        reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)
        connection.close()
        request.answer(500)

    receiver.respond = accepted_meanwhile
    ask(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert failures() == []


def test_an_answer_is_carried_out_once_whoever_else_has_it(
    floor: models.Workspace, workflow: models.Workflow, clock: Clock
) -> None:
    reservation = offer(floor)
    question = concluded(reservation)
    accept = assignment_callbacks.Reply(do="accept", outcome="accepted")
    first, _ = assignment_callbacks.conclude(question=question, reply=accept, now=NOW)
    assert first == "accepted"
    again, _ = assignment_callbacks.conclude(question=question, reply=accept, now=NOW)
    assert again.startswith("too late")
    reject = assignment_callbacks.Reply(do="nothing", outcome="nothing", error_code=40005)
    late, _ = assignment_callbacks.conclude(question=question, reply=reject, now=NOW)
    assert late == "too late: somebody else has concluded it"
    assert failures() == []
    assert concluded(reservation).outcome == "accepted"


def test_a_runner_killed_between_asking_and_doing_leaves_it_to_the_next(
    floor: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    receiver.respond = says({"instruction": "accept"})
    reservation = offer(floor)
    with monkeypatch.context() as patched:
        patched.setattr(assignment_callbacks, "conclude", die)
        patched.setattr(callbacks, "release", lambda _: None)
        with pytest.raises(Killed):
            ask(workflow, clock)
    ask(workflow, clock)
    assert factories.status(reservation) == "pending"
    assert questions.due(clock()) == []
    clock.now += callbacks.LEASE
    assert questions.due(clock()) == [workflow.sid]
    ask(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert [request.token for request in receiver.requests] == [reservation.sid] * 2


def test_an_offer_is_asked_about_as_it_was_made(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    offer(floor)
    workflows.update_workflow(workflow=workflow, assignment_callback_url="", actor=SYSTEM, now=NOW)
    receiver.respond = says({"instruction": "accept"})
    ask(workflow, clock)
    assert len(receiver.requests) == 1


def test_receivers_that_are_away_are_left_alone_between_rounds(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    receiver.respond = lambda request: request.answer(503)
    task = offer(floor).task
    for _ in range(120):
        ask(workflow, clock)
        factories.run(floor, clock())
        clock.shift(1)
    task.refresh_from_db()
    assert 10 < task.assignments < 40
    receiver.respond = says({"instruction": "accept"})
    clock.shift(10)
    ask(workflow, clock)
    assert factories.status(task) == "assigned"


def test_one_workflows_receiver_that_hangs_holds_up_no_other(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    hang = threading.Event()
    asked = threading.Event()
    with Receiver("the token that signs").running() as slow:

        def wait(request: Request) -> None:
            asked.set()
            hang.wait(10)
            request.answer()

        slow.respond = wait
        other = factories.workflow(floor, assignment_callback_url=slow.url)
        first = offer(floor, workflow=other)
        thread = threading.Thread(target=_ask_and_close, args=[other, clock])
        thread.start()
        assert asked.wait(10)
        receiver.respond = says({"instruction": "accept"})
        second = offer(floor, workflow=workflow)
        ask(workflow, clock)
        assert factories.status(second) == "accepted"
        hang.set()
        thread.join()
        assert factories.status(first) == "canceled"


def _ask_and_close(workflow: models.Workflow, clock: Clock) -> None:
    try:
        ask(workflow, clock)
    finally:
        connection.close()


def test_a_workspace_goes_with_the_questions_that_are_open_in_it(
    floor: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    offer(floor)
    workspaces.delete_workspace(workspace=floor, actor=SYSTEM, now=NOW)
    ask(workflow, clock)
    assert receiver.requests == []
    assert not models.AssignmentCallback.objects.exists()
