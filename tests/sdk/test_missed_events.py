"""Sessions that may have missed an event, or whose events cannot be loaded."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from routing import groups, models
from routing.core.event_catalog import EventType as E
from routing.events import courier
from routing.sdk import close_codes, consumers, frames, loader, sessions
from tests import factories
from tests.sdk.conftest import Floor, make_floor
from tests.sdk.session_steps import next_event, offer, read_lists
from tests.sdk.sockets import closed, do, opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hold_messages")]


@pytest.fixture
def floor(transactional_db: None) -> Floor:
    """Return the floor, seen by every thread."""
    return make_floor()


async def test_sessions_of_a_process_that_was_cut_off_read_everything_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers.SdkConsumer, "spread_seconds", 0.0)
    monkeypatch.setattr(sessions.Sessions, "tick_seconds", 0.01)
    async with opened(floor.token(floor.alice)) as socket:
        layer = get_channel_layer()
        await layer.group_send(
            groups.sessions_group(floor.alice.sid), {"type": "groups.interrupted"}
        )
        assert await closed(socket) == (close_codes.RESYNC, close_codes.MISSED)


async def test_a_session_that_missed_an_event_reads_everything_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers.SdkConsumer, "spread_seconds", 0.0)
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await read_lists(floor, token)
        await offer(floor)
        assert (await next_event(socket))[0] == "reservation.created"
        for _ in range(3):
            await sessions.find_sessions().check()
        assert await socket.receive_nothing()
        with monkeypatch.context() as lost:
            lost.setattr(courier, "publish_events", lambda events: None)
            await offer(floor)
        # A very recent event may still arrive.
        await sessions.find_sessions().check()
        assert await socket.receive_nothing()
        monkeypatch.setattr(sessions.Sessions, "tick_seconds", 0.01)
        await sessions.find_sessions().check()
        assert await closed(socket) == (close_codes.RESYNC, close_codes.MISSED)


async def test_an_event_that_is_not_found_is_looked_for_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await offer(floor)
    event = await do(models.Event.objects.filter(event_type=E.RESERVATION_CREATED.value).last)
    load, found = frames.load_frames, loader.FrameLoader()
    monkeypatch.setattr(frames, "load_frames", lambda sids: {})
    assert await found.load([event.sid]) == []
    monkeypatch.setattr(frames, "load_frames", load)
    assert [frame.event_sid for frame in await found.load([event.sid])] == [event.sid]


async def test_events_that_come_while_earlier_ones_are_loaded_follow_them(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)
    load, made = frames.load_frames, list[models.Reservation]()

    def load_and_make_more(sids: Any) -> Any:
        """Load, while the next offers are made and published."""
        while len(made) < 2:
            made.append(factories.offered(floor.workspace, now=timezone.now()))
        return load(sids)

    async with opened(floor.token(floor.alice)) as socket:
        monkeypatch.setattr(frames, "load_frames", load_and_make_more)
        # Events of offers need no loading; the acceptance of the first one does.
        first = await do(factories.accepted, floor.workspace, now=timezone.now())
        heard = [await next_event(socket) for _ in range(4)]
        assert heard == [
            ("reservation.created", first.sid),
            ("reservation.accepted", first.sid),
            *(("reservation.created", each.sid) for each in made),
        ]


async def test_a_session_whose_events_cannot_be_loaded_reads_everything_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)

    def broken(sids: Any) -> Any:
        raise OSError("no database")

    async with opened(floor.token(floor.alice)) as socket:
        monkeypatch.setattr(frames, "load_frames", broken)
        await do(factories.accepted, floor.workspace, now=timezone.now())
        assert (await next_event(socket))[0] == "reservation.created"
        assert (await closed(socket))[0] == close_codes.RESYNC
