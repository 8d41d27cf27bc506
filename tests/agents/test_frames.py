"""Every frame of a client gets an answer, and none causes an internal error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator as Socket

from agents import commands, consumers, frames
from agents.consumers import AgentConsumer
from routing.sockets import Bucket
from tests.agents.conftest import Floor, make_floor
from tests.agents.sockets import ask, closed, heard, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(transactional_db: None) -> Floor:
    """Return the floor, committed, so that every thread sees it."""
    return make_floor()


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
        (json.dumps({"id": 1, "command": "x" * frames.MOST_CHARACTERS}), "malformed"),
        ("{}", "unknown_command"),
        ('{"id": 1, "command": ["task.grab"]}', "unknown_command"),
        ('{"id": 1, "command": "task.destroy"}', "unknown_command"),
        ('{"id": 1, "command": "task.grab"}', "invalid"),
        ('{"id": 1, "command": "task.grab", "task": {"sid": 1}}', "invalid"),
        ('{"id": 1, "command": "task.grab", "task": "\\ud800"}', "invalid"),
        ('{"id": 1, "command": "worker_channel.set_available", "available": 1}', "invalid"),
    ],
)
async def test_a_malformed_frame_is_refused_and_the_socket_stays_open(
    floor: Floor, frame: str, reason: str
) -> None:
    async with opened(floor.alice) as socket:
        await socket.send_input({"type": "websocket.receive", "text": frame})
        reply = await heard(socket)
        assert (reply["ok"], reply["error"]["reason"]) == (False, reason)
        assert (await ask(socket, "desk.ping"))["ok"]


async def test_a_binary_frame_is_refused(floor: Floor) -> None:
    async with opened(floor.alice) as socket:
        await socket.send_to(bytes_data=b"\x00\xff")
        assert (await heard(socket))["error"]["reason"] == "malformed"


async def test_an_internal_error_is_logged_and_answered_without_details(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret insides")

    monkeypatch.setattr(commands, "run_command", fail)
    async with opened(floor.alice) as socket:
        reply = await ask(socket, "task.grab", task="WT" + "0" * 32)
        assert reply["error"]["reason"] == "failed"
        assert "secret" not in json.dumps(reply)
    assert "desk.command_failed" in caplog.text


async def test_too_many_frames_are_refused_and_a_flood_closes_the_socket(
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
    """Ping, and return the answer."""
    await socket.send_json_to({"command": "desk.ping"})
    return await heard(socket)


def test_a_rate_limit_bucket_refills_with_time_up_to_its_size() -> None:
    now = [0.0]
    bucket = Bucket(burst=2, rate=1.0, clock=lambda: now[0])
    assert [bucket.take_token() for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [bucket.take_token() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [bucket.take_token() for _ in range(3)] == [True, True, False]


async def test_each_of_a_hundred_commands_at_once_is_answered_with_its_id(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "burst", 100)
    async with opened(floor.alice) as socket:
        sent: list[Awaitable[None]] = [
            socket.send_json_to({"id": number, "command": "desk.ping"}) for number in range(100)
        ]
        await asyncio.gather(*sent)
        assert {(await heard(socket))["reply"] for _ in range(100)} == set(range(100))
