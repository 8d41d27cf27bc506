"""Build the `event_data` of each noun; all values are text.

The groups are those of behaviour.md §9.2; event callbacks send the same fields in PascalCase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from routing import models
from routing.core.clock import SECOND
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.fields.declarations import EventData, date_text
from routing.fields.queues import TASK_QUEUE, WORKFLOW
from routing.fields.tasks import RESERVATION, TASK
from routing.fields.workers import WORKER, WORKER_CHANNEL
from routing.fields.workspaces import ACTIVITY, OUTCOME_CODE, TASK_CHANNEL, WORKSPACE


def describe_workspace(workspace: models.Workspace) -> EventData:
    """Return the fields of an event's workspace."""
    return WORKSPACE.event_data(workspace)


def describe_activity(activity: models.Activity) -> EventData:
    """Return an activity's own fields."""
    return ACTIVITY.event_data(activity)


def describe_task_channel(channel: models.TaskChannel) -> EventData:
    """Return a task channel's own fields."""
    return TASK_CHANNEL.event_data(channel)


def describe_outcome_code(code: models.OutcomeCode) -> EventData:
    """Return an outcome code's own fields."""
    return OUTCOME_CODE.event_data(code)


def describe_threshold(threshold: models.Threshold) -> EventData:
    """Return the fields of a threshold; its limits are in the unit of its figure."""
    channel = threshold.task_channel
    return {
        "threshold_sid": threshold.sid,
        "threshold_scope": threshold.scope,
        "threshold_figure": threshold.figure,
        "threshold_watch": None if threshold.watch is None else str(threshold.watch),
        "threshold_act": None if threshold.act is None else str(threshold.act),
        "threshold_hold": str(threshold.hold),
        "threshold_margin": str(threshold.margin),
        **describe_task_queue(threshold.task_queue),
        **({} if channel is None else describe_task_channel(channel)),
    }


def describe_alert(alert: models.Alert, *, now: datetime) -> EventData:
    """Return the fields of an alert; its queue and channel go by the names that it keeps."""
    threshold = alert.threshold
    muted_until = None if threshold is None else threshold.muted_until
    value = alert.value
    return {
        "alert_sid": alert.sid,
        "alert_level": alert.level,
        "alert_figure": alert.figure,
        "alert_value": None if value is None else f"{value:.1f}".removesuffix(".0"),
        "alert_limit": str(alert.limit),
        "alert_place": alert.queue_name or "the workspace",
        "alert_muted": "true" if muted_until is not None and muted_until > now else "false",
        "alert_date_raised": date_text(alert.date_raised),
        "alert_acknowledged_by": alert.acknowledged_by or None,
        "alert_note": alert.note or None,
        "threshold_sid": None if threshold is None else threshold.sid,
        "task_queue_sid": alert.queue_sid or None,
        "task_queue_name": alert.queue_name or None,
        "task_channel_name": alert.channel_name or None,
    }


def describe_task_queue(queue: models.TaskQueue | None) -> EventData:
    """Return the fields of the queue of an event."""
    return {} if queue is None else TASK_QUEUE.event_data(queue)


def describe_workflow(workflow: models.Workflow | None) -> EventData:
    """Return the fields of a task's workflow."""
    return {} if workflow is None else WORKFLOW.event_data(workflow)


def describe_worker(worker: models.Worker) -> EventData:
    """Return a worker's own fields."""
    return WORKER.event_data(worker)


def describe_activity_left(
    activity: models.Activity, *, since: datetime, now: datetime
) -> EventData:
    """Return which activity a worker leaves, and how long they were in it."""
    elapsed = max((now - since) // timedelta(milliseconds=1), 0)
    return {
        "worker_time_in_previous_activity": str(elapsed // 1000),
        "worker_time_in_previous_activity_ms": str(elapsed),
        "worker_previous_activity_sid": activity.sid,
        "worker_previous_activity_name": activity.friendly_name,
    }


def describe_worker_channel(channel: models.WorkerChannel) -> EventData:
    """Return the fields of a worker's capacity on one channel."""
    return WORKER_CHANNEL.event_data(channel)


def describe_capacities(channels: Mapping[str, models.WorkerChannel]) -> EventData:
    """Return the capacities that end with their worker or their channel, as JSON text.

    Arguments:
        channels: by the sid of the other: of the channel, or of the worker.
    """
    found = {
        sid: [row.configured_capacity, row.available, row.reserved_for_manual]
        for sid, row in channels.items()
    }
    return {"worker_channels": json.dumps(found)}


def describe_task(task: models.Task) -> EventData:
    """Return a task's own fields, its queue's and its workflow's."""
    data = TASK.event_data(task)
    if task.routing_target is not None:
        data["task_routing_target"] = task.routing_target
    if task.ignore_capacity is not None:
        data["task_ignore_capacity"] = "true" if task.ignore_capacity else "false"
    if (ended := _REASONS.get(task.assignment_status)) is not None:
        data[ended] = data["reason"] = task.reason
    elif task.reason is not None:
        data["reason"] = task.reason
    return data | describe_task_queue(task.task_queue) | describe_workflow(task.workflow)


_REASONS: Final[Mapping[str, str]] = {
    AssignmentStatus.CANCELED: "task_canceled_reason",
    AssignmentStatus.COMPLETED: "task_completed_reason",
}


def age(data: EventData, now: datetime) -> EventData:
    """Return the age of an event's task, if the event is about one."""
    created = data.get("task_date_created")
    return {} if created is None else {"task_age": str(int(now.timestamp()) - int(created))}


def describe_reservation(reservation: models.Reservation) -> EventData:
    """Return a reservation's own fields, its task's and its worker's."""
    data = RESERVATION.event_data(reservation)
    if reservation.origin is not None:
        data["reservation_origin"] = reservation.origin
    if reservation.rejection_reason is not None:
        data["reservation_rejection_reason"] = reservation.rejection_reason
    if reservation.wrap_up_deadline_us is not None:
        deadline = reservation.wrap_up_deadline_us // SECOND
        data["reservation_wrap_up_deadline"] = str(deadline)
    if reservation.reservation_status == ReservationStatus.COMPLETED:
        # Before that they are a draft.
        if reservation.outcome_code is not None:
            data["reservation_outcome_code"] = reservation.outcome_code
        if reservation.outcome_note is not None:
            data["reservation_outcome_note"] = reservation.outcome_note
    if reservation.incoming is not None:
        data |= describe_transfer(reservation.incoming)
    return data | describe_task(reservation.task) | _describe_holder(reservation)


def _describe_holder(reservation: models.Reservation) -> EventData:
    """Return the fields of a reservation's worker; of a deleted worker only sid and name."""
    if reservation.worker is None:
        return {"worker_sid": reservation.worker_sid, "worker_name": reservation.worker_name}
    return describe_worker(reservation.worker)


def describe_transfer(transfer: models.Transfer) -> EventData:
    """Return a transfer's own fields."""
    return {
        "transfer_sid": transfer.sid,
        "transfer_mode": transfer.transfer_mode,
        "transfer_type": transfer.transfer_type,
        "transfer_to": transfer.transfer_to,
        "transfer_status": transfer.transfer_status,
        "transfer_failed_reason": transfer.transfer_failed_reason,
        "transfer_note": transfer.note,
        "transfer_initiating_reservation_sid": transfer.initiating_reservation_sid,
        "transfer_initiating_worker_sid": transfer.initiating_worker_sid,
        "transfer_initiating_queue_sid": transfer.initiating_queue_sid,
        "transfer_initiating_workflow_sid": transfer.initiating_workflow_sid,
        "transfer_date_created": str(int(transfer.date_created.timestamp())),
    }
