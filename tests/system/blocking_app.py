"""An ASGI application whose `/wait` is answered only after a request for `/release`.

`/waiting` is answered once a request for `/wait` is under way.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

from config.patches import daphne_requests, daphne_server, daphne_sockets

daphne_requests.install()
daphne_sockets.install()
daphne_server.install()
_released = asyncio.Event()
_waiting = asyncio.Event()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a request, or accept a websocket and wait for its end."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            continue
        return
    if scope["path"] == "/wait":
        _waiting.set()
        await _released.wait()
    elif scope["path"] == "/waiting":
        await _waiting.wait()
    elif scope["path"] == "/release":
        _released.set()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
