"""Write what the SDK is told of an event: the whole of what it is about, as it was at that moment.

An event's own data say nearly everything; what they do not say never changes, or is read from the
rows as they are now. However many events are asked for, the number of queries is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing import models
from routing.bridge import payloads
from routing.bridge.payloads import Payload
from routing.core.snapshot import free_percentage
from routing.core.vocabulary import AssignmentStatus
from routing.core.vocabulary import EventType as E
from routing.models.prepared import MANY_SIDS, Prepared

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
TOLD: Final = TASKS_FAILED | RESERVATIONS | WORKERS | CHANNELS | TASKS | TRANSFERS
"""The events that the SDK knows by name and payload."""

_TAKEN: Final = frozenset({E.RESERVATION_ACCEPTED, E.RESERVATION_RESCINDED})
_GIVEN_BACK: Final = frozenset(
    {E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT, E.RESERVATION_CANCELED}
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of the SDK's socket, and what a session must know to put it in its place.

    Arguments:
        reservation_sid, version: of the reservation that it is about, if it is about one.
        task_sid, version: of the task, if it is about that alone.
        worker_version: the worker's version after what it tells of; None when it says nothing.
    """

    event_sid: str
    event_type: str
    text: str
    reservation_sid: str | None = None
    version: int = 0
    worker_version: int | None = None
    task_sid: str | None = None


@dataclass(frozen=True, slots=True)
class _Rows:
    """What frames need beside their events, by sid."""

    reservations: Mapping[str, models.Reservation]
    workers: Mapping[str, models.Worker]
    activities: Mapping[str, bool]
    channels: Mapping[str, models.WorkerChannel]
    versions: Mapping[str, int]


_EVENTS: Final = Prepared(
    lambda sids: models.Event.objects.filter(
        sid__in=sids, event_type__in=sorted(TOLD)
    ).select_related("account"),
    MANY_SIDS,
)
_RESERVATIONS: Final = Prepared(
    lambda sids: models.Reservation.objects.filter(sid__in=sids).select_related(
        "worker_previous_activity"
    ),
    MANY_SIDS,
)
_WORKERS: Final = Prepared(lambda sids: models.Worker.objects.filter(sid__in=sids), MANY_SIDS)
_AVAILABLE: Final = Prepared(
    lambda sids: models.Activity.objects.filter(sid__in=sids).values_list("sid", "available"),
    MANY_SIDS,
)
_CHANNELS: Final = Prepared(
    lambda sids: models.WorkerChannel.objects.filter(sid__in=sids), MANY_SIDS
)
_VERSIONS: Final = Prepared(
    lambda sids: models.Task.objects.filter(sid__in=sids).values_list("sid", "version"), MANY_SIDS
)


def load(sids: Iterable[str]) -> dict[str, Frame]:
    """Return the frames of these events; an event that is gone has none."""
    events = _EVENTS(list(sids))
    beside = _beside(events)
    return {event.sid: _frame(event, beside) for event in events}


def _beside(events: list[models.Event]) -> _Rows:
    def named(field: str, types: frozenset[E]) -> list[str]:
        found = {e.event_data.get(field) for e in events if e.event_type in types}
        return [sid for sid in found if sid]

    return _Rows(
        _by_sid(_RESERVATIONS(named("reservation_sid", RESERVATIONS))),
        _by_sid(_WORKERS(named("worker_sid", WORKERS))),
        dict(_AVAILABLE(named("worker_activity_sid", WORKERS))),
        _by_sid(_CHANNELS(named("worker_channel_sid", CHANNELS))),
        dict(_VERSIONS(named("task_sid", _GIVEN_BACK))),
    )


def _by_sid(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.sid: row for row in rows}


def _frame(event: models.Event, rows: _Rows) -> Frame:
    data, kind = event.event_data, E(event.event_type)
    payload = _WRITERS[kind](event, data, rows)
    version = data.get("worker_version")
    text = json.dumps({"event_type": kind.value, "payload": payload}, ensure_ascii=False)
    return Frame(
        event_sid=event.sid,
        event_type=kind.value,
        text=text,
        reservation_sid=payload["sid"] if kind in RESERVATIONS else None,
        version=payload["version"] if kind in RESERVATIONS | TASKS else 0,
        worker_version=None if version is None else int(version),
        task_sid=payload["sid"] if kind in TASKS else None,
    )


def _own(event: models.Event, sid: str | None) -> Payload:
    return {
        "sid": sid,
        "account_sid": event.account.sid,
        "workspace_sid": event.workspace_sid,
        "date_updated": payloads.seconds(event.event_date),
    }


def _worker(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
    row = rows.workers.get(data["worker_sid"])
    moved = event.event_type == E.WORKER_ACTIVITY_UPDATE or row is None
    changed = event.event_date if moved or row is None else row.date_status_changed
    created = event.event_date if row is None else row.date_created
    return _own(event, data["worker_sid"]) | {
        "friendly_name": data["worker_name"],
        "attributes": data["worker_attributes"],
        "activity_sid": data["worker_activity_sid"],
        "activity_name": data["worker_activity_name"],
        "available": rows.activities.get(data["worker_activity_sid"], False),
        "date_created": payloads.seconds(created),
        "date_status_changed": payloads.seconds(changed),
        "version": int(data["worker_version"]),
    }


def _worker_channel(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
    row = rows.channels.get(data["worker_channel_sid"])
    capacity, assigned = (
        int(data["worker_channel_available_capacity"]),
        int(data["worker_channel_task_count"]),
    )
    consumed = assigned if row is None else row.consumed
    reserved = 0 if row is None else (row.last_reserved_us or 0)
    return _own(event, data["worker_channel_sid"]) | {
        "worker_sid": data["worker_sid"],
        "task_channel_sid": data["task_channel_sid"],
        "task_channel_unique_name": data["task_channel_unique_name"],
        "configured_capacity": capacity,
        "available": int(data["worker_channel_available"] == "true"),
        "assigned_tasks": assigned,
        "available_capacity_percentage": free_percentage(capacity, consumed),
        "date_created": payloads.seconds(event.event_date if row is None else row.date_created),
        "last_reserved_time": reserved // 1000,
    }


def _task(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
    return _own(event, data["task_sid"]) | {
        "attributes": data["task_attributes"],
        "assignment_status": data["task_assignment_status"],
        "priority": int(data["task_priority"]),
        "reason": data.get("reason"),
        "timeout": int(data["task_timeout"]),
        "age": max(int(data.get("task_age") or 0), 0),
        "addons": "{}",
        "routing_target": data.get("task_routing_target"),
        "workflow_sid": data.get("workflow_sid"),
        "workflow_name": data.get("workflow_name"),
        "queue_sid": data.get("task_queue_sid"),
        "queue_name": data.get("task_queue_name"),
        "task_channel_sid": data["task_channel_sid"],
        "task_channel_unique_name": data["task_channel_unique_name"],
        "date_created": int(data["task_date_created"]),
        "virtual_start_time": int(data["task_virtual_start_time"]),
        "version": int(data["task_version"]),
    }


def _reservation(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
    row = rows.reservations.get(data["reservation_sid"])
    previous = None if row is None else row.worker_previous_activity
    # Left out where there is none: the SDK takes no null for it.
    by = {} if data.get("transfer_sid") is None else {"task_transfer": _transfer(event, data, rows)}
    return _own(event, data["reservation_sid"]) | {
        "worker_sid": data["worker_sid"],
        "worker_name": data["worker_name"],
        "task_sid": data["task_sid"],
        "reservation_status": data["reservation_status"],
        "reservation_timeout": int(data["reservation_timeout"]),
        "worker_previous_activity_sid": None if previous is None else previous.sid,
        "date_created": payloads.seconds(event.event_date if row is None else row.date_created),
        "version": int(data["reservation_version"]),
        "task": _task_after(event, data, rows),
        **by,
    }


def _transfer(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
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


def _task_after(event: models.Event, data: Mapping[str, Any], rows: _Rows) -> Payload:
    """Return a task as its reservation's event left it: the event is written a step before that."""
    task = _task(event, data, rows)
    kind = E(event.event_type)
    if task["assignment_status"] != AssignmentStatus.RESERVED:
        return task
    if kind in _TAKEN:
        return task | {
            "assignment_status": AssignmentStatus.ASSIGNED.value,
            "version": task["version"] + 1,
        }
    # It waits again, or stays with whoever hands it on, unless others still have it on offer: then
    # nothing about it has changed.
    if kind in _GIVEN_BACK and rows.versions.get(task["sid"], 0) > task["version"]:
        kept = data.get("transfer_sid") is not None
        after = AssignmentStatus.ASSIGNED if kept else AssignmentStatus.PENDING
        return task | {
            "assignment_status": after.value,
            "version": task["version"] + 1,
        }
    return task


_Writer = Callable[[models.Event, Mapping[str, Any], _Rows], Payload]
_WRITERS: Final[Mapping[E, _Writer]] = {
    **dict.fromkeys(RESERVATIONS, _reservation),
    **dict.fromkeys(WORKERS, _worker),
    **dict.fromkeys(CHANNELS, _worker_channel),
    **dict.fromkeys(TASKS | TASKS_FAILED, _task),
    **dict.fromkeys(TRANSFERS, _transfer),
}
