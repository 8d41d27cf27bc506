"""Payloads of each resource for the worker SDK, where they differ from the REST API.

Dates are Unix seconds, the version is in the body, and queues and workflows have other property
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from routing import models, representations
from routing.core.clock import SECOND
from routing.core.vocabulary import TransferStatus

Payload = dict[str, Any]

_LEFT_OUT: Final = frozenset({"url", "links", "task_queue_entered_date", "ignore_capacity"})
_CALLED: Final[Mapping[str, str]] = {
    "task_queue_sid": "queue_sid",
    "task_queue_friendly_name": "queue_name",
    "workflow_friendly_name": "workflow_name",
}


def seconds(moment: datetime) -> int:
    """Return a time in whole Unix seconds."""
    return int(moment.timestamp())


def worker(row: models.Worker) -> Payload:
    """Return a worker."""
    changed = {"date_status_changed": seconds(row.date_status_changed), "version": row.version}
    return _of(representations.worker(row, base=""), row) | changed


def activity(row: models.Activity) -> Payload:
    """Return an activity."""
    return _of(representations.activity(row, base=""), row)


def worker_channel(row: models.WorkerChannel) -> Payload:
    """Return a worker's channel; its last reservation is in milliseconds."""
    shown = _of(representations.worker_channel(row, base=""), row)
    reserved = (row.last_reserved_us or 0) // 1000
    return shown | {"available": int(row.available), "last_reserved_time": reserved}


def task_queue(row: models.TaskQueue) -> Payload:
    """Return a task queue."""
    return _of(representations.task_queue(row, base=""), row) | {
        "lifo_queue": row.task_order == "LIFO"
    }


def task(row: models.Task, *, now: datetime) -> Payload:
    """Return a task."""
    return _of(representations.task(row, base="", now=now), row) | {
        "virtual_start_time": row.virtual_start_us // SECOND,
        "version": row.version,
        "counter": row.assignments,
    }


def reservation(row: models.Reservation, *, now: datetime, with_task: bool = False) -> Payload:
    """Return a reservation, with its task where the SDK creates one from it."""
    previous = row.worker_previous_activity
    shown = _of(representations.reservation(row, base=""), row) | {
        "reservation_timeout": row.reservation_timeout,
        "worker_previous_activity_sid": None if previous is None else previous.sid,
        "version": row.version,
    }
    if not with_task:
        return shown
    shown["task"] = task(row.task, now=now)
    # Omitted if there is none, as the SDK accepts no null.
    if row.incoming is not None:
        shown["task_transfer"] = transfer(row.incoming, task_sid=row.task.sid)
    if row.outgoing is not None and row.outgoing.transfer_status == TransferStatus.INITIATED:
        shown["active_outgoing_task_transfer"] = transfer(row.outgoing, task_sid=row.task.sid)
    return shown


def transfer(row: models.Transfer, *, task_sid: str = "") -> Payload:
    """Return a transfer.

    Arguments:
        task_sid: the task's sid, if the task was not loaded with the transfer.
    """
    shown: Payload = {
        "sid": row.sid,
        "task_sid": task_sid or row.task.sid,
        "initiating_reservation_sid": row.initiating_reservation_sid,
        "initiating_worker_sid": row.initiating_worker_sid,
        "initiating_queue_sid": row.initiating_queue_sid,
        "initiating_workflow_sid": row.initiating_workflow_sid,
        "transfer_mode": row.transfer_mode,
        "transfer_type": row.transfer_type,
        "transfer_to": row.transfer_to,
        "transfer_status": row.transfer_status,
        "date_created": seconds(row.date_created),
        "date_updated": seconds(row.date_updated),
    }
    reason = row.transfer_failed_reason
    return shown if reason is None else shown | {"transfer_failed_reason": reason}


def _of(representation: representations.Representation, row: models.base.Dated) -> Payload:
    shown = {
        _CALLED.get(name, name): value
        for name, value in representation.items()
        if name not in _LEFT_OUT
    }
    dates = {
        "date_created": seconds(row.date_created),
        "date_updated": seconds(row.date_updated),
    }
    return shown | dates
