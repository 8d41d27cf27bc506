"""Transfer a task to a worker or a queue, and cancel a transfer, for the SDK."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from routing import models
from routing.actions import transfers
from routing.actors import Actor
from routing.api import inputs
from routing.api.errors import ApiError, NotFound
from routing.core.vocabulary import TransferMode, TransferStatus
from routing.sdk import payloads
from routing.sdk.envelope import Envelope
from routing.sdk.payloads import Payload

_BEGIN: Final = (
    inputs.sid("ReservationSid", "WR"),
    inputs.sid("TaskSid", "WT"),
    inputs.text("To"),
    inputs.document("Attributes"),
    inputs.one_of("Mode", TransferMode),
    inputs.whole("Priority"),
)
_CHANGE: Final = (
    inputs.sid("TaskSid", "WT"),
    inputs.one_of("TransferStatus", TransferStatus),
)


def begin(worker: models.Worker, call: Envelope, *, actor: Actor, now: datetime) -> Payload:
    """Begin a transfer: `POST {worker}/Transfers`."""
    given = inputs.read(_BEGIN, call.form)
    _require(given, "reservation_sid", "to")
    rows = worker.reservations.select_related("workspace", "task")
    reservation = rows.filter(sid=given["reservation_sid"]).first()
    if reservation is None or given.get("task_sid") not in (None, reservation.task.sid):
        raise NotFound(f"/v1/{call.path}")
    try:
        made = transfers.begin_transfer(
            reservation=reservation,
            to=given["to"],
            mode=given.get("mode", TransferMode.WARM),
            attributes=given.get("attributes"),
            priority=given.get("priority"),
            actor=actor,
            now=now,
        )
    except transfers.NeedsTelephone as error:
        raise ApiError(error.message, status=501, code=20501) from None
    return payloads.transfer(made)


def change(
    worker: models.Worker, call: Envelope, sid: str, *, actor: Actor, now: datetime
) -> Payload:
    """Cancel a transfer that this worker began: `POST {worker}/Transfers/{sid}`."""
    given = inputs.read(_CHANGE, call.form)
    row = worker.workspace.transfers.filter(sid=sid, initiating_worker_sid=worker.sid).first()
    if row is None or given.get("task_sid") not in (None, row.task.sid):
        raise NotFound(f"/v1/{call.path}")
    if given.get("transfer_status") != TransferStatus.CANCELED:
        raise ApiError("TransferStatus must be `canceled`; only the router sets the other statuses")
    return payloads.transfer(transfers.cancel_transfer(transfer=row, actor=actor, now=now))


def _require(given: dict[str, Any], *names: str) -> None:
    for name in names:
        if not given.get(name):
            words = "".join(part.capitalize() for part in name.split("_"))
            raise ApiError(f"{words} is required")
