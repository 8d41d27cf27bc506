"""A desk gets `desk.missed` after its server was cut off from Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings
from django.utils import timezone

from agents.consumers import AgentConsumer
from agents.dashboard import Panel
from config.patches.channel_layer import ChannelLayer
from routing import groups
from routing.actions import task_queues
from routing.actors import SYSTEM
from routing.events import courier
from tests import factories
from tests.agents.conftest import Floor, make_floor
from tests.agents.sockets import ask, do, event, heard, opened
from tests.redis import private_server

pytestmark = pytest.mark.django_db(transaction=True)

MISSED = {"event": "desk.missed", "stale": sorted(Panel)}


@pytest.fixture(autouse=True)
def reconnect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send reconnects without a random delay."""
    monkeypatch.setattr(AgentConsumer, "spread_seconds", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the Redis of a test listens."""
    return tmp_path / "redis.sock"


@pytest.fixture
def over_redis(path: Path) -> Iterator[None]:
    """Join the sockets to groups by the channel layer that the server uses."""
    hosts = [{"address": f"unix://{path}"}]
    backend = {"BACKEND": "config.patches.channel_layer.ChannelLayer", "CONFIG": {"hosts": hosts}}
    with override_settings(CHANNEL_LAYERS={"default": backend}):
        yield


@pytest.fixture
async def layer(over_redis: None) -> AsyncIterator[ChannelLayer]:
    """Return that layer."""
    layer = get_channel_layer()
    assert isinstance(layer, ChannelLayer)
    yield layer
    await layer.flush()


@pytest.fixture
def floor(transactional_db: None) -> Floor:
    """Return the floor, committed, so that every thread sees it."""
    return make_floor()


async def test_a_desk_fetches_all_panels_again_after_an_outage_of_redis(
    floor: Floor, layer: ChannelLayer, path: Path
) -> None:
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        with private_server(path):
            alice = await stack.enter_async_context(opened(floor.alice))
            await do(factories.activity, floor.workspace, "Lunch")
            assert (await heard(alice))["event"] == "activity.created"
        path.unlink(missing_ok=True)
        stack.enter_context(private_server(path))
        # The socket has to be closed before Redis ends.
        stack.push_async_callback(alice.disconnect)
        assert await heard(alice) == MISSED
        # It is in its groups again by now.
        await do(factories.activity, floor.workspace, "Training")
        assert (await event(alice, "activity.created"))["stale"] == [Panel.PRESENCE]


async def test_a_desk_gets_one_frame_after_several_outages_of_redis(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "spread_seconds", 0.1)
    async with opened(floor.alice) as alice:
        for _ in range(3):
            await interrupt(floor)
        assert (await ask(alice, "desk.ping"))["ok"]
        assert await heard(alice) == MISSED
        await do(factories.activity, floor.workspace, "Lunch")
        assert (await heard(alice))["event"] == "activity.created"
        # The next interruption gives a frame again.
        await interrupt(floor)
        assert await heard(alice) == MISSED


async def test_a_desk_joins_the_queues_whose_events_it_missed(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(floor.alice) as alice:
        with monkeypatch.context() as lost:
            lost.setattr(courier, "publish_events", lambda events: None)
            by = {"actor": SYSTEM, "now": timezone.now()}
            await do(task_queues.update_task_queue, queue=floor.queue, target_workers="1==2", **by)
        await interrupt(floor)
        assert await heard(alice) == MISSED
        assert await heard(alice) == {"event": "desk.queues", "stale": [Panel.QUEUE]}


async def interrupt(floor: Floor) -> None:
    """Send Alice's desk the message of the channel layer."""
    layer = get_channel_layer()
    await layer.group_send(
        groups.worker_group(floor.alice.worker.sid), {"type": "groups.interrupted"}
    )
