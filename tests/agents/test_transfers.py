"""Transfers at the desk: the choices, their effect, and each refusal with its message."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor


def in_hand(floor: Floor, **task: object) -> models.Reservation:
    """Return a task that Alice has accepted."""
    offer = floor.offered(**task)
    assert floor.alice.press("reservation.accept", reservation=offer.sid)[0] == 200
    return offer


def available(floor: Floor) -> str:
    """Make Bob available, and return his sid."""
    models.Worker.objects.filter(pk=floor.bob.worker.pk).update(
        activity=factories.activity(floor.workspace, "Available")
    )
    return floor.bob.worker.sid


def test_a_task_is_transferred_to_an_available_colleague(floor: Floor) -> None:
    held = in_hand(floor)
    bob = available(floor)
    path = f"transfer/{held.task.sid}"
    assert path in floor.alice.get("panels/tasks")
    shown = floor.alice.get(path)
    assert bob in shown
    assert floor.queue.sid in shown
    assert floor.alice.worker.sid not in shown
    assert floor.alice.press("task.transfer", task=held.task.sid, to=bob)[0] == 200
    panel = floor.alice.get("panels/tasks")
    assert f"Transferring to {floor.bob.worker.friendly_name}" in panel
    assert "Cancel transfer" in panel
    assert "task.complete" not in panel
    offer = floor.bob.worker.reservations.get()
    assert floor.bob.press("reservation.accept", reservation=offer.sid)[0] == 200
    assert "Nothing in hand" in floor.alice.get("panels/tasks")


def test_after_a_warm_transfer_the_first_agent_leaves_by_completing(floor: Floor) -> None:
    held = in_hand(floor)
    bob = available(floor)
    floor.alice.press("task.transfer", task=held.task.sid, to=bob, stay="true")
    reservations.accept_reservation(
        reservation=floor.bob.worker.reservations.get(), actor=SYSTEM, now=timezone.now()
    )
    assert "Handed over to" in floor.alice.get("panels/tasks")
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 200
    assert factories.status(held) == "completed"
    assert factories.status(held.task) == "assigned"


def test_a_transfer_is_canceled_at_the_desk(floor: Floor) -> None:
    held = in_hand(floor)
    floor.alice.press("task.transfer", task=held.task.sid, to=floor.queue.sid)
    assert factories.status(held.task) == "reserved"
    assert floor.alice.press("task.cancel_transfer", task=held.task.sid)[0] == 200
    assert factories.status(held.task) == "assigned"
    status, reply = floor.alice.press("task.cancel_transfer", task=held.task.sid)
    assert (status, reply["error"]["reason"]) == (409, "not_now")


def test_a_transfer_of_another_agent_s_task_or_to_an_unknown_sid_is_refused(floor: Floor) -> None:
    held = in_hand(floor)
    task, alice = held.task.sid, floor.alice.worker.sid
    assert floor.bob.press("task.transfer", task=task, to=floor.queue.sid)[0] == 404
    assert floor.bob.press("task.cancel_transfer", task=task)[0] == 404
    assert floor.alice.press("task.transfer", task=task, to=task)[0] == 400
    assert floor.alice.press("task.transfer", task=task, to=alice)[0] == 409
    path = f"/agent/transfer/{task}{floor.bob.here}"
    assert floor.bob.client.get(path).status_code == 404
    assert factories.status(held.task) == "assigned"


def test_a_call_has_no_transfer_button(floor: Floor) -> None:
    held = in_hand(floor, channel="voice")
    assert "data-asks" not in floor.alice.get("panels/tasks")
    status, reply = floor.alice.press("task.transfer", task=held.task.sid, to=floor.queue.sid)
    assert status == 409
    assert "no telephone network" in reply["error"]["message"]


def test_the_receiver_reads_the_sender_s_name_and_note(floor: Floor) -> None:
    held = in_hand(floor)
    bob = available(floor)
    note = "She is angry.\n <b>Be kind</b>"
    assert floor.alice.press("task.transfer", task=held.task.sid, to=bob, note=note)[0] == 200
    offer = floor.bob.get("panels/offers")
    assert f"Transferred by <bdi>{floor.alice.worker.friendly_name}</bdi>" in offer
    assert "She is angry. &lt;b&gt;Be kind&lt;/b&gt;" in offer
    assert "still with the task" not in offer
    reservation = floor.bob.worker.reservations.get()
    floor.bob.press("reservation.accept", reservation=reservation.sid)
    assert "She is angry." in floor.bob.get("panels/tasks")


def test_the_receiver_of_a_warm_transfer_sees_while_the_sender_stays(floor: Floor) -> None:
    held = in_hand(floor)
    bob = available(floor)
    floor.alice.press("task.transfer", task=held.task.sid, to=bob, stay="true")
    assert "who is still with the task" in floor.bob.get("panels/offers")
    offer = floor.bob.worker.reservations.get()
    floor.bob.press("reservation.accept", reservation=offer.sid)
    assert "who is still with the task" in floor.bob.get("panels/tasks")
    floor.alice.press("task.complete", task=held.task.sid)
    panel = floor.bob.get("panels/tasks")
    assert "Transferred by" in panel
    assert "still with the task" not in panel


@pytest.mark.parametrize(
    ("note", "status", "words"),
    [("x" * 501, 400, "at most 500 characters"), ("bell \a", 400, "control character U+0007")],
)
def test_a_note_that_cannot_be_kept_is_refused(
    floor: Floor, note: str, status: int, words: str
) -> None:
    held = in_hand(floor)
    bob = available(floor)
    found, reply = floor.alice.press("task.transfer", task=held.task.sid, to=bob, note=note)
    assert found == status
    assert words in reply["error"]["message"]
    assert factories.status(held.task) == "assigned"


def test_colleagues_are_shown_with_their_activity_and_load(floor: Floor) -> None:
    held = in_hand(floor)
    factories.worker(floor.workspace, "Zoe", capacity={"chat": 4})
    factories.worker(floor.workspace, "Adam", available=False)
    shown = floor.alice.get(f"transfer/{held.task.sid}")
    assert "Chat 0 of 4 in use" in shown
    assert "Offline, takes no work" in shown
    assert shown.index("Zoe") < shown.index("Adam"), "available colleagues come first"


def test_queues_are_shown_with_the_available_colleagues_who_serve_them(floor: Floor) -> None:
    held = in_hand(floor)
    queue = factories.queue(floor.workspace, friendly_name="VIP", target_workers="level == 'vip'")
    path = f"transfer/{held.task.sid}"
    assert "No available colleague serves it now." in floor.alice.get(path)
    for name in ("Ann", "Ben", "Cid", "Dora", "Emil"):
        factories.worker(floor.workspace, name, attributes={"level": "vip"})
    factories.worker(floor.workspace, "Fay", attributes={"level": "vip"}, available=False)
    shown = floor.alice.get(path, search=queue.friendly_name)
    assert "Ann, Ben, Cid and 2 more serve it now." in shown


def test_colleagues_and_queues_are_found_by_a_part_of_their_name(floor: Floor) -> None:
    held = in_hand(floor)
    for number in range(60):
        factories.worker(floor.workspace, f"Colleague {number:02}")
    path = f"transfer/{held.task.sid}"
    assert "Type a part of the name" in floor.alice.get(path)
    assert "Colleague 59" not in floor.alice.get(path)
    found = floor.alice.get(path, search="league 59")
    assert "Colleague 59" in found
    assert "Colleague 00" not in found
    assert "Type a part of the name" not in found
    assert "No queue matches “league 59”." in found


def test_the_number_of_queries_of_the_choices_does_not_depend_on_their_number(
    floor: Floor, django_assert_max_num_queries: Any
) -> None:
    held = in_hand(floor)
    for number in range(30):
        factories.worker(floor.workspace, f"Colleague {number:02}")
        factories.queue(floor.workspace, friendly_name=f"Queue {number:02}")
    with django_assert_max_num_queries(14):
        floor.alice.get(f"transfer/{held.task.sid}")


def test_scripts_get_the_choices_without_the_page(floor: Floor) -> None:
    held = in_hand(floor)
    answer = floor.alice.client.get(
        f"/agent/transfer/{held.task.sid}{floor.alice.here}",
        headers={"X-Requested-With": "desk"},
    )
    assert b"<html" not in answer.content
    assert b"transfer-choices" in answer.content
