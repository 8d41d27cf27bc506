"""The desk's socket: who may open it, what it tells two tabs and two agents, and what it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator as Socket
from django.test import Client
from django.utils import timezone

from agents import commands, consumers, frames
from agents.consumers import AgentConsumer, in_thread
from config.asgi import application
from routing import models
from routing.actions import task_queues, workers
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Desk, Floor, make_floor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """Return the floor, committed, so that every thread sees it."""
    monkeypatch.setattr(AgentConsumer, "rejoin_seconds", 0.0)
    return make_floor()


def connection(client: Client, query: str = "", origin: str | None = None) -> Socket:
    """Return a socket that a browser would open with this client's cookies."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"host", b"localhost"), (b"cookie", cookies.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return Socket(application, f"/agent/socket{query}", headers=headers)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncIterator[Socket]:
    """Open a desk's socket and read its first frame."""
    socket = connection(desk.client, desk.here)
    connected, _ = await socket.connect(timeout=5)
    assert connected
    ready = await heard(socket)
    assert ready["event"] == "desk.ready"
    assert ready["stale"] == ["offers", "presence", "queue", "tasks"]
    assert ready["worker_sid"] == desk.worker.sid
    try:
        yield socket
    finally:
        await socket.disconnect()


async def heard(socket: Socket) -> dict[str, Any]:
    """Return the next frame."""
    frame: dict[str, Any] = await socket.receive_json_from(timeout=5)
    return frame


async def until(socket: Socket, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first frame of which something holds."""
    while not wanted(frame := await heard(socket)):
        pass
    return frame


async def event(socket: Socket, event_type: str) -> dict[str, Any]:
    """Return the next event of this type."""
    return await until(socket, lambda frame: frame.get("event") == event_type)


async def ask(socket: Socket, command: str, **fields: Any) -> dict[str, Any]:
    """Send a command and return its reply."""
    await socket.send_json_to({"id": command, "command": command, **fields})
    return await until(socket, lambda frame: frame.get("reply") == command)


async def closed(socket: Socket) -> int:
    """Return the code with which the server closes."""
    while (message := await socket.receive_output(timeout=5))["type"] != "websocket.close":
        pass
    code: int = message["code"]
    return code


async def do(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do something with the database."""
    return await in_thread(lambda: function(*args, **kwargs))


# --- Who ------------------------------------------------------------------------------------------


async def test_without_a_session_the_socket_is_closed_with_4401(floor: Floor) -> None:
    socket = connection(Client(), floor.alice.here)
    await socket.connect(timeout=5)
    assert await closed(socket) == consumers.LOGGED_OUT == 4401


async def test_without_a_worker_in_the_workspace_it_is_closed_with_4403(floor: Floor) -> None:
    other = await do(factories.workspace)
    socket = connection(floor.alice.client, f"?workspace={other.sid}")
    await socket.connect(timeout=5)
    assert await closed(socket) == consumers.NO_DESK == 4403


async def test_a_page_of_another_site_cannot_open_it(floor: Floor) -> None:
    socket = connection(floor.alice.client, floor.alice.here, origin="https://elsewhere.example")
    connected, _ = await socket.connect(timeout=5)
    assert not connected
    socket = connection(floor.alice.client, floor.alice.here, origin="http://localhost")
    connected, _ = await socket.connect(timeout=5)
    assert connected
    await socket.disconnect()


async def test_a_logout_elsewhere_ends_it_at_the_next_command(floor: Floor) -> None:
    offer = await do(floor.offered)
    async with opened(floor.alice) as socket:
        await do(floor.alice.client.logout)
        fields = {"id": 1, "command": "reservation.accept", "reservation": offer.sid}
        await socket.send_json_to(fields)
        assert await closed(socket) == consumers.LOGGED_OUT
    assert await do(factories.status, offer) == "pending"


async def test_a_logout_elsewhere_ends_it_by_itself_too(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "check_seconds", 0.05)
    async with opened(floor.alice) as socket:
        await do(floor.alice.client.logout)
        assert await closed(socket) == consumers.LOGGED_OUT


async def test_a_login_that_is_taken_from_the_worker_ends_it_at_once(floor: Floor) -> None:
    async with opened(floor.alice) as socket:
        await do(
            workers.update_worker,
            worker=floor.alice.worker,
            user=None,
            actor=SYSTEM,
            now=timezone.now(),
        )
        assert await closed(socket) == consumers.NO_DESK


# --- What it tells --------------------------------------------------------------------------------


async def test_an_offer_reaches_every_tab_of_its_agent_and_nobody_else(floor: Floor) -> None:
    async with opened(floor.alice) as one, opened(floor.alice) as two, opened(floor.bob) as bob:
        offer = await do(floor.offered)
        for tab in (one, two):
            frame = await event(tab, "reservation.created")
            assert frame["reservation_sid"] == offer.sid
            assert frame["stale"] == ["offers", "presence", "queue"]
        frame = await event(bob, "reservation.created")
        assert frame == {
            "event": "reservation.created",
            "task_queue_sid": floor.queue.sid,
            "stale": ["queue"],
        }


async def test_what_one_tab_does_the_other_hears(floor: Floor) -> None:
    offer = await do(floor.offered)
    async with opened(floor.alice) as one, opened(floor.alice) as two:
        reply = await ask(one, "reservation.accept", reservation=offer.sid)
        assert reply["ok"] is True
        assert abs(reply["now"] - timezone.now().timestamp() * 1000) < 60_000
        frame = await event(two, "reservation.accepted")
        assert "tasks" in frame["stale"]
    assert await do(factories.status, offer) == "accepted"


async def test_who_comes_to_serve_a_queue_hears_of_it_and_who_leaves_no_more(floor: Floor) -> None:
    law = await do(factories.queue, floor.workspace, target_workers="skill == 'law'")
    workflow = await do(factories.workflow, floor.workspace, default=law)
    by = {"actor": SYSTEM, "now": timezone.now()}
    async with opened(floor.bob) as socket:
        await do(floor.task, workflow=workflow)
        await do(
            workers.update_worker, worker=floor.bob.worker, attributes='{"skill": "law"}', **by
        )
        # Not a word of the task, which waits in a queue that is not Bob's yet.
        assert (await heard(socket))["event"] == "worker.attributes.update"
        assert (await heard(socket)) == {"event": "desk.queues", "stale": ["queue"]}
        task = await do(floor.task, workflow=workflow)
        assert (await event(socket, "task.created"))["task_sid"] == task.sid
        await do(task_queues.update_task_queue, queue=law, target_workers="", **by)
        await event(socket, "desk.queues")
        await do(floor.task, workflow=workflow)
        assert await socket.receive_nothing(timeout=0.05)


async def test_a_change_of_the_workspace_reaches_every_desk(floor: Floor) -> None:
    async with opened(floor.alice) as alice, opened(floor.bob) as bob:
        await do(factories.activity, floor.workspace, "Lunch")
        for socket in (alice, bob):
            assert (await heard(socket)) == {"event": "activity.created", "stale": ["presence"]}


async def test_a_desk_that_is_closed_is_in_no_group_any_more(floor: Floor) -> None:
    async with opened(floor.alice):
        assert get_channel_layer().groups
    assert not get_channel_layer().groups


# --- What it takes --------------------------------------------------------------------------------


async def test_of_two_agents_who_grab_one_is_refused_in_words(floor: Floor) -> None:
    activity = await do(factories.activity, floor.workspace)
    task = await do(floor.task)
    async with opened(floor.alice) as alice, opened(floor.bob) as bob:
        assert (await ask(bob, "worker.set_activity", activity=activity.sid))["ok"]
        assert (await ask(bob, "task.grab", task=task.sid))["ok"]
        reply = await ask(alice, "task.grab", task=task.sid)
        assert reply["error"] == {
            "reason": "task_not_pending",
            "message": "This task is no longer waiting.",
        }
    held = await do(models.Reservation.objects.get, task=task)
    assert held.worker_id == floor.bob.worker.pk


async def test_a_channel_is_switched_with_a_json_boolean(floor: Floor) -> None:
    channel = await do(factories.worker_channel, floor.alice.worker)
    async with opened(floor.alice) as socket:
        fields = {"channel": channel.sid, "available": False}
        assert (await ask(socket, "worker_channel.set_available", **fields))["ok"]
    assert not (await do(factories.worker_channel, floor.alice.worker)).available


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "malformed"),
        ("no json", "malformed"),
        ("[1, 2]", "malformed"),
        ("null", "malformed"),
        ("[" * 2000, "malformed"),
        ('{"id": 1.5, "command": "desk.ping"}', "malformed"),
        ('{"id": [1], "command": "desk.ping"}', "malformed"),
        (json.dumps({"id": "x" * 65, "command": "desk.ping"}), "malformed"),
        (json.dumps({"id": 1, "command": "x" * frames.LONGEST}), "malformed"),
        ("{}", "unknown_command"),
        ('{"id": 1, "command": ["task.grab"]}', "unknown_command"),
        ('{"id": 1, "command": "task.destroy"}', "unknown_command"),
        ('{"id": 1, "command": "task.grab"}', "invalid"),
        ('{"id": 1, "command": "task.grab", "task": {"sid": 1}}', "invalid"),
        ('{"id": 1, "command": "task.grab", "task": "\\ud800"}', "invalid"),
        ('{"id": 1, "command": "worker_channel.set_available", "available": 1}', "invalid"),
    ],
)
async def test_a_frame_that_is_wrong_gets_an_answer_and_the_socket_lives_on(
    floor: Floor, frame: str, reason: str
) -> None:
    async with opened(floor.alice) as socket:
        await socket.send_input({"type": "websocket.receive", "text": frame})
        reply = await heard(socket)
        assert (reply["ok"], reply["error"]["reason"]) == (False, reason)
        assert (await ask(socket, "desk.ping"))["ok"]


async def test_a_binary_frame_gets_an_answer_too(floor: Floor) -> None:
    async with opened(floor.alice) as socket:
        await socket.send_to(bytes_data=b"\x00\xff")
        assert (await heard(socket))["error"]["reason"] == "malformed"


async def test_an_error_of_ours_is_logged_and_told_without_its_insides(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret insides")

    monkeypatch.setattr(commands, "run", fail)
    async with opened(floor.alice) as socket:
        reply = await ask(socket, "task.grab", task="WT" + "0" * 32)
        assert reply["error"]["reason"] == "failed"
        assert "secret" not in json.dumps(reply)
    assert "a command of the desk failed" in caplog.text


async def test_too_many_frames_are_refused_and_a_flood_ends_it(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "burst", 3)
    monkeypatch.setattr(AgentConsumer, "rate", 0.0)
    monkeypatch.setattr(AgentConsumer, "patience", 2)
    async with opened(floor.alice) as socket:
        replies = [await answer(socket) for _ in range(5)]
        assert [reply["ok"] for reply in replies] == [True, True, True, False, False]
        assert replies[-1]["error"]["reason"] == "too_many"
        await socket.send_json_to({"command": "desk.ping"})
        assert await closed(socket) == consumers.FLOODING


async def answer(socket: Socket) -> dict[str, Any]:
    """Ping, and return whatever comes back."""
    await socket.send_json_to({"command": "desk.ping"})
    return await heard(socket)


def test_a_bucket_fills_again_with_time_and_never_beyond_its_brim() -> None:
    now = [0.0]
    bucket = frames.Bucket(burst=2, rate=1.0, clock=lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


async def test_a_hundred_commands_at_once_are_answered_each_by_its_id(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "burst", 100)
    async with opened(floor.alice) as socket:
        sent: list[Awaitable[None]] = [
            socket.send_json_to({"id": number, "command": "desk.ping"}) for number in range(100)
        ]
        await asyncio.gather(*sent)
        assert {(await heard(socket))["reply"] for _ in range(100)} == set(range(100))
