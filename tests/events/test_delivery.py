"""Delivery: after the commit, to the right groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import transaction

from routing import groups, models, wakeups
from routing.actions import activities, task_queues, task_transitions, tasks, workers, workspaces
from routing.actors import SYSTEM
from routing.events import audiences
from tests import factories
from tests.events.conftest import channel_layer
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published_messages() -> Iterator[list[tuple[str, str]]]:
    """Return the groups and event types of all published messages."""
    heard: list[tuple[str, str]] = []

    class Layer:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            heard.append((group, message["event_type"]))

    with channel_layer(Layer()):
        yield heard


@pytest.fixture
def woken_workspaces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workspaces that were woken, as they are woken."""
    found: list[str] = []
    monkeypatch.setattr(wakeups, "wake_router", found.append)
    return found


def test_an_offer_is_published_to_its_worker_and_its_queue_only(
    published_messages: list[tuple[str, str]],
) -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace)
    factories.worker(workspace, available=False)
    task = factories.task(workspace)
    published_messages.clear()
    factories.run(workspace)
    assert task.task_queue is not None
    assert sorted(published_messages) == [
        (groups.task_queue_group(task.task_queue.sid), "reservation.created"),
        (groups.worker_group(alice.sid), "reservation.created"),
    ]


def test_rolled_back_events_are_not_published(
    published_messages: list[tuple[str, str]], woken_workspaces: list[str]
) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace)
    published_messages.clear()
    woken_workspaces.clear()
    with transaction.atomic():
        factories.task(workspace)
        transaction.set_rollback(True)
    assert (published_messages, woken_workspaces) == ([], [])
    factories.task(workspace)
    assert woken_workspaces == [workspace.sid]


def test_the_worker_who_holds_a_task_gets_its_new_attributes(
    published_messages: list[tuple[str, str]],
) -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace)
    task = factories.accepted(workspace).task
    published_messages.clear()
    tasks.update_task(task=task, attributes='{"note": 1}', actor=SYSTEM, now=NOW)
    assert (groups.worker_group(alice.sid), "task.updated") in published_messages


SHORT = {
    "type": "routing.event",
    "event_type": "reservation.created",
    "sid": "EV1",
    "worker_sid": "WK1",
    "task_sid": "WT1",
}


@pytest.mark.parametrize(
    ("group", "more"),
    [
        ("task_queue.WQ1", {"is_for_others"}),
        ("workspace.WS1", set()),
        ("worker.WK1", {"at", "event_data"}),
    ],
)
async def test_the_worker_of_an_offer_gets_its_full_data_and_others_only_sids(
    group: str, more: set[str]
) -> None:
    event = models.Event(
        sid="EV1",
        workspace_sid="WS1",
        event_type="reservation.created",
        event_date=NOW,
        event_data={"worker_sid": "WK1", "task_sid": "WT1", "task_attributes": '{"secret": 1}'},
    )
    layer = get_channel_layer()
    await layer.group_add(group, "socket")
    await layer.group_send(group, audiences.message(event, group))
    message = await asyncio.wait_for(layer.receive("socket"), 5)
    await layer.group_discard(group, "socket")
    whole = {
        "at": int(NOW.timestamp()),
        "event_data": event.event_data,
        "is_for_others": True,
    }
    assert message == SHORT | {key: whole[key] for key in more}


Change = Callable[[models.Workspace, models.Worker, models.Task], object]


def queue_of(task: models.Task) -> models.TaskQueue:
    """Return the queue that a task is in."""
    assert task.task_queue is not None
    return task.task_queue


MAKES_POSSIBLE: dict[str, Change] = {
    "a task is created": lambda workspace, worker, task: factories.task(workspace),
    "a slot is freed": lambda workspace, worker, task: task_transitions.complete_task(
        task=task, actor=SYSTEM, now=NOW
    ),
    "a worker becomes available": lambda workspace, worker, task: workers.set_activity(
        worker=worker, activity=factories.activity(workspace, "Lunch"), actor=SYSTEM, now=NOW
    ),
    "a worker's attributes change": lambda workspace, worker, task: workers.update_worker(
        worker=worker, attributes='{"a": 1}', actor=SYSTEM, now=NOW
    ),
    "a task's attributes change": lambda workspace, worker, task: tasks.update_task(
        task=task, attributes='{"a": 1}', actor=SYSTEM, now=NOW
    ),
    "capacity is raised": lambda workspace, worker, task: factories.set_capacity(
        worker, configured_capacity=9
    ),
    "a channel is switched": lambda workspace, worker, task: factories.set_capacity(
        worker, available=False
    ),
    "slots are no longer kept": lambda workspace, worker, task: factories.set_capacity(
        worker, reserved_for_manual=1
    ),
    "a queue admits others": lambda workspace, worker, task: task_queues.update_task_queue(
        queue=queue_of(task), target_workers="level > 1", actor=SYSTEM, now=NOW
    ),
    "a queue asks more workers at once": lambda workspace, worker, task: (
        task_queues.update_task_queue(
            queue=queue_of(task), max_reserved_workers=3, actor=SYSTEM, now=NOW
        )
    ),
    "multitasking is switched": lambda workspace, worker, task: workspaces.update_workspace(
        workspace=workspace, multi_task_enabled=False, actor=SYSTEM, now=NOW
    ),
}


@pytest.mark.parametrize("change", MAKES_POSSIBLE)
def test_these_changes_wake_the_router(change: str, woken_workspaces: list[str]) -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    woken_workspaces.clear()
    MAKES_POSSIBLE[change](workspace, worker, task)
    assert workspace.sid in woken_workspaces


def test_a_change_of_a_name_alone_wakes_no_router(woken_workspaces: list[str]) -> None:
    workspace = factories.workspace()
    woken_workspaces.clear()
    activities.rename_activity(
        activity=factories.activity(workspace), friendly_name="Ready", actor=SYSTEM, now=NOW
    )
    assert woken_workspaces == []
