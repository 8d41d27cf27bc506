"""Sockets over a Redis that restarts or falls silent: joins work, and nothing hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from config.patches import channel_layer
from config.patches.channel_layer import ChannelLayer
from routing import sockets
from tests.chaos.proxy import Proxy
from tests.redis import private_server

LONGEST = 20
"""Seconds before a wait fails the test."""


@pytest.fixture
def redis_path(tmp_path: Path) -> Path:
    """Return where the Redis of a test listens."""
    return tmp_path / "redis.sock"


@pytest.fixture
async def layer(redis_path: Path) -> AsyncIterator[ChannelLayer]:
    """Return the layer that the server uses."""
    made = ChannelLayer(hosts=[{"address": f"unix://{redis_path}", "socket_timeout": 1}])
    yield made
    await made.flush()


async def test_the_first_join_after_a_restart_works(layer: ChannelLayer, redis_path: Path) -> None:
    async with asyncio.timeout(LONGEST):
        with private_server(redis_path):
            await layer.new_channel()
        redis_path.unlink(missing_ok=True)
        with private_server(redis_path):
            joined = await layer.new_channel()
            await layer.group_add("floor", joined)
            await layer.group_send("floor", {"type": "news"})
            while (await layer.receive(joined))["type"] != "news":
                pass
            await layer.flush()


async def test_a_connection_that_falls_silent_is_opened_again_and_logged_once(
    redis_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel_layer, "PING_SECONDS", 0.1)
    monkeypatch.setattr(channel_layer, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(channel_layer, "TRY_SECONDS", 0.05)
    with private_server(redis_path), Proxy(str(redis_path)).running() as proxy:
        address = f"redis://127.0.0.1:{proxy.port}/0"
        layer = ChannelLayer(
            hosts=[{"address": address, "socket_timeout": 0.2, "socket_connect_timeout": 0.2}]
        )
        async with asyncio.timeout(LONGEST):
            channel = await layer.new_channel()
            await layer.group_add("floor", channel)
            # Pings are answered, so that a quiet connection is kept.
            await asyncio.sleep(1.0)
            assert not caplog.records
            proxy.stall()
            while not caplog.records:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            proxy.resume()
            assert (await layer.receive(channel))["type"] == "groups.interrupted"
            while (await _sent(layer, channel))["type"] != "news":
                pass
            await layer.flush()
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.message.partition(":")[0] for record in failures] == ["sockets.away"]


async def _sent(layer: ChannelLayer, channel: str) -> Any:
    await layer.group_send("floor", {"type": "news"})
    return await layer.receive(channel)


async def test_a_socket_that_is_opened_without_redis_is_closed_with_1013(
    redis_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = [{"address": f"unix://{redis_path}"}]
    backend = {"BACKEND": "config.patches.channel_layer.ChannelLayer", "CONFIG": {"hosts": hosts}}
    settings.CHANNEL_LAYERS = {"default": backend}
    socket = WebsocketCommunicator(sockets.Direct.as_asgi(), "/anywhere")
    connected, _ = await socket.connect(timeout=LONGEST)
    assert connected
    closed = await socket.receive_output(LONGEST)
    assert (closed["type"], closed["code"]) == ("websocket.close", sockets.TRY_LATER)
    await socket.wait()
    assert "Traceback" not in caplog.text
