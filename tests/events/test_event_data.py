"""Event data: each type has the fields of its groups, all of them text."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.actions import reservations, task_transitions, tasks, worker_channels, workers
from routing.actors import SYSTEM
from tests import factories
from tests.factories import filter_, later, target

TASK = {
    "task_sid",
    "task_attributes",
    "task_age",
    "task_priority",
    "task_assignment_status",
    "task_channel_sid",
    "task_channel_unique_name",
    "task_date_created",
    "task_queue_entered_date",
    "task_version",
    "task_timeout",
    "task_virtual_start_time",
}
QUEUE = {"task_queue_sid", "task_queue_name", "task_queue_target_expression"}
WORKFLOW = {"workflow_sid", "workflow_name"}
WORKER = {
    "worker_sid",
    "worker_name",
    "worker_attributes",
    "worker_activity_sid",
    "worker_activity_name",
    "worker_version",
}
RESERVATION = {
    "reservation_sid",
    "reservation_status",
    "reservation_timeout",
    "reservation_version",
}
MOVE = {
    "worker_time_in_previous_activity",
    "worker_time_in_previous_activity_ms",
    "worker_previous_activity_sid",
    "worker_previous_activity_name",
}
CHANNEL = {
    "worker_channel_available",
    "worker_channel_available_capacity",
    "worker_channel_previous_capacity",
    "worker_channel_task_count",
    "task_channel_sid",
    "task_channel_unique_name",
}
_OF_TASK = TASK | QUEUE | WORKFLOW
_OFFER = _OF_TASK | WORKER | RESERVATION
GROUPS = {
    "task": _OF_TASK,
    "task-queue": _OF_TASK,
    "workflow": TASK | WORKFLOW,
    "reservation": _OFFER,
    "worker": WORKER,
}
"""The fields that the events of a resource have at least."""


@pytest.fixture
def day_events(db: None) -> list[models.Event]:
    """Return the events of a day on which nearly everything happens."""
    workspace = factories.workspace()
    alice = factories.worker(workspace, capacity={"chat": 3})
    first, second = factories.queue(workspace, target_workers="1==2"), factories.queue(workspace)
    steps = filter_("slow == true", target(first, timeout=10), target(second))
    flow = factories.workflow(workspace, steps, default=second)
    before = factories.last_event()
    act: dict[str, Any] = {"actor": SYSTEM, "now": later(40)}
    factories.task(workspace, workflow=flow, attributes={"slow": True})
    factories.run(workspace, later(10))
    offers = [factories.offered(workspace, workflow=flow, now=later(20 + n)) for n in range(2)]
    for offer in offers:
        reservations.accept_reservation(reservation=offer, **act)
    task_transitions.wrap_up_task(task=offers[0].task, **act)
    task_transitions.complete_task(task=offers[0].task, reason="done", **act)
    tasks.delete_task(task=offers[1].task, **act)
    canceled = factories.task(workspace, workflow=flow, attributes={"slow": True}, now=later(30))
    tasks.update_task(task=canceled, priority=3, **act)
    task_transitions.cancel_task(task=canceled, reason="left", **act)
    slot = factories.worker_channel(alice)
    worker_channels.update_worker_channel(
        channel=slot, configured_capacity=5, available=False, **act
    )
    offline = factories.activity(workspace, "Offline")
    workers.set_activity(worker=alice, activity=offline, reject_pending_reservations=True, **act)
    workers.delete_worker(worker=factories.worker(workspace), **act)
    return list(models.Event.objects.filter(pk__gt=before).order_by("pk"))


def test_every_event_carries_the_fields_of_its_groups(day_events: list[models.Event]) -> None:
    assert len({event.event_type for event in day_events}) >= 20
    for event in day_events:
        wanted = GROUPS[event.event_type.partition(".")[0]] | {"workspace_sid", "workspace_name"}
        if event.event_type in ("worker.activity.update", "worker.deleted"):
            wanted = wanted | MOVE
        if event.event_type.startswith(("worker.capacity", "worker.channel")):
            wanted = wanted | CHANNEL
        assert wanted <= event.event_data.keys(), event.event_type
        assert all(value is None or isinstance(value, str) for value in event.event_data.values())


def test_the_events_of_an_ended_task_carry_the_reason(day_events: list[models.Event]) -> None:
    (completed,) = [event for event in day_events if event.event_type == "task.completed"]
    assert completed.event_data["task_completed_reason"] == "done"
    assert completed.event_data["reason"] == "done"
    (canceled,) = [event for event in day_events if event.event_type == "task.canceled"]
    assert canceled.event_data["task_canceled_reason"] == "left"
    assert canceled.event_data["task_age"] == "10"
    (created, *_) = [event for event in day_events if event.event_type == "task.created"]
    assert not {"reason", "task_canceled_reason"} & created.event_data.keys()
    assert created.event_data["task_age"] == "0"


@pytest.mark.django_db
def test_a_task_for_one_worker_names_the_worker() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace)
    before = factories.last_event()
    factories.task(workspace, routing_target=worker.sid)
    data = models.Event.objects.get(pk__gt=before, event_type="task.created").event_data
    assert data["task_routing_target"] == worker.sid
    assert data["task_ignore_capacity"] == "true"
