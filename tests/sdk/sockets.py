"""Open a session's socket as the SDK does, and read its messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator as Socket

from config.asgi import application


def connection(token: str, path: str = "/v1/wschannels", **options: str) -> Socket:
    """Return a socket that the SDK would open: without an Origin, the token in the query."""
    query = urlencode({"token": token, "closeExistingSessions": "false"} | options)
    return Socket(application, f"{path}?{query}", headers=[(b"host", b"localhost")])


@asynccontextmanager
async def opened(token: str, **options: str) -> AsyncIterator[Socket]:
    """Open a session and read its first message."""
    socket = connection(token, **options)
    connected, _ = await socket.connect(timeout=5)
    assert connected
    assert (await heard(socket))["event_type"] == "init"
    try:
        yield socket
    finally:
        await socket.disconnect()


async def heard(socket: Socket) -> dict[str, Any]:
    """Return the next message that is no heartbeat."""
    while not (text := await socket.receive_from(timeout=10)).strip():
        pass
    message: dict[str, Any] = json.loads(text)
    return message


async def closed(socket: Socket) -> tuple[int, str]:
    """Return the code and the reason with which the server closes."""
    while (message := await socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    return message["code"], message.get("reason") or ""


async def do(function: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """Call a function in a thread that may use the database."""
    return await database_sync_to_async(function, thread_sensitive=False)(*args, **given)
