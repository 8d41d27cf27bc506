"""Sessions of the SDK without the SDK: admission, messages, and the end of a session."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator as Socket
from django.utils import timezone

from routing import models
from routing.actions import (
    activities,
    api_keys,
    reservations,
    task_transitions,
    tasks,
    worker_channels,
    workers,
)
from routing.actors import SYSTEM
from routing.sdk import close_codes, consumers, frames, replacements, sessions
from routing.sdk.event_payloads import PUSHED
from tests import factories
from tests.sdk.conftest import Floor, make_floor
from tests.sdk.sockets import closed, connection, do, heard, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(transactional_db: None) -> Floor:
    """Return the floor, seen by every thread."""
    return make_floor()


@pytest.fixture(autouse=True)
def send_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send messages at once, because these sessions never read lists."""
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 0.0)


async def test_the_first_message_names_the_worker_and_the_token_s_lifetime(floor: Floor) -> None:
    socket = connection(floor.token(floor.alice, ttl=90))
    assert (await socket.connect(timeout=5))[0]
    init = await heard(socket)
    assert init["event_type"] == "init"
    lifetime = init["payload"].pop("token_lifetime")
    assert 80_000 < lifetime <= 90_000
    assert init["payload"] == {
        "channel_id": floor.alice.sid,
        "account_sid": floor.account.sid,
        "workspace_sid": floor.workspace.sid,
    }
    assert await socket.receive_nothing()
    await socket.disconnect()


async def test_a_session_is_a_use_of_the_key_that_signed_its_token(floor: Floor) -> None:
    assert floor.key.date_last_used is None
    async with opened(floor.token(floor.alice)):
        await do(floor.key.refresh_from_db)
        assert floor.key.date_last_used is not None


async def test_the_first_message_limits_the_token_s_lifetime_to_the_longest_timer(
    floor: Floor,
) -> None:
    socket = connection(floor.token(floor.alice, ttl=400 * 86_400))
    assert not (await socket.connect(timeout=5))[0]
    socket = connection(floor.token(floor.alice, ttl=86_400))
    assert (await socket.connect(timeout=5))[0]
    assert 80_000_000 < (await heard(socket))["payload"]["token_lifetime"] < 2**31
    await socket.disconnect()


async def test_a_client_without_a_valid_token_is_refused_before_the_handshake(
    floor: Floor, django_assert_max_num_queries: Any
) -> None:
    for token in ("", "nonsense", floor.token(), floor.token(floor.alice) + "x"):
        connected, _ = await connection(token).connect(timeout=5)
        assert not connected
    path = f"/v1/wschannels/{floor.account.sid}/WK{'0' * 32}"
    assert not (await connection(floor.token(floor.alice), path).connect(timeout=5))[0]


async def test_sessions_are_bounded_for_a_worker_and_for_an_account(
    floor: Floor, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SDK_SESSIONS_PER_WORKER = 2
    token = floor.token(floor.alice)
    bob = await do(factories.worker, floor.workspace, "Bob")
    async with AsyncExitStack() as stack:
        mine = [await stack.enter_async_context(opened(token)) for _ in range(10)]
        for socket in mine[:-2]:
            assert await closed(socket) == (4411, close_codes.MADE_ROOM)
            await socket.disconnect()
        for socket in mine[-2:]:
            assert await socket.receive_nothing()
        async with opened(floor.token(bob)):
            settings.SDK_SESSIONS_PER_ACCOUNT = 3
            carol = await do(factories.worker, floor.workspace, "Carol")
            for _ in range(20):
                assert not (await connection(floor.token(carol)).connect(timeout=5))[0]
    said = [r.message for r in caplog.records if "sessions of the SDK already" in r.getMessage()]
    assert len(said) == 2
    async with opened(token):
        pass


async def test_every_event_comes_whole(floor: Floor) -> None:
    now = timezone.now()
    given: dict[str, Any] = {"actor": SYSTEM, "now": now}
    async with opened(floor.token(floor.alice)) as socket:
        offer = await do(factories.offered, floor.workspace, now=now, attributes={"a": 1})
        told = await heard(socket)
        assert told["event_type"] == "reservation.created"
        shown = await do(_as_listed, floor, offer)
        assert told["payload"] == {k: shown[k] for k in told["payload"]} | {
            "task": {k: shown["task"][k] for k in told["payload"]["task"]}
        }
        await do(reservations.accept_reservation, reservation=offer, **given)
        told = await heard(socket)
        assert told["event_type"] == "reservation.accepted"
        row = await do(models.Task.objects.get, pk=offer.task.pk)
        assert told["payload"]["task"]["assignment_status"] == row.assignment_status == "assigned"
        assert (told["payload"]["version"], told["payload"]["task"]["version"]) == (1, row.version)
        await do(tasks.update_task, task=row, attributes='{"a": 2}', **given)
        assert (await heard(socket))["payload"]["attributes"] == '{"a": 2}'
        await do(task_transitions.wrap_up_task, task=row, **given)
        assert [(await heard(socket))["event_type"] for _ in range(2)] == [
            "task.wrapup",
            "reservation.wrapup",
        ]
        await do(task_transitions.complete_task, task=row, reason="done", **given)
        ends = [await heard(socket) for _ in range(2)]
        assert [end["event_type"] for end in ends] == ["task.completed", "reservation.completed"]
        assert ends[0]["payload"]["reason"] == "done"


def _as_listed(floor: Floor, offer: models.Reservation) -> dict[str, Any]:
    _, page = floor.send("GET", "{K}/Reservations", Active="true")
    return next(each for each in page["contents"] if each["sid"] == offer.sid)


async def test_messages_of_a_worker_and_a_channel_equal_what_requests_return(
    floor: Floor,
) -> None:
    given: dict[str, Any] = {"actor": SYSTEM, "now": timezone.now()}
    redis_switch = await do(factories.activity, floor.workspace, "Unavailable")
    channel = await do(factories.worker_channel, floor.alice, "chat")
    async with opened(floor.token(floor.alice)) as socket:
        await do(workers.update_worker, worker=floor.alice, attributes='{"b": 1}', **given)
        told = await heard(socket)
        assert told["event_type"] == "worker.attributes.update"
        assert told["payload"] == (await do(floor.send, "GET", "{K}"))[1]
        await do(workers.set_activity, worker=floor.alice, activity=redis_switch, **given)
        told = await heard(socket)
        assert told["event_type"] == "worker.activity.update"
        assert told["payload"] == (await do(floor.send, "GET", "{K}"))[1]
        await do(
            worker_channels.update_worker_channel,
            channel=channel,
            configured_capacity=7,
            available=False,
            **given,
        )
        kinds = []
        for _ in range(2):
            told = await heard(socket)
            kinds.append(told["event_type"])
            _, page = await do(floor.send, "GET", "{K}/WorkerChannels")
            shown = next(each for each in page["contents"] if each["sid"] == channel.sid)
            assert told["payload"] == {k: shown[k] for k in told["payload"]}
        assert kinds == ["worker.capacity.update", "worker.channel.availability.update"]


async def test_a_colleague_s_offers_are_not_sent(floor: Floor) -> None:
    bob = await do(factories.worker, floor.workspace, "Bob")
    redis_switch = await do(factories.activity, floor.workspace, "Unavailable")
    given: dict[str, Any] = {"actor": SYSTEM, "now": timezone.now()}
    await do(workers.set_activity, worker=floor.alice, activity=redis_switch, **given)
    async with opened(floor.token(floor.alice)) as hers, opened(floor.token(bob)) as his:
        await do(factories.offered, floor.workspace, now=timezone.now())
        assert (await heard(his))["event_type"] == "reservation.created"
        assert await hers.receive_nothing()


async def test_a_newer_session_with_the_option_ends_the_others(floor: Floor) -> None:
    token = floor.token(floor.alice)
    async with opened(token) as first, opened(token, closeExistingSessions="true") as second:
        assert await closed(first) == (4409, "Replaced by a newer session")
        assert await second.receive_nothing()


async def test_a_session_that_was_replaced_and_reconnects_replaces_none(floor: Floor) -> None:
    hers, other = floor.token(floor.alice), floor.token(floor.alice, ttl=1_800)
    alone = {"closeExistingSessions": "true"}
    async with opened(hers, **alone) as first, opened(other, **alone) as second:
        assert (await closed(first))[0] == 4409
        async with opened(hers, **alone) as back:
            assert await second.receive_nothing()
            # A desk that is loaded again, with its token or a new one, gets its session.
            async with opened(floor.token(floor.alice, ttl=900), **alone) as fresh:
                assert (await closed(second))[0] == 4409
                assert (await closed(back))[0] == 4409
                async with opened(hers, **alone) as again, opened(other, **alone):
                    assert await again.receive_nothing()
                    assert await fresh.receive_nothing()


async def test_sessions_that_come_back_with_new_tokens_do_not_replace_each_other_for_ever(
    floor: Floor,
) -> None:
    async with AsyncExitStack() as stack:
        mine: list[Socket] = []
        for number in range(replacements.MOST_REPLACEMENTS + 3):
            token = floor.token(floor.alice, ttl=1_000 + number)
            session = opened(token, closeExistingSessions="true")
            mine.append(await stack.enter_async_context(session))
        # The last ones stay beside each other.
        for socket in mine[-3 - 1 :]:
            assert await socket.receive_nothing()
        for socket in mine[: -3 - 1]:
            assert (await closed(socket))[0] == 4409


async def test_a_session_ends_with_its_token(floor: Floor) -> None:
    async with opened(floor.token(floor.alice, valid_until=int(time.time()) + 2)) as socket:
        assert await closed(socket) == (4401, "The token has expired")


async def test_a_session_ends_when_its_key_is_revoked(floor: Floor) -> None:
    async with opened(floor.token(floor.alice)) as socket:
        await sessions.find_sessions().check()
        assert await socket.receive_nothing()
        await do(api_keys.revoke_api_key, key=floor.key, now=timezone.now())
        await sessions.find_sessions().check()
        assert (await closed(socket))[0] == 4401


async def test_a_session_ends_with_its_worker(floor: Floor) -> None:
    async with opened(floor.token(floor.alice)) as socket:
        await do(workers.delete_worker, worker=floor.alice, actor=SYSTEM, now=timezone.now())
        assert (await closed(socket))[0] == 4404


async def test_new_activities_make_sessions_read_their_lists_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"actor": SYSTEM, "now": timezone.now()}
    monkeypatch.setattr(consumers.SdkConsumer, "spread_seconds", 3_600.0)
    async with opened(floor.token(floor.alice)) as socket:
        lunch = await do(
            activities.create_activity,
            workspace=floor.workspace,
            friendly_name="Lunch",
            available=False,
            **given,
        )
        assert await socket.receive_nothing()
        await do(workers.set_activity, worker=floor.alice, activity=lunch, **given)
        assert (await closed(socket))[0] == 4410


async def test_a_session_that_falls_behind_is_ended_and_holds_no_more_than_its_bound(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 3_600.0)
    monkeypatch.setattr(consumers, "MOST_WAITING", 5)
    given: dict[str, Any] = {"actor": SYSTEM, "now": timezone.now()}
    async with opened(floor.token(floor.alice)) as socket:
        for number in range(6):
            await do(
                workers.update_worker, worker=floor.alice, attributes=f'{{"n": {number}}}', **given
            )
        assert (await closed(socket))[0] == 4408


async def test_a_client_that_sends_messages_is_ignored_and_then_closed(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with opened(floor.token(floor.alice)) as socket:
        await socket.send_to(text_data="not json")
        await socket.send_to(bytes_data=b"\x00\xff")
        assert await socket.receive_nothing()
        for _ in range(30):
            await socket.send_to(text_data="x" * 10_000)
        assert (await closed(socket))[0] == 4429
    assert len([r for r in caplog.records if "sent a message" in r.getMessage()]) == 1


async def test_a_heartbeat_is_sent_when_it_is_due(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(sessions.Sessions, "tick_seconds", 0.01)
    async with opened(floor.token(floor.alice)) as socket:
        assert await socket.receive_from(timeout=5) == " "


def test_frames_of_many_events_cost_as_many_queries_as_of_one(
    floor: Floor, django_assert_num_queries: Any
) -> None:
    begun = factories.last_event()
    for _ in range(3):
        factories.accepted(floor.workspace, now=timezone.now())
    floor.send("POST", "{K}", Attributes={"a": 1})
    factories.set_capacity(floor.alice, "chat", configured_capacity=5)
    rows = models.Event.objects.filter(pk__gt=begun, event_type__in=sorted(PUSHED))
    sids = list(rows.values_list("sid", flat=True))
    assert len(sids) == 8
    with django_assert_num_queries(5):
        assert len(frames.load_frames(sids)) == 8
