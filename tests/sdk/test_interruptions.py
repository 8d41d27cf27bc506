"""Delivery to sessions while Redis is slow or was away: no loss goes unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.client import PubSub

from config.patches.channel_layer import ChannelLayer
from routing import groups
from tests.redis import private_server

HEARD = {"type": "routing.event", "sid": "EV1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the Redis of a test listens."""
    return tmp_path / "redis.sock"


@pytest.fixture
def url(path: Path) -> Iterator[str]:
    """Return the URL of a Redis that runs."""
    with private_server(path) as url:
        yield url


@pytest.fixture
async def layer(path: Path) -> AsyncIterator[ChannelLayer]:
    """Return a layer over the Redis of the test."""
    layer = ChannelLayer(hosts=[{"address": f"unix://{path}"}], prefix="tests")
    yield layer
    await layer.flush()


async def heard(layer: ChannelLayer, channel: str) -> Any:
    """Return what comes next on a channel."""
    async with asyncio.timeout(20):
        return await layer.receive(channel)


async def test_a_joined_channel_gets_every_message_of_a_slow_redis(
    layer: ChannelLayer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await layer.new_channel()
    written, read = asyncio.Event(), asyncio.Event()
    execute = PubSub.execute_command
    background: set[asyncio.Task[None]] = set()

    async def execute_late(self: PubSub, *args: Any) -> None:
        """Return as soon as the command is written, as the client does; Redis reads it later."""

        async def late() -> None:
            await read.wait()
            await execute(self, *args)

        background.add(asyncio.create_task(late()))
        written.set()

    monkeypatch.setattr(PubSub, "execute_command", execute_late)
    joining = asyncio.create_task(layer.group_add("a", channel))
    await written.wait()
    # This message reaches no channel, so no join may be confirmed yet.
    await layer.group_send("a", HEARD)
    assert not joining.done()
    read.set()
    await joining
    await layer.group_send("a", HEARD | {"sid": "EV2"})
    assert (await heard(layer, channel))["sid"] == "EV2"
    await asyncio.gather(*background)


async def test_a_second_join_waits_for_the_same_answer(layer: ChannelLayer, url: str) -> None:
    channels = [await layer.new_channel() for _ in range(3)]
    await asyncio.gather(*(layer.group_add("a", channel) for channel in channels))
    await layer.group_send("a", HEARD)
    for channel in channels:
        assert await heard(layer, channel) == HEARD


async def test_joining_and_leaving_in_turns_ends_as_the_last_call_says(
    layer: ChannelLayer, url: str
) -> None:
    first, second = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("a", first)
    for _ in range(20):
        await asyncio.gather(layer.group_discard("a", first), layer.group_add("a", second))
        await layer.group_send("a", HEARD)
        assert await heard(layer, second) == HEARD
        await asyncio.gather(layer.group_discard("a", second), layer.group_add("a", first))
        await layer.group_send("a", HEARD)
        assert await heard(layer, first) == HEARD


async def test_every_channel_of_a_group_gets_a_notice_that_redis_was_away_and_messages_afterwards(
    layer: ChannelLayer, path: Path
) -> None:
    session_group, desk_group = groups.sessions_group("WK1"), groups.worker_group("WK1")
    with private_server(path):
        session, desk = await layer.new_channel(), await layer.new_channel()
        alone = await layer.new_channel()
        for name in (session_group, desk_group):
            await layer.group_add(name, session)
        await layer.group_add(desk_group, desk)
        await layer.group_send(desk_group, HEARD)
        assert await heard(layer, session) == await heard(layer, desk) == HEARD
    path.unlink(missing_ok=True)
    with private_server(path):
        for channel in (session, desk):
            assert await heard(layer, channel) == {"type": "groups.interrupted"}
        # A join now waits until all groups of this connection are joined again.
        await layer.group_add("new", desk)
        await layer.group_send(desk_group, HEARD | {"sid": "EV2"})
        for channel in (session, desk):
            message = await heard(layer, channel)
            while message["type"] == "groups.interrupted":
                message = await heard(layer, channel)
            assert message["sid"] == "EV2"
        # A channel without a group has missed nothing.
        await layer.send(alone, HEARD)
        assert await heard(layer, alone) == HEARD


async def test_joining_fails_with_a_message_while_redis_is_away(
    layer: ChannelLayer, path: Path
) -> None:
    with private_server(path):
        channel = await layer.new_channel()
    with pytest.raises(Exception, match=r"Redis|onnect"):
        await layer.group_add("a", channel)
    path.unlink(missing_ok=True)
    with private_server(path):
        await layer.group_add("a", channel)
        await layer.group_send("a", HEARD)
        message = await heard(layer, channel)
        assert message["type"] in ("routing.event", "groups.interrupted")
