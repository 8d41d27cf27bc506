"""What a session of the SDK sees of a supervisor's acts: only sequences that the SDK knows."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing.actions import offers, reservations, task_moves
from routing.actors import Actor
from routing.sdk import consumers
from tests import factories
from tests.sdk.conftest import Floor, make_floor
from tests.sdk.sockets import do, heard, opened

pytestmark = pytest.mark.django_db(transaction=True)
KIM = Actor(type="user", sid="kim", source="supervisor", batch_sid="BA1", note="for a test")


@pytest.fixture
def floor(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """Return the floor, seen by every thread; messages are sent at once."""
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)
    return make_floor()


async def test_a_task_taken_back_is_a_completed_reservation_and_no_more(floor: Floor) -> None:
    given: dict[str, Any] = {"actor": KIM, "now": timezone.now()}
    offer = await do(factories.offered, floor.workspace, now=given["now"])
    async with opened(floor.token(floor.alice)) as socket:
        await do(reservations.accept_reservation, reservation=offer, **given)
        assert (await heard(socket))["event_type"] == "reservation.accepted"
        task = await do(task_moves.take_back_task, task=offer.task, **given)
        told = await heard(socket)
        assert told["event_type"] == "reservation.completed"
        assert told["payload"]["version"] == 2
        shown = told["payload"]["task"]
        assert (shown["assignment_status"], shown["version"]) == ("pending", task.version)
        assert await socket.receive_nothing()


async def test_a_task_handed_over_is_an_offer_that_was_accepted(floor: Floor) -> None:
    given: dict[str, Any] = {"actor": KIM, "now": timezone.now()}
    task = await do(factories.task, floor.workspace, now=given["now"])
    async with opened(floor.token(floor.alice)) as socket:
        await do(offers.assign_task, task=task, worker=floor.alice, hand_over=True, **given)
        told = [await heard(socket) for _ in range(2)]
        assert [each["event_type"] for each in told] == [
            "reservation.created",
            "reservation.accepted",
        ]
        assert [each["payload"]["task"]["assignment_status"] for each in told] == [
            "reserved",
            "assigned",
        ]
