"""All open desks are checked together, and only those again for which something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import consumers, desk_checks
from agents.consumers import AgentConsumer
from agents.desk_checks import DeskKey, DeskState
from routing import models
from routing.actions import activities, task_queues, workers
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Desk, Floor, desk, make_floor
from tests.agents.sockets import closed, do, event, opened


def key_of(desk: Desk) -> DeskKey:
    return DeskKey(str(desk.client.session.session_key), desk.user.pk)


def state_of(desk: Desk) -> DeskState | None:
    key = key_of(desk)
    return desk_checks.load_states([key]).get(key)


def by() -> dict[str, Any]:
    return {"actor": SYSTEM, "now": timezone.now()}


def describe(floor: Floor) -> None:
    workers.update_worker(worker=floor.alice.worker, attributes='{"team": "b"}', **by())


def rename_activity(floor: Floor) -> None:
    here = floor.alice.worker.activity
    activities.rename_activity(activity=here, friendly_name="Here", **by())


def go_away(floor: Floor) -> None:
    away = factories.activity(floor.workspace, "Offline")
    workers.set_activity(worker=floor.alice.worker, activity=away, **by())


def edit_queue(floor: Floor) -> None:
    task_queues.update_task_queue(queue=floor.queue, target_workers="1==2", **by())


def add_queue(floor: Floor) -> None:
    factories.queue(floor.workspace, now=timezone.now())


CHANGES_OF_QUEUES = [describe, rename_activity, go_away, edit_queue, add_queue]


@pytest.mark.parametrize("change", CHANGES_OF_QUEUES)
def test_the_state_changes_with_what_decides_the_queues(
    floor: Floor, change: Callable[[Floor], None]
) -> None:
    before = state_of(floor.alice)
    change(floor)
    after = state_of(floor.alice)
    assert before is not None
    assert after is not None
    assert after.queues != before.queues
    assert after.rights == before.rights


def lose_worker(floor: Floor) -> None:
    workers.update_worker(worker=floor.alice.worker, user=None, **by())


def get_another_worker(floor: Floor) -> None:
    factories.worker(factories.workspace(), "Also Alice", user=floor.alice.user)


def change_password(floor: Floor) -> None:
    floor.alice.user.set_password("another")
    floor.alice.user.save()


def deactivate(floor: Floor) -> None:
    User.objects.filter(pk=floor.alice.user.pk).update(is_active=False)


@pytest.mark.parametrize("change", [lose_worker, get_another_worker, change_password, deactivate])
def test_the_state_changes_with_the_rights(floor: Floor, change: Callable[[Floor], None]) -> None:
    before = state_of(floor.alice)
    change(floor)
    after = state_of(floor.alice)
    assert before is not None
    assert after is not None
    assert after.rights != before.rights


def test_a_session_that_has_ended_has_no_state(floor: Floor) -> None:
    key = key_of(floor.alice)
    floor.alice.client.logout()
    assert desk_checks.load_states([key, key_of(floor.bob)]).keys() == {key_of(floor.bob)}


def test_an_offer_changes_the_load_alone(floor: Floor) -> None:
    before = state_of(floor.alice)
    floor.offered()
    after = state_of(floor.alice)
    assert before is not None
    assert after is not None
    assert after.load != before.load
    assert after._replace(load=before.load) == before


def test_the_number_of_statements_does_not_grow_with_the_desks(floor: Floor) -> None:
    keys = [key_of(floor.alice)]
    others = [key_of(desk(floor.workspace, f"Agent {number}")) for number in range(30)]
    counts = []
    for asked in (keys, keys + others):
        with CaptureQueriesContext(connection) as queries:
            assert len(desk_checks.load_states(asked)) == len(asked)
        counts.append(len(queries))
    assert counts == [4, 4]


@pytest.fixture
def quick(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """Return the floor, with checks every few milliseconds and without any event."""
    monkeypatch.setattr(AgentConsumer, "check_seconds", 0.06)
    return make_floor()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[AgentConsumer]:
    """Return the desks that were loaded again."""
    found: list[AgentConsumer] = []
    load = AgentConsumer.load_groups

    def record_load(desk: AgentConsumer) -> Any:
        found.append(desk)
        return load(desk)

    monkeypatch.setattr(AgentConsumer, "load_groups", record_load)
    return found


async def rounds(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Wait until so many rounds of checks are over."""
    left, loop, over = count, asyncio.get_running_loop(), asyncio.Event()
    load = desk_checks.load_states

    def record_round(keys: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            loop.call_soon_threadsafe(over.set)
        return load(keys)

    with monkeypatch.context() as patch:
        patch.setattr(desk_checks, "load_states", record_round)
        await asyncio.wait_for(over.wait(), 30)


async def test_a_desk_for_which_nothing_changed_is_not_loaded_again(
    quick: Floor, looked: list[AgentConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(quick.alice), opened(quick.bob):
        await rounds(monkeypatch, 5)
        assert len(looked) == 2


async def test_the_desk_joins_a_queue_whose_event_was_lost(quick: Floor) -> None:
    async with opened(quick.alice) as socket:
        # Without an action there is no event.
        row = {"target_workers": "1==2", "date_updated": timezone.now()}
        await do(models.TaskQueue.objects.filter(pk=quick.queue.pk).update, **row)
        await event(socket, "desk.queues")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "another"}, consumers.LOGGED_OUT),
        ({"is_active": False}, consumers.LOGGED_OUT),
    ],
)
async def test_a_user_who_may_not_log_in_any_more_loses_the_desk(
    quick: Floor, change: dict[str, object], code: int
) -> None:
    async with opened(quick.alice) as socket, opened(quick.bob):
        await do(User.objects.filter(pk=quick.alice.user.pk).update, **change)
        assert await closed(socket) == code


async def test_a_worker_of_another_user_is_lost_without_an_event(quick: Floor) -> None:
    async with opened(quick.alice) as socket:
        await do(models.Worker.objects.filter(pk=quick.alice.worker.pk).update, user=None)
        assert await closed(socket) == consumers.NO_DESK
