"""Choose who receives an event: websocket groups and the router, and with how much data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing import groups
from routing.core.vocabulary import EventType as E
from routing.models import Event

_WORKER = "worker"  # the worker that the event names, and the workers with its task
_QUEUE = "task_queue"  # all workers who serve the queue
_WORKSPACE = "workspace"  # all sockets of the workspace

AUDIENCE: Final[Mapping[E, frozenset[str]]] = {
    E.WORKSPACE_CREATED: frozenset(),
    E.WORKSPACE_UPDATED: frozenset({_WORKSPACE}),
    E.WORKSPACE_DELETED: frozenset({_WORKSPACE}),
    E.ACTIVITY_CREATED: frozenset({_WORKSPACE}),
    E.ACTIVITY_UPDATED: frozenset({_WORKSPACE}),
    E.ACTIVITY_DELETED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_CREATED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_DELETED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_CREATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_DELETED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_EXPRESSION_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_ENTERED: frozenset({_QUEUE}),
    E.TASK_QUEUE_TIMEOUT: frozenset(),
    E.TASK_QUEUE_MOVED: frozenset({_QUEUE}),
    E.WORKFLOW_CREATED: frozenset(),
    E.WORKFLOW_UPDATED: frozenset({_WORKSPACE}),
    E.WORKFLOW_DELETED: frozenset(),
    E.WORKFLOW_ENTERED: frozenset(),
    E.WORKFLOW_TARGET_MATCHED: frozenset(),
    E.WORKFLOW_TIMEOUT: frozenset(),
    E.WORKFLOW_SKIPPED: frozenset(),
    E.WORKER_CREATED: frozenset(),
    E.WORKER_DELETED: frozenset({_WORKER}),
    E.WORKER_ATTRIBUTES_UPDATE: frozenset({_WORKER}),
    E.WORKER_ACTIVITY_UPDATE: frozenset({_WORKER}),
    E.WORKER_CAPACITY_UPDATE: frozenset({_WORKER}),
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: frozenset({_WORKER}),
    E.TASK_CREATED: frozenset({_QUEUE}),
    E.TASK_UPDATED: frozenset({_QUEUE, _WORKER}),
    E.TASK_WRAPUP: frozenset({_WORKER}),
    E.TASK_COMPLETED: frozenset({_WORKER}),
    E.TASK_CANCELED: frozenset({_QUEUE, _WORKER}),
    E.TASK_DELETED: frozenset({_QUEUE}),
    E.TASK_SYSTEM_DELETED: frozenset(),
    E.TASK_TRANSFER_INITIATED: frozenset({_WORKER}),
    E.TASK_TRANSFER_ATTEMPT_FAILED: frozenset({_WORKER}),
    E.TASK_TRANSFER_FAILED: frozenset({_WORKER}),
    E.TASK_TRANSFER_CANCELED: frozenset({_WORKER}),
    E.TASK_TRANSFER_COMPLETED: frozenset({_WORKER}),
    E.RESERVATION_CREATED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_ACCEPTED: frozenset({_WORKER}),
    E.RESERVATION_REJECTED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_TIMEOUT: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_CANCELED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_RESCINDED: frozenset({_WORKER}),
    E.RESERVATION_WRAPUP: frozenset({_WORKER}),
    E.RESERVATION_COMPLETED: frozenset({_WORKER}),
    E.RESERVATION_FAILED: frozenset({_WORKER}),
    E.RESERVATION_CALLBACK_FAILED: frozenset(),
}
"""The groups of sockets that receive events of each type."""

WAKES_ROUTER: Final[frozenset[E]] = frozenset(
    {
        E.WORKSPACE_UPDATED,
        E.TASK_CHANNEL_UPDATED,
        E.TASK_QUEUE_UPDATED,
        E.TASK_QUEUE_EXPRESSION_UPDATED,
        E.WORKFLOW_UPDATED,
        E.WORKER_CREATED,
        E.WORKER_ATTRIBUTES_UPDATE,
        E.WORKER_ACTIVITY_UPDATE,
        E.WORKER_CAPACITY_UPDATE,
        E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
        E.TASK_CREATED,
        E.TASK_UPDATED,
        E.TASK_TRANSFER_INITIATED,
        E.RESERVATION_ACCEPTED,
        E.RESERVATION_REJECTED,
        E.RESERVATION_TIMEOUT,
        E.RESERVATION_CANCELED,
        E.RESERVATION_RESCINDED,
        E.RESERVATION_WRAPUP,
        E.RESERVATION_COMPLETED,
    }
)
"""Event types that may make a waiting task eligible: they wake the router."""

FRAME_FIELDS: Final = ("task_sid", "worker_sid", "reservation_sid", "task_queue_sid")
"""Fields of an event's data that every frame carries: enough to know what to fetch again."""

TRANSFERS: Final[frozenset[E]] = frozenset(
    {
        E.TASK_TRANSFER_INITIATED,
        E.TASK_TRANSFER_ATTEMPT_FAILED,
        E.TASK_TRANSFER_FAILED,
        E.TASK_TRANSFER_CANCELED,
        E.TASK_TRANSFER_COMPLETED,
    }
)
CARRIES_DATA: Final[frozenset[E]] = TRANSFERS | {
    E.RESERVATION_CREATED,
    E.RESERVATION_FAILED,
    E.TASK_UPDATED,
    E.TASK_WRAPUP,
    E.TASK_COMPLETED,
    E.TASK_CANCELED,
}
"""Event types whose message to workers carries the full event data, so that consumers need no
query."""

INVALIDATES_SKILL_INDEX: Final[frozenset[E]] = frozenset(
    {E.WORKER_CREATED, E.WORKER_ATTRIBUTES_UPDATE}
)
"""Event types that change which lanes match a worker."""


def is_heard(event_type: E) -> bool:
    """Return whether events of this type are published to a group or wake the router."""
    return bool(AUDIENCE[event_type]) or event_type in WAKES_ROUTER


def groups_for(event: Event) -> list[str]:
    """Return the names of the groups that receive this event."""
    data = event.event_data
    found: list[str] = []
    listeners = AUDIENCE[E(event.event_type)]
    if _WORKER in listeners:
        # Publish to the worker's group first; queue groups can be large.
        named = [data.get("worker_sid"), *(data.get("holder_sids") or "").split(",")]
        found.extend(groups.worker(sid) for sid in named if sid)
    if _QUEUE in listeners and data.get("task_queue_sid"):
        found.append(groups.task_queue(data["task_queue_sid"]))
    if _WORKSPACE in listeners:
        found.append(groups.workspace(event.workspace_sid))
    return found


def _frame(event: Event) -> dict[str, Any]:
    """Return the frame of an event: what happened and to which resources, not their state."""
    return {
        "type": "routing.event",
        "event_type": event.event_type,
        "sid": event.sid,
        **{key: event.event_data[key] for key in FRAME_FIELDS if event.event_data.get(key)},
    }


def message(event: Event, group: str) -> dict[str, Any]:
    """Return the message for one group."""
    if event.event_type not in CARRIES_DATA or not groups.is_of_worker(group):
        return _frame(event)
    at = int(event.event_date.timestamp())
    return _frame(event) | {"at": at, "event_data": event.event_data}
