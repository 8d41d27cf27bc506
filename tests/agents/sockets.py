"""Open the desk's socket as a browser does, and read its frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator as Socket
from django.test import Client

from config.asgi import application
from routing.sockets import run_in_thread
from tests.agents.conftest import Desk


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
    connected, _ = await socket.connect(timeout=30)
    assert connected
    ready = await heard(socket)
    assert ready["event"] == "desk.ready"
    assert ready["stale"] == ["happened", "offers", "presence", "queue", "tasks"]
    assert ready["worker_sid"] == desk.worker.sid
    try:
        yield socket
    finally:
        await socket.disconnect()


async def heard(socket: Socket) -> dict[str, Any]:
    """Return the next frame."""
    frame: dict[str, Any] = await socket.receive_json_from(timeout=30)
    return frame


async def until(socket: Socket, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first frame that meets a condition."""
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
    while (message := await socket.receive_output(timeout=30))["type"] != "websocket.close":
        pass
    code: int = message["code"]
    return code


async def do(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function in a thread that may use the database."""
    return await run_in_thread(lambda: function(*args, **kwargs))
