"""Commands of the desk: each success beside its refusal, with its message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents import commands
from agents.arguments import Command
from routing import models
from routing.actions import task_transitions, tasks, workers
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM
from routing.core.vocabulary import GrabPolicy
from tests import factories
from tests.agents.conftest import Floor


def refused(answer: tuple[int, Any]) -> str:
    """Return the reason of a refusal."""
    status, reply = answer
    assert 400 <= status < 500
    assert reply["ok"] is False
    assert reply["error"]["message"]
    reason: str = reply["error"]["reason"]
    return reason


def done(answer: tuple[int, Any]) -> bool:
    """Return whether a command was carried out."""
    return answer == (200, {"ok": True})


def test_an_offer_is_accepted_once(floor: Floor) -> None:
    offer = floor.offered()
    assert done(floor.alice.press("reservation.accept", reservation=offer.sid))
    assert factories.status(offer) == "accepted"
    again = floor.alice.press("reservation.accept", reservation=offer.sid)
    assert refused(again) == "offer_accepted"


def test_another_agent_s_offer_cannot_be_accepted(floor: Floor) -> None:
    offer = floor.offered()
    assert refused(floor.bob.press("reservation.accept", reservation=offer.sid)) == "not_found"
    assert factories.status(offer) == "pending"


def test_an_offer_is_rejected_and_its_task_waits_again(floor: Floor) -> None:
    offer = floor.offered()
    assert done(floor.alice.press("reservation.reject", reservation=offer.sid))
    assert factories.status(offer) == "rejected"
    assert factories.status(offer.task) == "pending"
    again = floor.alice.press("reservation.reject", reservation=offer.sid)
    assert refused(again) == "offer_rejected"


def test_an_answer_after_the_deadline_comes_too_late(floor: Floor) -> None:
    offer = floor.offered(now=timezone.now() - timedelta(seconds=121))
    status, reply = floor.alice.press("reservation.accept", reservation=offer.sid)
    assert status == 409
    assert reply["error"] == {"reason": "offer_timeout", "message": "This offer has expired."}


def test_an_offer_that_was_withdrawn_says_so(floor: Floor) -> None:
    offer = floor.offered()
    task_transitions.cancel_task(task=offer.task, actor=SYSTEM, now=timezone.now())
    answer = floor.alice.press("reservation.accept", reservation=offer.sid)
    assert refused(answer) == "offer_canceled"


def test_a_task_in_hand_is_wrapped_up_and_completed(floor: Floor) -> None:
    task = floor.accepted().task
    assert done(floor.alice.press("task.wrap_up", task=task.sid))
    assert factories.status(task) == "wrapping"
    assert refused(floor.alice.press("task.wrap_up", task=task.sid)) == "not_now"
    assert done(floor.alice.press("task.complete", task=task.sid))
    assert factories.status(task) == "completed"
    assert refused(floor.alice.press("task.complete", task=task.sid)) == "not_now"


def test_another_agent_s_task_can_be_neither_wrapped_up_nor_completed(floor: Floor) -> None:
    task = floor.accepted().task
    assert refused(floor.bob.press("task.wrap_up", task=task.sid)) == "not_found"
    assert refused(floor.bob.press("task.complete", task=task.sid)) == "not_found"
    assert factories.status(task) == "assigned"


def test_an_offer_cannot_be_completed_before_it_is_accepted(floor: Floor) -> None:
    offer = floor.offered()
    assert refused(floor.alice.press("task.complete", task=offer.task.sid)) == "not_found"
    assert factories.status(offer) == "pending"


def test_of_two_grabs_of_one_task_one_succeeds_and_the_other_is_refused(floor: Floor) -> None:
    workers.set_activity(
        worker=floor.bob.worker,
        activity=factories.activity(floor.workspace),
        actor=SYSTEM,
        now=timezone.now(),
    )
    task = floor.task()
    assert done(floor.alice.press("task.grab", task=task.sid))
    assert factories.status(task) == "assigned"
    assert refused(floor.bob.press("task.grab", task=task.sid)) == "task_not_pending"
    assert factories.reservation(task).worker == floor.alice.worker


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"available": False}, "channel_unavailable"),
        ({"configured_capacity": 0}, "no_capacity"),
    ],
)
def test_a_grab_without_room_is_refused_with_the_reason(
    floor: Floor, change: dict[str, Any], reason: str
) -> None:
    task = floor.task()
    factories.set_capacity(floor.alice.worker, **change)
    assert refused(floor.alice.press("task.grab", task=task.sid)) == reason
    assert factories.status(task) == "pending"


def test_an_agent_in_an_unavailable_activity_cannot_grab(floor: Floor) -> None:
    assert refused(floor.bob.press("task.grab", task=floor.task().sid)) == "worker_unavailable"


def test_a_queue_whose_grab_policy_is_off_refuses(floor: Floor) -> None:
    queue = factories.queue(floor.workspace, grab_policy=GrabPolicy.OFF)
    factories.workflow(floor.workspace, default=queue)
    workflow = floor.workspace.workflows.get(revision__configuration__contains=queue.sid)
    task = floor.task(workflow=workflow)
    assert refused(floor.alice.press("task.grab", task=task.sid)) == "grab_not_allowed"


def test_a_task_of_another_workspace_is_not_found(floor: Floor) -> None:
    elsewhere = factories.task(factories.workspace())
    assert refused(floor.alice.press("task.grab", task=elsewhere.sid)) == "not_found"


def test_a_deleted_task_is_not_found(floor: Floor) -> None:
    task = floor.task()
    tasks.delete_task(task=task, actor=SYSTEM, now=timezone.now())
    assert refused(floor.alice.press("task.grab", task=task.sid)) == "not_found"


def test_leaving_with_offers_open_asks_first_and_then_rejects_them(floor: Floor) -> None:
    offer = floor.offered()
    away = floor.workspace.activities.get(friendly_name="Offline")
    answer = floor.alice.press("worker.set_activity", activity=away.sid)
    assert refused(answer) == "offers_pending"
    assert factories.status(offer) == "pending"
    assert done(floor.alice.press("worker.set_activity", activity=away.sid, reject_offers="true"))
    assert factories.status(offer) == "rejected"
    floor.alice.worker.refresh_from_db()
    assert floor.alice.worker.activity == away


def test_going_to_an_available_activity_needs_no_confirmation(floor: Floor) -> None:
    offer = floor.offered()
    lunch = factories.activity(floor.workspace, "Back office")
    assert done(floor.alice.press("worker.set_activity", activity=lunch.sid, reject_offers="true"))
    assert factories.status(offer) == "pending"


def test_an_activity_of_another_workspace_is_not_found(floor: Floor) -> None:
    other = factories.activity(factories.workspace())
    answer = floor.alice.press("worker.set_activity", activity=other.sid)
    assert refused(answer) == "not_found"


def test_a_channel_is_switched_off_and_on_and_keeps_its_capacity(floor: Floor) -> None:
    channel = factories.worker_channel(floor.alice.worker)
    press = floor.alice.press
    assert done(press("worker_channel.set_available", channel=channel.sid, available="false"))
    channel.refresh_from_db()
    assert (channel.available, channel.configured_capacity) == (False, 3)
    assert done(press("worker_channel.set_available", channel=channel.sid, available="true"))
    channel.refresh_from_db()
    assert channel.available


def test_another_agent_s_channel_cannot_be_switched(floor: Floor) -> None:
    channel = factories.worker_channel(floor.alice.worker)
    answer = floor.bob.press("worker_channel.set_available", channel=channel.sid, available="false")
    assert refused(answer) == "not_found"
    channel.refresh_from_db()
    assert channel.available


def test_events_say_that_the_agent_did_it(floor: Floor) -> None:
    floor.alice.press("task.grab", task=floor.task().sid)
    event = models.Event.objects.get(event_type="reservation.accepted")
    assert (event.actor_type, event.actor_sid) == ("worker", floor.alice.worker.sid)
    assert event.source_ip_address == "127.0.0.1"


@pytest.mark.parametrize("sid", ["", "WT123", "WA" + "0" * 32, "WT" + "0" * 31 + "\x00", "☎" * 34])
def test_a_malformed_sid_is_refused(floor: Floor, sid: str) -> None:
    assert refused(floor.alice.press("task.grab", task=sid)) == "invalid"


def test_a_boolean_must_be_true_or_false(floor: Floor) -> None:
    channel = factories.worker_channel(floor.alice.worker)
    answer = floor.alice.press(
        "worker_channel.set_available", channel=channel.sid, available="maybe"
    )
    assert refused(answer) == "invalid"


def test_an_unknown_command_does_nothing(floor: Floor) -> None:
    assert refused(floor.alice.press("task.destroy")) == "unknown_command"


def test_every_other_refusal_of_an_action_asks_the_agent_to_look_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ActionError("Not today.")

    monkeypatch.setitem(commands.COMMANDS, "task.grab", Command(refuse, {}))
    status, reply = floor.alice.press("task.grab")
    words = "This cannot be done now. Please look again."
    assert (status, reply["error"]["message"]) == (409, words)
