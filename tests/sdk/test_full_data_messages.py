"""Messages with full event data give the same SDK payload as the stored event."""

from __future__ import annotations

import copy
import json

import pytest
from django.utils import timezone

from routing import groups, models, sids
from routing.actions import reservations, workers
from routing.actors import SYSTEM
from routing.core.event_catalog import CARRIES_DATA
from routing.core.event_catalog import EventType as E
from routing.events import audiences
from routing.sdk import consumers, frames
from routing.sdk.event_payloads import PUSHED
from tests import factories
from tests.sdk.conftest import Floor
from tests.sdk.sockets import do, heard, opened

pytestmark = pytest.mark.django_db(transaction=True)

TRANSFER = {
    "transfer_sid": "TT1",
    "transfer_mode": "COLD",
    "transfer_type": "WORKER",
    "transfer_to": "WK1",
    "transfer_status": "INITIATED",
    "transfer_failed_reason": None,
    "transfer_initiating_reservation_sid": "WR1",
    "transfer_initiating_worker_sid": "WK2",
    "transfer_initiating_queue_sid": "WQ1",
    "transfer_initiating_workflow_sid": "WW1",
    "transfer_date_created": "1700000000",
}


def record_event(floor: Floor, kind: E) -> models.Event:
    """Return an event of a kind, whose rows have all changed since."""
    offer = factories.offered(floor.workspace, now=timezone.now())
    event = models.Event.objects.get(event_type=E.RESERVATION_CREATED.value)
    elsewhere = factories.activity(floor.workspace, "Elsewhere")
    workers.update_worker(worker=floor.alice, activity=elsewhere, actor=SYSTEM, now=timezone.now())
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())
    made = copy.copy(event)
    made.pk, made.sid = None, sids.new_sid("EV")
    made.event_type, made.event_data = kind.value, event.event_data | TRANSFER
    made.save()
    return made


def by_message(event: models.Event, floor: Floor) -> frames.Frame:
    """Return the frame that the worker's sockets get for an event, as text."""
    message = audiences.message(event, groups.worker_group(floor.alice.sid))
    carried = json.loads(json.dumps(message))
    return frames.build_frame(carried, account_sid=floor.account.sid)


@pytest.mark.parametrize("kind", sorted(CARRIES_DATA))
def test_a_message_with_full_data_makes_the_same_frame_as_the_stored_event(
    floor: Floor, kind: E
) -> None:
    event = record_event(floor, E(kind))
    assert by_message(event, floor) == frames.load_frames([event.sid])[event.sid]


@pytest.mark.parametrize("kind", sorted(PUSHED.keys() - CARRIES_DATA))
def test_events_that_need_further_rows_have_no_message_with_full_data(kind: E) -> None:
    event = models.Event(sid="EV1", workspace_sid="WS1", event_type=kind.value, event_data={})
    assert "event_data" not in audiences.message(event, "worker.WK1")


async def test_an_offer_s_frame_needs_no_query_and_its_end_s_frame_does(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)
    read, load = list[str](), frames.load_frames

    def note(asked: list[str]) -> dict[str, frames.Frame]:
        read.extend(asked)
        return load(asked)

    monkeypatch.setattr(frames, "load_frames", note)
    async with opened(floor.token(floor.alice)) as socket:
        offer = await do(factories.offered, floor.workspace, now=timezone.now())
        assert (await heard(socket))["payload"]["sid"] == offer.sid
        assert read == []
        await do(
            reservations.reject_reservation, reservation=offer, actor=SYSTEM, now=timezone.now()
        )
        assert (await heard(socket))["event_type"] == "reservation.rejected"
        assert len(read) == 1
