"""Payloads of reservations and transfers for the worker SDK; the rest follow from the fields.

Dates are Unix seconds, and the version is in the body.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from routing import models
from routing.core.vocabulary import TransferStatus
from routing.fields.declarations import unix_seconds
from routing.fields.tasks import RESERVATION, TASK

Payload = dict[str, Any]


def reservation(row: models.Reservation, *, now: datetime, with_task: bool = False) -> Payload:
    """Return a reservation, with its task where the SDK creates one from it."""
    shown = RESERVATION.sdk_payload(row)
    if not with_task:
        return shown
    shown["task"] = TASK.sdk_payload(row.task, now=now)
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
        "date_created": unix_seconds(row.date_created),
        "date_updated": unix_seconds(row.date_updated),
    }
    reason = row.transfer_failed_reason
    return shown if reason is None else shown | {"transfer_failed_reason": reason}
