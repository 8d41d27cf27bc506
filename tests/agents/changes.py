"""Every change that a desk may have to show: each function prepares a change and returns it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from routing import models
from routing.actions import (
    activities,
    reservations,
    task_channels,
    task_moves,
    task_queues,
    task_transitions,
    tasks,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.core.vocabulary import GrabPolicy
from tests import factories
from tests.agents.conftest import Floor

NOW = timezone.now()
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


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


def is_taken_back(floor: Floor) -> Callable[[], Any]:
    offer = floor.offered()
    reservations.accept_reservation(reservation=offer, **BY)
    return lambda: task_moves.take_back_task(task=offer.task, **BY)


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
    return lambda: task_transitions.wrap_up_task(task=task, **BY)


def is_completed(floor: Floor) -> Callable[[], Any]:
    task = floor.accepted().task
    return lambda: task_transitions.complete_task(task=task, **BY)


def is_canceled_waiting(floor: Floor) -> Callable[[], Any]:
    task = floor.task()
    return lambda: task_transitions.cancel_task(task=task, **BY)


def is_canceled_on_offer(floor: Floor) -> Callable[[], Any]:
    task = floor.offered().task
    return lambda: task_transitions.cancel_task(task=task, **BY)


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


CHANGES = [
    arrives,
    is_offered,
    is_accepted,
    is_rejected,
    is_taken_back,
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
