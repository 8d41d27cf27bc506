"""The cockpit's socket: who may open it, and which frames it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator as Socket
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from config.asgi import application
from routing import floor_watches, groups, models
from routing.actions import workspaces
from routing.actors import SYSTEM
from supervisors import consumers, pictures
from supervisors.consumers import CockpitConsumer
from supervisors.live import Floor
from supervisors.panels import PANELS
from tests import factories
from tests.agents.sockets import closed, do, event, heard, until
from tests.supervisors.conftest import Cockpit, make_cockpit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cockpit(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Cockpit:
    """Return the floor, committed, so that every thread sees it; renewals come at once."""
    monkeypatch.setattr(Floor, "pace", 0.0)
    return make_cockpit()


def connection(cockpit: Cockpit, who: str = "member", **given: Any) -> Socket:
    """Return a socket that a browser of this person would open."""
    cookies = cockpit.people[who].cookies.items()
    text = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies)
    headers = [(b"host", b"localhost"), (b"cookie", text.encode())]
    if "origin" in given:
        headers.append((b"origin", given["origin"].encode()))
    sid = given.get("workspace", cockpit.workspace.sid)
    return Socket(application, f"/supervisor/socket?workspace={sid}", headers=headers)


@asynccontextmanager
async def opened(cockpit: Cockpit, who: str = "member") -> AsyncIterator[Socket]:
    """Open a socket and read its first frame."""
    socket = connection(cockpit, who)
    connected, _ = await socket.connect(timeout=30)
    assert connected
    ready = await event(socket, "floor.ready")
    assert ready["stale"] == sorted(PANELS)
    assert abs(ready["now"] - timezone.now().timestamp() * 1000) < 60_000
    try:
        yield socket
    finally:
        await socket.disconnect()


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("anonymous", consumers.LOGGED_OUT),
        ("agent", consumers.REFUSED),
        ("stranger", consumers.REFUSED),
    ],
)
async def test_others_are_closed_with_a_code_that_gives_the_reason(
    cockpit: Cockpit, who: str, code: int
) -> None:
    socket = connection(cockpit, who)
    await socket.connect(timeout=30)
    assert await closed(socket) == code


async def test_a_page_of_another_site_cannot_open_the_socket(cockpit: Cockpit) -> None:
    socket = connection(cockpit, origin="https://elsewhere.example")
    connected, _ = await socket.connect(timeout=30)
    assert not connected


async def test_a_new_task_makes_the_panels_of_the_picture_stale(cockpit: Cockpit) -> None:
    async with opened(cockpit) as one, opened(cockpit, "superuser") as two:
        task = await do(cockpit.task, workflow=cockpit.workflow)
        for socket in (one, two):
            frame = await until(
                socket, lambda each: task.sid in each.get("tasks", []) and "totals" in each["stale"]
            )
            assert frame["event"] == "floor.stale"
            assert {"troubles", "queues", "waiting"} <= set(frame["stale"])
        picture = pictures.get_picture(cockpit.workspace.sid)
        assert picture is not None
        assert picture.number >= frame["picture"]
        assert picture.tasks_of(None).waiting == 1


async def test_a_moved_worker_is_named(cockpit: Cockpit) -> None:
    async with opened(cockpit) as socket:
        await do(factories.set_capacity, cockpit.ada, configured_capacity=9)
        frame = await until(socket, lambda each: cockpit.ada.sid in each.get("workers", []))
        assert "staff" in frame["stale"]


async def test_events_of_another_workspace_are_not_heard(cockpit: Cockpit) -> None:
    other = await do(factories.workspace)
    async with opened(cockpit) as socket:
        task = await do(factories.task, other, now=timezone.now())
        own = await do(cockpit.task, workflow=cockpit.workflow)
        frame = await until(socket, lambda each: own.sid in each.get("tasks", []))
        assert task.sid not in frame["tasks"]


async def test_a_pulse_confirms_the_picture(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Floor, "pulse", 0.05)
    async with opened(cockpit) as socket:
        pulse = await event(socket, "floor.pulse")
        assert pulse.keys() == {"event", "picture", "at"}
        assert pictures.is_confirmed(cockpit.workspace.sid)


async def test_after_an_interruption_everything_is_read_before_a_pulse(cockpit: Cockpit) -> None:
    async with opened(cockpit) as socket:
        group = groups.floor_group(cockpit.workspace.sid)
        await get_channel_layer().group_send(group, {"type": "groups.interrupted"})
        frame = await until(socket, lambda each: each["event"] != "floor.stale")
        while frame["event"] == "floor.pulse":
            frame = await heard(socket)
        assert frame["event"] == "floor.missed"
        assert frame["stale"] == sorted(PANELS)


async def test_while_redis_is_away_no_pulse_confirms_the_picture(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Floor, "pulse", 0.05)
    monkeypatch.setattr(Floor, "watch", 0.05)
    refused = asyncio.Event()
    here = asyncio.get_running_loop()

    def renew(_sid: str) -> bool:
        here.call_soon_threadsafe(refused.set)
        raise redis.ConnectionError

    async with opened(cockpit) as socket:
        await event(socket, "floor.pulse")
        with monkeypatch.context() as away:
            away.setattr(floor_watches, "renew_watch", renew)
            await asyncio.wait_for(refused.wait(), 30)
            refused.clear()
            # At its second refusal, everything that was sent before the first one has arrived.
            await asyncio.wait_for(refused.wait(), 30)
            while not socket.output_queue.empty():
                await heard(socket)
            refused.clear()
            await asyncio.wait_for(refused.wait(), 30)
            assert socket.output_queue.empty()
            assert not pictures.is_confirmed(cockpit.workspace.sid)
            task = await do(cockpit.task, workflow=cockpit.workflow)
        # Back again, all panels are read, with what has happened in between.
        missed = await heard(socket)
        assert (missed["event"], missed["stale"]) == ("floor.missed", sorted(PANELS))
        picture = pictures.get_picture(cockpit.workspace.sid)
        assert picture is not None
        assert picture.tasks_of(None).waiting == 1, task.sid
        await event(socket, "floor.pulse")


async def test_the_last_socket_ends_the_watch(cockpit: Cockpit) -> None:
    group = groups.floor_group(cockpit.workspace.sid)
    async with opened(cockpit):
        async with opened(cockpit):
            pass
        assert group in get_channel_layer().groups
    await asyncio.sleep(0)
    assert group not in get_channel_layer().groups
    assert not pictures.is_confirmed(cockpit.workspace.sid)


async def test_a_logout_elsewhere_closes_the_socket(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CockpitConsumer, "check_seconds", 0.05)
    async with opened(cockpit) as socket:
        await do(cockpit.people["member"].logout)
        assert await closed(socket) == consumers.LOGGED_OUT


async def test_a_lost_membership_closes_the_socket(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CockpitConsumer, "check_seconds", 0.05)
    async with opened(cockpit) as socket:
        await do(models.Membership.objects.all().delete)
        assert await closed(socket) == consumers.REFUSED


async def test_a_deactivated_user_loses_the_socket(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CockpitConsumer, "check_seconds", 0.05)
    async with opened(cockpit) as socket:
        await do(User.objects.filter(username="lead").update, is_active=False)
        assert await closed(socket) == consumers.LOGGED_OUT


async def test_a_deleted_workspace_closes_its_sockets(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CockpitConsumer, "check_seconds", 0.05)
    workspace = await do(factories.workspace)
    user = await do(User.objects.create_superuser, "boss")
    client = Client()
    await do(client.force_login, user, backend="config.patches.session_store.Backend")
    cockpit.people["boss"] = client
    socket = connection(cockpit, "boss", workspace=workspace.sid)
    await socket.connect(timeout=30)
    await event(socket, "floor.ready")
    await do(workspaces.delete_workspace, workspace=workspace, actor=SYSTEM, now=timezone.now())
    assert await closed(socket) == consumers.REFUSED


async def test_a_ping_is_answered_and_anything_else_is_explained(cockpit: Cockpit) -> None:
    async with opened(cockpit) as socket:
        await socket.send_json_to({"id": 7, "command": "floor.ping"})
        reply = await until(socket, lambda each: "reply" in each)
        assert (reply["reply"], reply["ok"]) == (7, True)
        for text in ("x" * 5000, "[]", '{"command": "tasks.cancel"}', "{"):
            await socket.send_to(text_data=text)
            reply = await until(socket, lambda each: "reply" in each)
            assert reply["error"]["reason"] == "malformed"


async def test_a_client_that_sends_too_much_is_closed(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CockpitConsumer, "burst", 1)
    monkeypatch.setattr(CockpitConsumer, "rate", 0.0)
    monkeypatch.setattr(CockpitConsumer, "patience", 2)
    async with opened(cockpit) as socket:
        for _ in range(5):
            await socket.send_json_to({"id": 1, "command": "floor.ping"})
        assert await closed(socket) == consumers.FLOODING
