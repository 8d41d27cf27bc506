"""Assignment callbacks: their content, and the effect of each answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from routing import models
from routing.actions import (
    reservations,
)
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW
from tests.webhooks.conftest import Clock
from tests.webhooks.question_steps import answer_with, concluded, failures, offer, send_questions
from tests.webhooks.receiver import Receiver, Request, silent


def test_the_callback_carries_every_field(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    reservation = offer(workspace, attributes={"name": "Žofia"}, priority=7)
    send_questions(workflow, clock)
    task, worker = reservation.task, reservation.current_worker
    assert [request.form for request in receiver.requests] == [
        {
            "Timestamp": str(int(NOW.timestamp())),
            "AccountSid": workspace.account.sid,
            "WorkspaceSid": workspace.sid,
            "WorkflowSid": workflow.sid,
            "TaskQueueSid": models.TaskQueue.objects.get().sid,
            "WorkerSid": worker.sid,
            "WorkerName": worker.friendly_name,
            "WorkerAttributes": "{}",
            "TaskSid": task.sid,
            "TaskAttributes": '{"name": "\\u017dofia"}',
            "TaskAge": "0",
            "TaskPriority": "7",
            "TaskChannelSid": factories.channel(workspace).sid,
            "TaskChannelUniqueName": "chat",
            "ReservationSid": reservation.sid,
        }
    ]
    assert receiver.requests[0].token == reservation.sid


def test_a_workflow_without_an_address_posts_nothing(workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    offer(workspace)
    assert not models.AssignmentCallback.objects.exists()


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"instruction": "accept"}, "accepted"), ({"instruction": "reject"}, "rejected")],
)
def test_the_answer_is_carried_out(
    workspace: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    answer: Any,
    status: str,
) -> None:
    receiver.respond = answer_with(answer)
    reservation = offer(workspace)
    send_questions(workflow, clock)
    assert factories.status(reservation) == status
    assert concluded(reservation).outcome == status
    event = models.Event.objects.get(event_type=f"reservation.{status}")
    assert (event.actor_type, event.actor_sid, event.source) == (
        "callback",
        workflow.sid,
        "callback",
    )
    assert failures() == []


def test_a_rejection_may_name_the_worker_s_activity(
    workspace: models.Workspace, workflow: models.Workflow, receiver: Receiver, clock: Clock
) -> None:
    activity = factories.activity(workspace, "Unavailable")
    receiver.respond = answer_with({"instruction": "reject", "activity_sid": activity.sid})
    reservation = offer(workspace)
    send_questions(workflow, clock)
    assert factories.status(reservation) == "rejected"
    reservation.current_worker.refresh_from_db()
    assert reservation.current_worker.activity == activity


@pytest.mark.parametrize("body", [b"", b"{}", b" {} \n"])
def test_an_empty_answer_leaves_the_offer_waiting(
    workspace: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    body: bytes,
) -> None:
    receiver.respond = answer_with(body)
    reservation = offer(workspace)
    send_questions(workflow, clock)
    assert factories.status(reservation) == "pending"
    assert concluded(reservation).status == "delivered"
    assert failures() == []
    reservations.accept_reservation(reservation=reservation, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"comment": "hello"}, 40005, "no instruction"),
        (b'{"instruction": "accept"', 40001, "not JSON"),
        (json.dumps('{"instruction": "accept"}').encode(), 40001, "not a JSON object"),
        (b"[" * 30_000, 40001, "not JSON"),
        (b"\xff\xfe", 40001, "not JSON"),
        ({"instruction": "Accept it"}, 55555, "no instruction 'Accept it'"),
        ({"instruction": ["accept"]}, 55555, "no instruction"),
        ({"instruction": "reject", "activity_sid": "WA" + "0" * 32}, 40100, "no activity"),
        ({"instruction": "reject", "activity_sid": 7}, 40100, "no activity"),
        ({"instruction": "reject", "activity_sid": "WA\ud800"}, 40100, "no activity"),
        *(
            ({"instruction": word, "to": "+1555"}, 20501, f"{word} needs a telephone network")
            for word in ("dequeue", "call", "redirect", "conference", "supervise")
        ),
    ],
)
def test_an_answer_that_cannot_be_carried_out_is_an_event_and_a_line_of_the_log(
    workspace: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    answer: Any,
    code: int,
    words: str,
) -> None:
    receiver.respond = answer_with(answer)
    reservation = offer(workspace)
    with caplog.at_level(logging.WARNING):
        send_questions(workflow, clock)
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
    "no JSON by its type": answer_with(b'{"instruction": "reject"}', content_type="text/html"),
    "megabytes": answer_with(b'{"instruction": "reject"}' + b" " * 3_000_000),
    "redirect": lambda request: request.answer(302, Location="http://127.0.0.1:1/"),
    "garbage": lambda request: request.raw(b"\x00\xffgarbage\r\n\r\n"),
    "nothing": lambda request: request.handler.connection.close(),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_the_fallback_is_posted_to_after_an_answer_that_does_not_count(
    workspace: models.Workspace, receiver: Receiver, clock: Clock, what: str
) -> None:
    receiver.respond = lambda request: (
        request.answer(200, b'{"instruction": "accept"}')
        if request.url.endswith("/fallback")
        else UNUSABLE[what](request)
    )
    workflow = factories.workflow(
        workspace,
        assignment_callback_url=receiver.url,
        fallback_assignment_callback_url=receiver.url.replace("/hook", "/fallback"),
    )
    reservation = offer(workspace)
    send_questions(workflow, clock)
    assert factories.status(reservation) == "accepted"
    assert len(receiver.requests) == 2
    assert failures() == []


@pytest.mark.parametrize("what", UNUSABLE)
def test_without_an_answer_the_offer_is_canceled_and_the_worker_stays(
    workspace: models.Workspace,
    workflow: models.Workflow,
    receiver: Receiver,
    clock: Clock,
    what: str,
) -> None:
    receiver.respond = UNUSABLE[what]
    reservation = offer(workspace)
    send_questions(workflow, clock)
    assert factories.status(reservation) == "canceled"
    assert factories.status(reservation.task) == "pending"
    reservation.current_worker.refresh_from_db()
    assert reservation.current_worker.activity.friendly_name == "Available"
    assert factories.worker_channel(reservation.current_worker).consumed == 0
    (data,) = failures()
    assert data["error_code"] == "40000"
    assert data["reservation_status"] == "canceled"
    assert concluded(reservation).status == "failed"
    assert len(receiver.requests) == 1


def test_a_post_to_a_silent_receiver_ends_at_the_timeout(
    workspace: models.Workspace, clock: Clock
) -> None:
    with silent() as url:
        workflow = factories.workflow(
            workspace,
            assignment_callback_url=f"{url}#rt=100",
            fallback_assignment_callback_url=f"{url}#tt=100",
        )
        reservation = offer(workspace)
        send_questions(workflow, clock)
    assert factories.status(reservation) == "canceled"
    assert concluded(reservation).answer.count("in time") == 2
