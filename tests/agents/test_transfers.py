"""Transfers at the desk: the choices, their effect, and each refusal with its message."""

from __future__ import annotations

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


def test_scripts_get_the_choices_without_the_page(floor: Floor) -> None:
    held = in_hand(floor)
    answer = floor.alice.client.get(
        f"/agent/transfer/{held.task.sid}{floor.alice.here}",
        headers={"X-Requested-With": "desk"},
    )
    assert b"<html" not in answer.content
    assert b"transfer-choices" in answer.content
