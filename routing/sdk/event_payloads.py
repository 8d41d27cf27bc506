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

RESERVATIONS: Final = frozenset(
    {
        E.RESERVATION_CREATED,
        E.RESERVATION_ACCEPTED,
        E.RESERVATION_REJECTED,
        E.RESERVATION_TIMEOUT,
        E.RESERVATION_CANCELED,
        E.RESERVATION_RESCINDED,
        E.RESERVATION_WRAPUP,
        E.RESERVATION_COMPLETED,
    }
)
WORKERS: Final = frozenset({E.WORKER_ATTRIBUTES_UPDATE, E.WORKER_ACTIVITY_UPDATE})
CHANNELS: Final = frozenset({E.WORKER_CAPACITY_UPDATE, E.WORKER_CHANNEL_AVAILABILITY_UPDATE})
TASKS: Final = frozenset({E.TASK_UPDATED, E.TASK_WRAPUP, E.TASK_COMPLETED, E.TASK_CANCELED})
TRANSFERS: Final = frozenset(
    {
        E.TASK_TRANSFER_INITIATED,
        E.TASK_TRANSFER_ATTEMPT_FAILED,
        E.TASK_TRANSFER_FAILED,
        E.TASK_TRANSFER_CANCELED,
        E.TASK_TRANSFER_COMPLETED,
    }
)
TASKS_FAILED: Final = frozenset({E.RESERVATION_FAILED})
_TAKEN: Final = frozenset({E.RESERVATION_ACCEPTED, E.RESERVATION_RESCINDED})
GIVEN_BACK: Final = frozenset(
    {E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT, E.RESERVATION_CANCELED}
)


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
class Beside:
    """Related rows that payloads need, by sid."""

    reservations: Mapping[str, models.Reservation]
    workers: Mapping[str, models.Worker]
    activities: Mapping[str, bool]
    channels: Mapping[str, models.WorkerChannel]
    versions: Mapping[str, int]


def _own(event: Event, sid: str | None) -> Payload:
    return {
        "sid": sid,
        "account_sid": event.account_sid,
        "workspace_sid": event.workspace_sid,
        "date_updated": event.at,
    }


def _worker(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    row = beside.workers.get(data["worker_sid"])
    moved = event.event_type == E.WORKER_ACTIVITY_UPDATE or row is None
    changed = event.at if moved or row is None else unix_seconds(row.date_status_changed)
    return {
        **_own(event, data["worker_sid"]),
        **WORKER.from_event(data),
        "available": beside.activities.get(data["worker_activity_sid"], False),
        "date_created": event.at if row is None else unix_seconds(row.date_created),
        "date_status_changed": changed,
        "version": int(data["worker_version"]),
    }


def _worker_channel(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    row = beside.channels.get(data["worker_channel_sid"])
    shown = WORKER_CHANNEL.from_event(data)
    capacity, assigned = shown["configured_capacity"], shown["assigned_tasks"]
    consumed = assigned if row is None else row.consumed
    reserved = 0 if row is None else (row.last_reserved_us or 0)
    return {
        **_own(event, data["worker_channel_sid"]),
        "worker_sid": data["worker_sid"],
        **dict.fromkeys(_CHANNEL_ORDER),
        **shown,
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


def _task(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    return {
        **_own(event, data["task_sid"]),
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


def _reservation(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    row = beside.reservations.get(data["reservation_sid"])
    if event.event_type == E.RESERVATION_CREATED:
        # A new reservation keeps the activity that its worker has at this moment.
        previous = data["worker_activity_sid"]
    else:
        kept = None if row is None else row.worker_previous_activity
        previous = None if kept is None else kept.sid
    # Omitted if there is none, as the SDK accepts no null.
    handed_on = data.get("transfer_sid") is not None
    by = {"task_transfer": _transfer(event, data, beside)} if handed_on else {}
    return _own(event, data["reservation_sid"]) | {
        "worker_sid": data["worker_sid"],
        "worker_name": data["worker_name"],
        "task_sid": data["task_sid"],
        "reservation_status": data["reservation_status"],
        "reservation_timeout": int(data["reservation_timeout"]),
        "worker_previous_activity_sid": previous,
        "date_created": event.at if row is None else unix_seconds(row.date_created),
        "version": int(data["reservation_version"]),
        "task": _task_after(event, data, beside),
        **by,
    }


def _transfer(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    shown = _own(event, data["transfer_sid"]) | {
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
    return shown if reason is None else shown | {"transfer_failed_reason": reason}


def _task_after(event: Event, data: Mapping[str, Any], beside: Beside) -> Payload:
    """Return the task after this event; the event is recorded before the task is updated."""
    task = _task(event, data, beside)
    kind = event.event_type
    if task["assignment_status"] != AssignmentStatus.RESERVED:
        return task
    if kind in _TAKEN:
        return task | {
            "assignment_status": AssignmentStatus.ASSIGNED.value,
            "version": task["version"] + 1,
        }
    # The task waits again, or stays with the worker who transfers it. If it is still on offer to
    # other workers, it has not changed.
    if kind in GIVEN_BACK and beside.versions.get(task["sid"], 0) > task["version"]:
        kept = data.get("transfer_sid") is not None
        after = AssignmentStatus.ASSIGNED if kept else AssignmentStatus.PENDING
        return task | {
            "assignment_status": after.value,
            "version": task["version"] + 1,
        }
    return task


_Writer = Callable[[Event, Mapping[str, Any], Beside], Payload]
WRITERS: Final[Mapping[E, _Writer]] = {
    **dict.fromkeys(RESERVATIONS, _reservation),
    **dict.fromkeys(WORKERS, _worker),
    **dict.fromkeys(CHANNELS, _worker_channel),
    **dict.fromkeys(TASKS | TASKS_FAILED, _task),
    **dict.fromkeys(TRANSFERS, _transfer),
}
