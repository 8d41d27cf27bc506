"""Sessions that read their lists while events arrive: no event is lost, repeated or wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from routing import groups, models
from routing.actions import activities, reservations, workers
from routing.actors import SYSTEM
from routing.core.event_catalog import EventType as E
from routing.events import courier
from routing.sdk import close_codes, consumers, list_notices, list_versions, lists, sessions
from tests import factories
from tests.sdk.conftest import Floor, make_floor
from tests.sdk.session_steps import next_event, offer, read_lists
from tests.sdk.sockets import closed, do, opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hold_messages")]


@pytest.fixture
def floor(transactional_db: None) -> Floor:
    """Return the floor, seen by every thread."""
    return make_floor()


class HeldNotices:
    """Notices of lists, kept back until the test lets them go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[dict[str, Any]] = []
        monkeypatch.setattr(
            list_notices, "_publish_notice", lambda _sid, message: self.messages.append(message)
        )

    async def go(self, worker: models.Worker, **changes: Any) -> None:
        """Release the oldest notice."""
        message = self.messages.pop(0) | changes
        await get_channel_layer().group_send(groups.sessions_group(worker.sid), message)


@pytest.fixture
def held_notices(monkeypatch: pytest.MonkeyPatch) -> HeldNotices:
    """Return the notices that are kept back."""
    return HeldNotices(monkeypatch)


async def test_an_offer_before_the_lists_are_read_is_in_the_list_only(floor: Floor) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await offer(floor)
        await read_lists(floor, token)
        later = await offer(floor)
        assert await next_event(socket) == ("reservation.created", later.sid)


async def test_an_offer_between_reading_the_worker_and_the_list_is_counted(
    floor: Floor,
) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await do(floor.send, "GET", "{K}", token)
        between = await offer(floor)
        await do(floor.send, "GET", "{K}/Reservations", token, Active="true")
        assert await next_event(socket) == ("reservation.created", between.sid)


async def test_a_change_that_is_committed_while_the_list_is_read_is_sent_after_it(
    floor: Floor, held_notices: HeldNotices
) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await read_lists(floor, token)
        # The list is on its way, and this is not in it.
        missed = await offer(floor)
        await do(
            reservations.accept_reservation, reservation=missed, actor=SYSTEM, now=timezone.now()
        )
        await held_notices.go(floor.alice)
        assert await next_event(socket) == ("reservation.created", missed.sid)
        assert await next_event(socket) == ("reservation.accepted", missed.sid)


async def test_an_sdk_that_is_slow_to_read_its_lists_misses_nothing(
    floor: Floor, held_notices: HeldNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await offer(floor)
        assert (await next_event(socket))[0] == "reservation.created"
        await read_lists(floor, token)
        # Sent before the SDK is ready, which ignores it; the list does not show it either.
        missed = await offer(floor)
        for _ in range(2):
            assert await next_event(socket) == ("reservation.created", missed.sid)
            if held_notices.messages:
                await held_notices.go(floor.alice)


async def test_a_worker_read_later_by_another_session_hides_no_offer(
    floor: Floor, held_notices: HeldNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, page = floor.token(floor.alice), lists.page
    async with opened(token) as socket:
        await do(floor.send, "GET", "{K}", token)

        def page_and_then_more(*args: Any, **given: Any) -> Any:
            """Return the page; before its notice an offer is made and the worker is read again."""
            monkeypatch.setattr(lists, "page", page)
            found = page(*args, **given)
            factories.offered(floor.workspace, now=timezone.now())
            floor.send("GET", "{K}", token)
            return found

        monkeypatch.setattr(lists, "page", page_and_then_more)
        await do(floor.send, "GET", "{K}/Reservations", token, Active="true")
        await held_notices.go(floor.alice)
        assert (await next_event(socket))[0] == "reservation.created"


async def test_sessions_of_one_token_that_begin_together_wait_for_the_lists_of_all(
    floor: Floor, held_notices: HeldNotices
) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as first, opened(token) as second:
        await read_lists(floor, token)
        made = await offer(floor)
        await read_lists(floor, token)
        await held_notices.go(floor.alice)
        assert await first.receive_nothing()
        assert await second.receive_nothing()
        await held_notices.go(floor.alice)
        for socket in (first, second):
            assert await next_event(socket) == ("reservation.created", made.sid)


async def test_a_later_session_does_not_delay_an_earlier_one(floor: Floor) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as first:
        await read_lists(floor, token)
        async with opened(token) as second:
            made = await offer(floor)
            assert await next_event(first) == ("reservation.created", made.sid)
            assert await second.receive_nothing()


async def test_lists_read_with_another_token_do_not_count(floor: Floor) -> None:
    token, other = floor.token(floor.alice), floor.token(floor.alice, ttl=1_234)
    async with opened(token) as socket:
        await read_lists(floor, other)
        await offer(floor)
        assert await socket.receive_nothing()
        await read_lists(floor, token)
        later = await offer(floor)
        assert await next_event(socket) == ("reservation.created", later.sid)


async def test_pages_that_another_session_reads_hide_no_offer(
    floor: Floor, held_notices: HeldNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await read_lists(floor, token)
        await held_notices.go(floor.alice)
        sooner = await offer(floor)
        assert await next_event(socket) == ("reservation.created", sooner.sid)
        monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)
        monkeypatch.setattr(courier, "publish_events", lambda events: None)
        made = await offer(floor)
        await do(floor.send, "GET", "{K}/Reservations", token, Active="true", AfterSid=sooner.sid)
        await held_notices.go(floor.alice)
        monkeypatch.undo()
        await do(_publish_newest, E.RESERVATION_CREATED)
        assert await next_event(socket) == ("reservation.created", made.sid)


def _publish_newest(event_type: E) -> None:
    """Publish the newest event of a type, again or late."""
    rows = models.Event.objects.filter(event_type=event_type.value)
    courier.publish_events(rows.order_by("-pk")[:1])


async def test_lists_that_are_newer_than_a_change_are_not_read_again_for_it(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers.SdkConsumer, "spread_seconds", 0.0)
    given: dict[str, Any] = {"actor": SYSTEM, "now": timezone.now()}
    lunch = await do(
        activities.create_activity,
        workspace=floor.workspace,
        friendly_name="Lunch",
        available=False,
        **given,
    )
    token = floor.token(floor.alice)
    async with opened(token) as socket:
        await read_lists(floor, token)
        # Published again, as after a process that died, or late, as by a busy one.
        await do(_publish_newest, E.ACTIVITY_CREATED)
        await do(workers.set_activity, worker=floor.alice, activity=lunch, **given)
        assert (await next_event(socket))[0] == "worker.activity.update"
        await do(activities.rename_activity, activity=lunch, friendly_name="Dinner", **given)
        await do(workers.update_worker, worker=floor.alice, attributes='{"a": 1}', **given)
        assert (await closed(socket))[0] == close_codes.RESYNC


async def test_many_sessions_that_get_a_change_check_the_lists_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(workspace_sid: str) -> str:
        looks.append(workspace_sid)
        return "now"

    monkeypatch.setattr(list_versions, "digest_lists", look)
    asked = [sessions.find_sessions().list_versions.now(floor.workspace.sid) for _ in range(100)]
    assert set(await asyncio.gather(*asked)) == {"now"}
    assert looks == [floor.workspace.sid]
