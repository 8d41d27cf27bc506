"""Build the `event_data` of each noun; all values are text.

The groups are those of behaviour.md §9.2; event callbacks send the same fields in PascalCase.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from routing import models
from routing.core.clock import SECOND
from routing.core.vocabulary import AssignmentStatus

EventData = dict[str, str | None]


def of_workspace(workspace: models.Workspace) -> EventData:
    """Return the fields of an event's workspace."""
    return {"workspace_sid": workspace.sid, "workspace_name": workspace.friendly_name}


def of_activity(activity: models.Activity) -> EventData:
    """Return an activity's own fields."""
    return {
        "activity_sid": activity.sid,
        "activity_name": activity.friendly_name,
        "activity_available": _flag(activity.available),
    }


def of_task_channel(channel: models.TaskChannel) -> EventData:
    """Return a task channel's own fields."""
    return {
        "task_channel_sid": channel.sid,
        "task_channel_name": channel.friendly_name,
        "task_channel_unique_name": channel.unique_name,
        "task_channel_optimized_routing": _flag(channel.channel_optimized_routing),
    }


def of_task_queue(queue: models.TaskQueue | None) -> EventData:
    """Return the fields of the queue of an event."""
    if queue is None:
        return {}
    return {
        "task_queue_sid": queue.sid,
        "task_queue_name": queue.friendly_name,
        "task_queue_target_expression": queue.target_workers,
    }


def of_workflow(workflow: models.Workflow | None) -> EventData:
    """Return the fields of a task's workflow."""
    if workflow is None:
        return {}
    return {"workflow_sid": workflow.sid, "workflow_name": workflow.friendly_name}


def of_worker(worker: models.Worker) -> EventData:
    """Return a worker's own fields."""
    return {
        "worker_sid": worker.sid,
        "worker_name": worker.friendly_name,
        "worker_attributes": worker.attributes,
        "worker_activity_sid": worker.activity.sid,
        "worker_activity_name": worker.activity.friendly_name,
        "worker_version": str(worker.version),
    }


def of_activity_left(activity: models.Activity, *, since: datetime, now: datetime) -> EventData:
    """Return which activity a worker leaves, and how long they were in it."""
    elapsed = max((now - since) // timedelta(milliseconds=1), 0)
    return {
        "worker_time_in_previous_activity": str(elapsed // 1000),
        "worker_time_in_previous_activity_ms": str(elapsed),
        "worker_previous_activity_sid": activity.sid,
        "worker_previous_activity_name": activity.friendly_name,
    }


def of_worker_channel(channel: models.WorkerChannel) -> EventData:
    """Return the fields of a worker's capacity on one channel."""
    return {
        "worker_channel_sid": channel.sid,
        "worker_channel_available": _flag(channel.available),
        "worker_channel_available_capacity": str(channel.configured_capacity),
        "worker_channel_task_count": str(channel.assigned),
        "task_channel_sid": channel.task_channel.sid,
        "task_channel_unique_name": channel.task_channel.unique_name,
    }


def of_task(task: models.Task) -> EventData:
    """Return a task's own fields, its queue's and its workflow's."""
    data: EventData = {
        "task_sid": task.sid,
        "task_attributes": task.attributes,
        "task_priority": str(task.priority),
        "task_assignment_status": task.assignment_status,
        "task_timeout": str(task.timeout),
        "task_version": str(task.version),
        "task_channel_sid": task.channel_sid,
        "task_channel_unique_name": task.channel_name,
        "task_date_created": str(int(task.date_created.timestamp())),
        "task_virtual_start_time": str(task.virtual_start_us // SECOND),
        "task_queue_entered_date": (
            None
            if task.task_queue_entered_date is None
            else str(int(task.task_queue_entered_date.timestamp()))
        ),
    }
    if task.routing_target is not None:
        data["task_routing_target"] = task.routing_target
    if task.ignore_capacity is not None:
        data["task_ignore_capacity"] = _flag(task.ignore_capacity)
    if (ended := _REASONS.get(task.assignment_status)) is not None:
        data[ended] = data["reason"] = task.reason
    elif task.reason is not None:
        data["reason"] = task.reason
    return data | of_task_queue(task.task_queue) | of_workflow(task.workflow)


_REASONS: Final[Mapping[str, str]] = {
    AssignmentStatus.CANCELED: "task_canceled_reason",
    AssignmentStatus.COMPLETED: "task_completed_reason",
}


def age(data: EventData, now: datetime) -> EventData:
    """Return the age of an event's task, if the event is about one."""
    created = data.get("task_date_created")
    return {} if created is None else {"task_age": str(int(now.timestamp()) - int(created))}


def of_reservation(reservation: models.Reservation) -> EventData:
    """Return a reservation's own fields, its task's and its worker's."""
    data: EventData = {
        "reservation_sid": reservation.sid,
        "reservation_status": reservation.reservation_status,
        "reservation_timeout": str(reservation.reservation_timeout),
        "reservation_version": str(reservation.version),
    }
    if reservation.incoming is not None:
        data |= of_transfer(reservation.incoming)
    return data | of_task(reservation.task) | _of_holder(reservation)


def _of_holder(reservation: models.Reservation) -> EventData:
    """Return the fields of a reservation's worker; of a deleted worker only sid and name."""
    if reservation.worker is None:
        return {"worker_sid": reservation.worker_sid, "worker_name": reservation.worker_name}
    return of_worker(reservation.worker)


def of_transfer(transfer: models.Transfer) -> EventData:
    """Return a transfer's own fields."""
    return {
        "transfer_sid": transfer.sid,
        "transfer_mode": transfer.transfer_mode,
        "transfer_type": transfer.transfer_type,
        "transfer_to": transfer.transfer_to,
        "transfer_status": transfer.transfer_status,
        "transfer_failed_reason": transfer.transfer_failed_reason,
        "transfer_initiating_reservation_sid": transfer.initiating_reservation_sid,
        "transfer_initiating_worker_sid": transfer.initiating_worker_sid,
        "transfer_initiating_queue_sid": transfer.initiating_queue_sid,
        "transfer_initiating_workflow_sid": transfer.initiating_workflow_sid,
        "transfer_date_created": str(int(transfer.date_created.timestamp())),
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
