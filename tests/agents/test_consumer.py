"""The desk's socket: who may open it, which frames its tabs get, which commands it takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import Client
from django.utils import timezone

from agents import consumers
from agents.consumers import AgentConsumer
from routing import models
from routing.actions import task_queues, workers
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor, make_floor
from tests.agents.sockets import ask, closed, connection, do, event, heard, opened
from tests.agents.test_me import save

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """Return the floor, committed, so that every thread sees it."""
    monkeypatch.setattr(AgentConsumer, "rejoin_seconds", 0.0)
    return make_floor()


# --- Who ------------------------------------------------------------------------------------------


async def test_without_a_session_the_socket_is_closed_with_4401(floor: Floor) -> None:
    socket = connection(Client(), floor.alice.here)
    await socket.connect(timeout=30)
    assert await closed(socket) == consumers.LOGGED_OUT == 4401


async def test_a_login_without_a_worker_here_is_closed_with_4403(
    floor: Floor,
) -> None:
    other = await do(factories.workspace)
    socket = connection(floor.alice.client, f"?workspace={other.sid}")
    await socket.connect(timeout=30)
    assert await closed(socket) == consumers.NO_DESK == 4403


async def test_a_page_of_another_site_cannot_open_the_socket(floor: Floor) -> None:
    socket = connection(floor.alice.client, floor.alice.here, origin="https://elsewhere.example")
    connected, _ = await socket.connect(timeout=30)
    assert not connected
    socket = connection(floor.alice.client, floor.alice.here, origin="http://localhost")
    connected, _ = await socket.connect(timeout=30)
    assert connected
    await socket.disconnect()


async def test_after_a_logout_elsewhere_the_next_command_closes_the_socket(floor: Floor) -> None:
    offer = await do(floor.offered)
    async with opened(floor.alice) as socket:
        await do(floor.alice.client.logout)
        fields = {"id": 1, "command": "reservation.accept", "reservation": offer.sid}
        await socket.send_json_to(fields)
        assert await closed(socket) == consumers.LOGGED_OUT
    assert await do(factories.status, offer) == "pending"


async def test_a_logout_elsewhere_closes_the_socket_without_a_command(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentConsumer, "check_seconds", 0.05)
    async with opened(floor.alice) as socket:
        await do(floor.alice.client.logout)
        assert await closed(socket) == consumers.LOGGED_OUT


async def test_the_socket_closes_at_once_when_the_worker_loses_this_login(floor: Floor) -> None:
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


async def test_an_offer_reaches_every_tab_of_its_agent_and_no_other_agent(floor: Floor) -> None:
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


async def test_an_offer_reaches_a_desk_once_though_the_desk_follows_the_queue_too(
    floor: Floor,
) -> None:
    async with opened(floor.alice) as socket:
        await do(floor.offered)
        await event(socket, "reservation.created")
        await socket.send_json_to({"id": 1, "command": "desk.ping"})
        events = []
        while "reply" not in (frame := await heard(socket)):
            events.append(frame["event"])
    assert "reservation.created" not in events


async def test_a_command_in_one_tab_reaches_the_other_tab(floor: Floor) -> None:
    offer = await do(floor.offered)
    async with opened(floor.alice) as one, opened(floor.alice) as two:
        reply = await ask(one, "reservation.accept", reservation=offer.sid)
        assert reply["ok"] is True
        assert abs(reply["now"] - timezone.now().timestamp() * 1000) < 60_000
        frame = await event(two, "reservation.accepted")
        assert "tasks" in frame["stale"]
    assert await do(factories.status, offer) == "accepted"


async def test_an_agent_gets_the_events_of_a_queue_while_they_serve_it(
    floor: Floor,
) -> None:
    law = await do(factories.queue, floor.workspace, target_workers="skill == 'law'")
    workflow = await do(factories.workflow, floor.workspace, default=law)
    by = {"actor": SYSTEM, "now": timezone.now()}
    async with opened(floor.bob) as socket:
        await do(floor.task, workflow=workflow)
        await do(
            workers.update_worker, worker=floor.bob.worker, attributes='{"skill": "law"}', **by
        )
        # No frame about the task, which waits in a queue that Bob does not serve yet.
        assert (await heard(socket))["event"] == "worker.attributes.update"
        assert (await heard(socket)) == {"event": "desk.queues", "stale": ["queue"]}
        task = await do(floor.task, workflow=workflow)
        assert (await event(socket, "task.created"))["task_sid"] == task.sid
        await do(task_queues.update_task_queue, queue=law, target_workers="", **by)
        await event(socket, "desk.queues")
        await do(floor.task, workflow=workflow)
        assert await socket.receive_nothing(timeout=0.05)


async def test_an_offer_changes_its_agent_s_queues_if_an_expression_reads_the_load(
    floor: Floor,
) -> None:
    text = "worker.channel.chat.available_capacity_percentage == 100"
    await do(factories.queue, floor.workspace, target_workers=text)
    async with opened(floor.alice) as socket:
        await do(floor.offered)
        await event(socket, "desk.queues")


async def test_an_offer_costs_no_query_for_queues_whose_expressions_do_not_read_the_load(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, loop, load = asyncio.Event(), asyncio.get_running_loop(), AgentConsumer.load_groups

    def record_load(desk: AgentConsumer) -> Any:
        loop.call_soon_threadsafe(loaded.set)
        return load(desk)

    async with opened(floor.alice) as socket:
        monkeypatch.setattr(AgentConsumer, "load_groups", record_load)
        await do(floor.offered)
        await event(socket, "reservation.created")
        assert not loaded.is_set()
        by = {"actor": SYSTEM, "now": timezone.now()}
        await do(workers.update_worker, worker=floor.alice.worker, attributes="{}", **by)
        await asyncio.wait_for(loaded.wait(), 5)


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


async def test_the_socket_answers_in_the_language_of_the_user(floor: Floor) -> None:
    await do(save, floor.alice, language="de")
    async with opened(floor.alice) as alice, opened(floor.bob) as bob:
        reply = await ask(alice, "task.grab", task="WT" + "0" * 32)
        assert reply["error"]["message"] == "Diese Aufgabe gibt es nicht mehr."
        reply = await ask(bob, "task.grab", task="WT" + "0" * 32)
        assert reply["error"]["message"] == "There is no such task any more."
        await do(save, floor.alice, language="ar")
        await event(alice, "desk.language")
        reply = await ask(alice, "task.grab", task="WT" + "0" * 32)
        assert reply["error"]["message"] == "لم تعد هذه المهمة موجودة."


async def test_of_two_agents_who_grab_a_task_one_is_refused_with_a_message(floor: Floor) -> None:
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
