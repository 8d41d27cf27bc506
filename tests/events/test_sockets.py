"""Consumers handle their messages one after the other, from every source."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels.testing import ApplicationCommunicator

from routing.sockets import Direct

# Channels closes stale connections when a socket is gone.
pytestmark = pytest.mark.django_db(transaction=True)


class Listener(Direct):
    """Consumer that joins a group, and records the beginning and end of each handler."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.pause = asyncio.Event()
        self.begun = asyncio.Event()

    async def connect(self) -> None:
        await self.channel_layer.group_add("listeners", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("listeners", self.channel_name)
        self.log.append("gone")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.log.append(f"client {text_data}")

    async def told(self, message: dict[str, Any]) -> None:
        self.log.append(f"group {message['what']}")
        self.begun.set()
        if message["what"] == "wrong":
            raise ValueError(message["what"])
        await self.pause.wait()
        self.log.append("done")
        await self.send(message["what"])


async def opened(listener: Listener) -> ApplicationCommunicator:
    scope = {"type": "websocket"}
    socket = ApplicationCommunicator(listener, scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=30))["type"] == "websocket.accept"
    return socket


async def tell(what: str) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send("listeners", {"type": "told", "what": what})


async def test_a_client_s_message_waits_until_a_group_s_message_is_handled() -> None:
    listener = Listener()
    socket = await opened(listener)
    await tell("first")
    await asyncio.wait_for(listener.begun.wait(), 5)
    await socket.send_input({"type": "websocket.receive", "text": "hello"})
    await asyncio.sleep(0)
    assert listener.log == ["group first"]
    listener.pause.set()
    assert (await socket.receive_output(timeout=30))["text"] == "first"
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=30)
    assert listener.log == ["group first", "done", "client hello", "gone"]


async def test_messages_of_a_group_are_handled_in_their_order() -> None:
    listener = Listener()
    listener.pause.set()
    socket = await opened(listener)
    for number in range(5):
        await tell(str(number))
    heard = [(await socket.receive_output(timeout=30))["text"] for _ in range(5)]
    assert heard == ["0", "1", "2", "3", "4"]
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=30)


async def test_a_failure_with_a_message_of_a_group_ends_the_socket_with_that_error() -> None:
    listener = Listener()
    socket = await opened(listener)
    await tell("wrong")
    with pytest.raises(ValueError, match="wrong"):
        await socket.wait(timeout=30)
    assert listener.log == ["group wrong"]
    await listener.disconnect(1006)


async def test_a_closed_socket_handles_nothing_more() -> None:
    listener = Listener()
    socket = await opened(listener)
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=30)
    await tell("late")
    await asyncio.sleep(0)
    assert listener.log == ["gone"]


async def test_a_socket_that_is_cut_off_in_the_midst_of_a_message_ends() -> None:
    listener = Listener()
    socket = await opened(listener)
    await tell("first")
    await asyncio.wait_for(listener.begun.wait(), 5)
    socket.future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await socket.future
    listener.pause.set()
    await asyncio.sleep(0)
    assert listener.log == ["group first"]
    await listener.disconnect(1006)


async def test_others_get_their_turn_between_the_messages_of_one_client() -> None:
    listener = Listener()
    socket = await opened(listener)
    seen: list[int] = []
    for _ in range(3):
        await socket.send_input({"type": "websocket.receive", "text": "again"})
    for _ in range(6):
        await asyncio.sleep(0)
        seen.append(len(listener.log))
    assert {1, 2, 3} <= set(seen)
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=30)
