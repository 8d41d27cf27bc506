"""Whatever happens: each panel that would look different was said to be out of date.

Every panel of every agent is rendered before and after; in between, what was published is caught.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from agents import consumers, dashboard, frames, waiting
from agents.dashboard import Panel
from routing import delivery, groups, models
from routing.actions import (
    activities,
    reservations,
    task_channels,
    task_queues,
    task_statuses,
    tasks,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.core.vocabulary import EventType, GrabPolicy
from tests import factories
from tests.agents.conftest import Desk, Floor

NOW = timezone.now()
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


class Ear:
    """A channel layer that remembers what was published to which group."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.heard.append((group, message))


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    """Listen to everything that is published."""
    ear = Ear()
    monkeypatch.setattr(delivery, "get_channel_layer", lambda: ear)
    return ear


def look(desk: Desk) -> dict[Panel, str]:
    """Return each panel as it would be drawn; the clock stands still."""
    worker = models.Worker.objects.select_related("workspace", "activity").get(pk=desk.worker.pk)
    context = {"workspace": worker.workspace, "here": "?", "desk_url": "/agent/"}
    return {
        panel: render_to_string(
            f"agents/_{panel.value}.html", context | dashboard.show(panel, worker, now=NOW)
        )
        for panel in Panel
    }


def groups_of(desk: Desk) -> set[str]:
    """Return the groups that this desk's socket is in."""
    queues = waiting.queues_of(desk.worker)
    return {
        groups.worker(desk.worker.sid),
        groups.workspace(desk.worker.workspace.sid),
        *(groups.task_queue(queue.sid) for queue in queues),
    }


def told(desk: Desk, before: set[str], ear: Ear) -> set[str]:
    """Return the panels that a desk was told to fetch, as its socket does it."""
    stale: set[str] = set()
    looks_again = False
    for group, message in ear.heard:
        if group in before:
            frame = frames.event(message, worker_sid=desk.worker.sid)
            stale |= set(frame["stale"]) if frame else set()
            own = frames.is_own(message, worker_sid=desk.worker.sid)
            looks_again |= own and message["event_type"] in consumers.REJOIN
    if looks_again and groups_of(desk) != before:
        stale.add(Panel.QUEUE)
    return stale


# --- What can happen ------------------------------------------------------------------------------


def arrives(floor: Floor) -> Callable[[], Any]:
    return lambda: floor.task()


def is_offered(floor: Floor) -> Callable[[], Any]:
    floor.task()
    return floor.run


def is_accepted(floor: Floor) -> Callable[[], Any]:
    offer = floor.offered()
    return lambda: reservations.accept_reservation(reservation=offer, **BY)


def is_rejected(floor: Floor) -> Callable[[], Any]:
    offer = floor.offered()
    return lambda: reservations.reject_reservation(reservation=offer, **BY)


def expires(floor: Floor) -> Callable[[], Any]:
    floor.offered(now=NOW - timedelta(seconds=200))
    return lambda: floor.run(NOW)


def is_rescinded(floor: Floor) -> Callable[[], Any]:
    for worker in (floor.alice.worker, floor.bob.worker):
        workers.set_activity(worker=worker, activity=factories.activity(floor.workspace), **BY)
    task_queues.update_task_queue(queue=floor.queue, max_reserved_workers=2, **BY)
    floor.offered()
    offer = models.Reservation.objects.get(worker=floor.bob.worker)
    return lambda: reservations.accept_reservation(reservation=offer, **BY)


def is_grabbed(floor: Floor) -> Callable[[], Any]:
    task = floor.task()
    return lambda: floor.alice.press("task.grab", task=task.sid)


def is_wrapped_up(floor: Floor) -> Callable[[], Any]:
    task = floor.accepted().task
    return lambda: task_statuses.wrap_up_task(task=task, **BY)


def is_completed(floor: Floor) -> Callable[[], Any]:
    task = floor.accepted().task
    return lambda: task_statuses.complete_task(task=task, **BY)


def is_canceled_waiting(floor: Floor) -> Callable[[], Any]:
    task = floor.task()
    return lambda: task_statuses.cancel_task(task=task, **BY)


def is_canceled_on_offer(floor: Floor) -> Callable[[], Any]:
    task = floor.offered().task
    return lambda: task_statuses.cancel_task(task=task, **BY)


def is_deleted_waiting(floor: Floor) -> Callable[[], Any]:
    task = floor.task()
    return lambda: tasks.delete_task(task=task, **BY)


def is_deleted_in_hand(floor: Floor) -> Callable[[], Any]:
    task = floor.accepted().task
    return lambda: tasks.delete_task(task=task, **BY)


def changes_while_waiting(floor: Floor) -> Callable[[], Any]:
    task = floor.task()
    return lambda: tasks.update_task(task=task, attributes='{"title": "New"}', priority=7, **BY)


def changes_while_on_offer(floor: Floor) -> Callable[[], Any]:
    task = floor.offered().task
    return lambda: tasks.update_task(task=task, attributes='{"title": "New"}', **BY)


def changes_in_hand(floor: Floor) -> Callable[[], Any]:
    task = floor.accepted().task
    return lambda: tasks.update_task(task=task, attributes='{"title": "New"}', **BY)


def moves_to_another_queue(floor: Floor) -> Callable[[], Any]:
    law = factories.queue(floor.workspace, target_workers="skill == 'law'")
    workflow = factories.workflow(
        floor.workspace,
        factories.filter_("topic == 'law'", factories.target(law)),
        default=floor.queue,
    )
    task = floor.task(workflow=workflow)
    return lambda: tasks.update_task(task=task, attributes='{"topic": "law"}', **BY)


def workflow_is_changed(floor: Floor) -> Callable[[], Any]:
    law = factories.queue(floor.workspace, target_workers="skill == 'law'")
    floor.task()
    return lambda: workflows.update_workflow(
        workflow=floor.workflow,
        configuration=factories.configuration(default=law),
        re_evaluate_tasks=True,
        **BY,
    )


def alice_leaves(floor: Floor) -> Callable[[], Any]:
    floor.offered()
    floor.task(channel="voice")
    away = floor.workspace.activities.get(friendly_name="Offline")
    return lambda: workers.set_activity(
        worker=floor.alice.worker, activity=away, reject_pending_reservations=True, **BY
    )


def alice_gets_capacity(floor: Floor) -> Callable[[], Any]:
    floor.accepted(channel="voice")
    floor.task(channel="voice")
    channel = factories.worker_channel(floor.alice.worker, "voice")
    return lambda: worker_channels.update_worker_channel(
        channel=channel, configured_capacity=5, reserved_for_manual=2, **BY
    )


def a_channel_is_switched_off(floor: Floor) -> Callable[[], Any]:
    floor.task()
    channel = factories.worker_channel(floor.alice.worker)
    return lambda: worker_channels.update_worker_channel(channel=channel, available=False, **BY)


def alice_learns(floor: Floor) -> Callable[[], Any]:
    law = factories.queue(floor.workspace, target_workers="skill == 'law'")
    floor.task(workflow=factories.workflow(floor.workspace, default=law))
    return lambda: workers.update_worker(
        worker=floor.alice.worker, attributes='{"skill": "law"}', friendly_name="Alicia", **BY
    )


def a_queue_that_asks_for_idle_workers_loses_alice(floor: Floor) -> Callable[[], Any]:
    idle = factories.queue(floor.workspace, target_workers="channel.chat.assigned_tasks == 0")
    floor.task(workflow=factories.workflow(floor.workspace, default=idle))
    offer = floor.offered(workflow=floor.workflow)
    return lambda: reservations.accept_reservation(reservation=offer, **BY)


def an_activity_is_added(floor: Floor) -> Callable[[], Any]:
    return lambda: activities.create_activity(
        workspace=floor.workspace, friendly_name="Lunch", **BY
    )


def an_activity_is_renamed(floor: Floor) -> Callable[[], Any]:
    activity = factories.activity(floor.workspace, "Offline")
    return lambda: activities.rename_activity(activity=activity, friendly_name="Out", **BY)


def an_activity_is_deleted(floor: Floor) -> Callable[[], Any]:
    activity = factories.activity(floor.workspace, "Lunch")
    return lambda: activities.delete_activity(activity=activity, **BY)


def a_channel_is_added(floor: Floor) -> Callable[[], Any]:
    return lambda: task_channels.create_task_channel(
        workspace=floor.workspace, friendly_name="Fax", unique_name="fax", **BY
    )


def a_channel_is_renamed(floor: Floor) -> Callable[[], Any]:
    floor.accepted()
    floor.offered()
    floor.task(channel="chat")
    channel = factories.channel(floor.workspace)
    return lambda: task_channels.update_task_channel(
        channel=channel, friendly_name="Messenger", **BY
    )


def a_channel_is_deleted(floor: Floor) -> Callable[[], Any]:
    channel = factories.channel(floor.workspace, "fax")
    return lambda: task_channels.delete_task_channel(channel=channel, **BY)


def a_queue_is_added(floor: Floor) -> Callable[[], Any]:
    return lambda: factories.queue(floor.workspace, friendly_name="Second")


def a_queue_is_renamed_and_closed_to_grabs(floor: Floor) -> Callable[[], Any]:
    floor.accepted()
    floor.offered()
    floor.task()
    return lambda: task_queues.update_task_queue(
        queue=floor.queue, friendly_name="Talks", grab_policy=GrabPolicy.OFF, **BY
    )


def a_queue_asks_for_others(floor: Floor) -> Callable[[], Any]:
    floor.task()
    return lambda: task_queues.update_task_queue(queue=floor.queue, target_workers="", **BY)


def a_queue_is_deleted(floor: Floor) -> Callable[[], Any]:
    queue = factories.queue(floor.workspace)
    return lambda: task_queues.delete_task_queue(queue=queue, **BY)


def multitasking_is_switched_off(floor: Floor) -> Callable[[], Any]:
    floor.accepted()
    floor.task()
    return lambda: workspaces.update_workspace(
        workspace=floor.workspace, multi_task_enabled=False, **BY
    )


HAPPENINGS = [
    arrives,
    is_offered,
    is_accepted,
    is_rejected,
    expires,
    is_rescinded,
    is_grabbed,
    is_wrapped_up,
    is_completed,
    is_canceled_waiting,
    is_canceled_on_offer,
    is_deleted_waiting,
    is_deleted_in_hand,
    changes_while_waiting,
    changes_while_on_offer,
    changes_in_hand,
    moves_to_another_queue,
    workflow_is_changed,
    alice_leaves,
    alice_gets_capacity,
    a_channel_is_switched_off,
    alice_learns,
    a_queue_that_asks_for_idle_workers_loses_alice,
    an_activity_is_added,
    an_activity_is_renamed,
    an_activity_is_deleted,
    a_channel_is_added,
    a_channel_is_renamed,
    a_channel_is_deleted,
    a_queue_is_added,
    a_queue_is_renamed_and_closed_to_grabs,
    a_queue_asks_for_others,
    a_queue_is_deleted,
    multitasking_is_switched_off,
]


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda function: function.__name__)
def test_every_panel_that_changes_was_said_to_be_out_of_date(
    floor: Floor,
    ear: Ear,
    happening: Callable[[Floor], Callable[[], Any]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    act = happening(floor)
    desks = {"Alice": floor.alice, "Bob": floor.bob}
    before = {name: look(desk) for name, desk in desks.items()}
    joined = {name: groups_of(desk) for name, desk in desks.items()}
    ear.heard.clear()
    with django_capture_on_commit_callbacks(execute=True):
        act()
    changed_anything = False
    for name, desk in desks.items():
        after = look(desk)
        changed = {panel for panel in Panel if after[panel] != before[name][panel]}
        changed_anything |= bool(changed)
        assert changed <= told(desk, joined[name], ear), name
    assert changed_anything


def test_what_happens_elsewhere_reaches_nobody_here(
    floor: Floor, ear: Ear, django_capture_on_commit_callbacks: Any
) -> None:
    elsewhere = factories.workspace()
    factories.worker(elsewhere)
    joined = groups_of(floor.alice)
    with django_capture_on_commit_callbacks(execute=True):
        factories.accepted(elsewhere)
    assert ear.heard
    assert not told(floor.alice, joined, ear)
    assert joined.isdisjoint(group for group, _ in ear.heard)


def test_every_event_that_desks_hear_of_makes_something_out_of_date() -> None:
    assert set(dashboard.PANELS) == set(EventType)
    for event_type, audience in delivery.AUDIENCE.items():
        if audience:
            assert dashboard.PANELS[event_type], event_type


def test_of_a_colleagues_offer_a_desk_hears_only_that_the_queue_changed() -> None:
    message = {
        "type": "routing.event",
        "event_type": "reservation.created",
        "task_sid": "WT1",
        "worker_sid": "WK1",
        "reservation_sid": "WR1",
        "task_queue_sid": "WQ1",
    }
    assert frames.event(message, worker_sid="WK1") == {
        "event": "reservation.created",
        "task_sid": "WT1",
        "task_queue_sid": "WQ1",
        "reservation_sid": "WR1",
        "stale": ["offers", "presence", "queue"],
    }
    assert frames.event(message, worker_sid="WK2") == {
        "event": "reservation.created",
        "task_queue_sid": "WQ1",
        "stale": ["queue"],
    }
