"""Build the SDK's payload for each kind of event, from its data and related rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing import models
from routing.core.event_catalog import EventType as E
from routing.core.snapshot import free_percentage
from routing.core.vocabulary import AssignmentStatus
from routing.fields.declarations import unix_seconds
from routing.fields.tasks import TASK
from routing.fields.workers import WORKER, WORKER_CHANNEL
from routing.sdk.payloads import Payload


@dataclass(frozen=True, slots=True)
class Event:
    """An event, loaded from its row or received in a message.

    Arguments:
        at: when it happened, in Unix seconds.
    """

    sid: str
    event_type: E
    account_sid: str
    workspace_sid: str
    at: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """Related rows that payloads need, by sid."""

    reservations: Mapping[str, models.Reservation]
    workers: Mapping[str, models.Worker]
    activities: Mapping[str, bool]
    channels: Mapping[str, models.WorkerChannel]
    versions: Mapping[str, int]


def _common_fields(event: Event, sid: str | None) -> Payload:
    return {
        "sid": sid,
        "account_sid": event.account_sid,
        "workspace_sid": event.workspace_sid,
        "date_updated": event.at,
    }


def _write_worker(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    row = related.workers.get(data["worker_sid"])
    moved = event.event_type == E.WORKER_ACTIVITY_UPDATE or row is None
    changed = event.at if moved or row is None else unix_seconds(row.date_status_changed)
    return {
        **_common_fields(event, data["worker_sid"]),
        **WORKER.from_event(data),
        "available": related.activities.get(data["worker_activity_sid"], False),
        "date_created": event.at if row is None else unix_seconds(row.date_created),
        "date_status_changed": changed,
        "version": int(data["worker_version"]),
    }


def _write_worker_channel(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    row = related.channels.get(data["worker_channel_sid"])
    fields = WORKER_CHANNEL.from_event(data)
    capacity, assigned = fields["configured_capacity"], fields["assigned_tasks"]
    consumed = assigned if row is None else row.consumed
    reserved = 0 if row is None else (row.last_reserved_us or 0)
    return {
        **_common_fields(event, data["worker_channel_sid"]),
        "worker_sid": data["worker_sid"],
        **dict.fromkeys(_CHANNEL_ORDER),
        **fields,
        "available_capacity_percentage": free_percentage(capacity, consumed),
        "date_created": event.at if row is None else unix_seconds(row.date_created),
        "last_reserved_time": reserved // 1000,
    }


_CHANNEL_ORDER: Final = (
    "task_channel_sid",
    "task_channel_unique_name",
    "configured_capacity",
    "available",
    "assigned_tasks",
)


def _write_task(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    return {
        **_common_fields(event, data["task_sid"]),
        **dict.fromkeys(_TASK_ORDER),
        **TASK.from_event(data),
        "reason": data.get("reason"),
        "age": max(int(data.get("task_age") or 0), 0),
        "addons": "{}",
        "routing_target": data.get("task_routing_target"),
        "workflow_sid": data.get("workflow_sid"),
        "workflow_name": data.get("workflow_name"),
        "queue_sid": data.get("task_queue_sid"),
        "queue_name": data.get("task_queue_name"),
        "version": int(data["task_version"]),
    }


_TASK_ORDER: Final = (
    "attributes",
    "assignment_status",
    "priority",
    "reason",
    "timeout",
    "age",
    "addons",
    "routing_target",
    "workflow_sid",
    "workflow_name",
    "queue_sid",
    "queue_name",
    "task_channel_sid",
    "task_channel_unique_name",
    "date_created",
    "virtual_start_time",
    "version",
)


def _write_reservation(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    row = related.reservations.get(data["reservation_sid"])
    if event.event_type == E.RESERVATION_CREATED:
        # A new reservation keeps the activity that its worker has at this moment.
        previous = data["worker_activity_sid"]
    else:
        kept = None if row is None else row.worker_previous_activity
        previous = None if kept is None else kept.sid
    # Omitted if there is none, as the SDK accepts no null.
    transferred = data.get("transfer_sid") is not None
    transfer = {"task_transfer": _write_transfer(event, data, related)} if transferred else {}
    return _common_fields(event, data["reservation_sid"]) | {
        "worker_sid": data["worker_sid"],
        "worker_name": data["worker_name"],
        "task_sid": data["task_sid"],
        "reservation_status": data["reservation_status"],
        "reservation_timeout": int(data["reservation_timeout"]),
        "worker_previous_activity_sid": previous,
        "date_created": event.at if row is None else unix_seconds(row.date_created),
        "version": int(data["reservation_version"]),
        "task": _task_after_event(event, data, related),
        **transfer,
    }


def _write_transfer(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    payload = _common_fields(event, data["transfer_sid"]) | {
        "task_sid": data["task_sid"],
        "initiating_reservation_sid": data["transfer_initiating_reservation_sid"],
        "initiating_worker_sid": data["transfer_initiating_worker_sid"],
        "initiating_queue_sid": data["transfer_initiating_queue_sid"],
        "initiating_workflow_sid": data["transfer_initiating_workflow_sid"],
        "transfer_mode": data["transfer_mode"],
        "transfer_type": data["transfer_type"],
        "transfer_to": data["transfer_to"],
        "transfer_status": data["transfer_status"],
        "date_created": int(data["transfer_date_created"]),
    }
    reason = data["transfer_failed_reason"]
    return payload if reason is None else payload | {"transfer_failed_reason": reason}


def _task_after_event(event: Event, data: Mapping[str, Any], related: RelatedRows) -> Payload:
    """Return the task after this event; the event is recorded before the task is updated."""
    task = _write_task(event, data, related)
    kind = event.event_type
    if task["assignment_status"] != AssignmentStatus.RESERVED:
        return task
    if kind in _ASSIGNS_TASK:
        return task | {
            "assignment_status": AssignmentStatus.ASSIGNED.value,
            "version": task["version"] + 1,
        }
    # The task waits again, or stays with the worker who transfers it. If it is still on offer to
    # other workers, it has not changed.
    if kind in RELEASES_TASK and related.versions.get(task["sid"], 0) > task["version"]:
        kept = data.get("transfer_sid") is not None
        after = AssignmentStatus.ASSIGNED if kept else AssignmentStatus.PENDING
        return task | {
            "assignment_status": after.value,
            "version": task["version"] + 1,
        }
    return task


_Writer = Callable[[Event, Mapping[str, Any], RelatedRows], Payload]
PUSHED: Final[Mapping[E, _Writer]] = {
    E.WORKER_ATTRIBUTES_UPDATE: _write_worker,
    E.WORKER_ACTIVITY_UPDATE: _write_worker,
    E.WORKER_CAPACITY_UPDATE: _write_worker_channel,
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: _write_worker_channel,
    E.TASK_UPDATED: _write_task,
    E.TASK_WRAPUP: _write_task,
    E.TASK_COMPLETED: _write_task,
    E.TASK_CANCELED: _write_task,
    E.TASK_TRANSFER_INITIATED: _write_transfer,
    E.TASK_TRANSFER_ATTEMPT_FAILED: _write_transfer,
    E.TASK_TRANSFER_FAILED: _write_transfer,
    E.TASK_TRANSFER_CANCELED: _write_transfer,
    E.TASK_TRANSFER_COMPLETED: _write_transfer,
    E.RESERVATION_CREATED: _write_reservation,
    E.RESERVATION_ACCEPTED: _write_reservation,
    E.RESERVATION_REJECTED: _write_reservation,
    E.RESERVATION_TIMEOUT: _write_reservation,
    E.RESERVATION_CANCELED: _write_reservation,
    E.RESERVATION_RESCINDED: _write_reservation,
    E.RESERVATION_WRAPUP: _write_reservation,
    E.RESERVATION_COMPLETED: _write_reservation,
    E.RESERVATION_FAILED: _write_task,
}
"""Event types that the SDK gets, and what builds the payload of each."""

OUTDATES_LISTS: Final = frozenset(
    {
        E.ACTIVITY_CREATED,
        E.ACTIVITY_UPDATED,
        E.TASK_CHANNEL_CREATED,
        E.TASK_CHANNEL_UPDATED,
    }
)
"""Event types about what the SDK reads from lists only: sessions with old lists are closed."""

NOT_PUSHED: Final = frozenset(
    {
        E.WORKSPACE_CREATED,
        E.WORKSPACE_UPDATED,
        E.WORKSPACE_DELETED,
        E.ACTIVITY_DELETED,
        E.TASK_CHANNEL_DELETED,
        E.OUTCOME_CODE_CREATED,
        E.OUTCOME_CODE_UPDATED,
        E.OUTCOME_CODE_DELETED,
        E.THRESHOLD_CREATED,
        E.THRESHOLD_UPDATED,
        E.THRESHOLD_DELETED,
        E.ALERT_RAISED,
        E.ALERT_CHANGED,
        E.ALERT_CLEARED,
        E.ALERT_ACKNOWLEDGED,
        E.TASK_QUEUE_CREATED,
        E.TASK_QUEUE_DELETED,
        E.TASK_QUEUE_UPDATED,
        E.TASK_QUEUE_EXPRESSION_UPDATED,
        E.TASK_QUEUE_ENTERED,
        E.TASK_QUEUE_TIMEOUT,
        E.TASK_QUEUE_MOVED,
        E.WORKFLOW_CREATED,
        E.WORKFLOW_UPDATED,
        E.WORKFLOW_DELETED,
        E.WORKFLOW_ENTERED,
        E.WORKFLOW_TARGET_MATCHED,
        E.WORKFLOW_TIMEOUT,
        E.WORKFLOW_SKIPPED,
        E.WORKER_CREATED,
        E.WORKER_DELETED,
        E.TASK_CREATED,
        E.TASK_TAKEN_BACK,
        E.TASK_DELETED,
        E.TASK_SYSTEM_DELETED,
        E.RESERVATION_WRAPUP_EXTENDED,
        E.RESERVATION_CALLBACK_FAILED,
    }
)
"""Event types that the SDK does not know."""


def _written_by(writer: _Writer) -> frozenset[E]:
    return frozenset(each for each, its_writer in PUSHED.items() if its_writer is writer)


RESERVATIONS: Final = _written_by(_write_reservation)
WORKERS: Final = _written_by(_write_worker)
CHANNELS: Final = _written_by(_write_worker_channel)
# A failed reservation only repeats the canceled task, for the workers that it was meant for.
TASKS: Final = _written_by(_write_task) - {E.RESERVATION_FAILED}
"""Event types that change a resource with a version, by the kind of resource."""

_ASSIGNS_TASK: Final = frozenset({E.RESERVATION_ACCEPTED, E.RESERVATION_RESCINDED})
RELEASES_TASK: Final = frozenset(
    {E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT, E.RESERVATION_CANCELED}
)
"""Event types by which a reserved task becomes assigned, or may wait again."""
