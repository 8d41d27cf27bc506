"""Transfer a task to a worker or a queue, and cancel a transfer, for the SDK."""

from __future__ import annotations

from typing import Any, Final

from routing import models
from routing.actions import transfers
from routing.core.vocabulary import TransferMode, TransferStatus
from routing.operations import parameters, references
from routing.operations.context import Context
from routing.operations.errors import ApiError, NotFound
from routing.sdk import payloads
from routing.sdk.envelope import Envelope
from routing.sdk.payloads import Payload

_BEGIN: Final = (
    references.sid("ReservationSid", "WR"),
    references.sid("TaskSid", "WT"),
    parameters.text("To"),
    parameters.document("Attributes"),
    parameters.choice("Mode", TransferMode),
    parameters.whole_number("Priority"),
)
_CANCEL: Final = (
    references.sid("TaskSid", "WT"),
    parameters.choice("TransferStatus", TransferStatus),
)


def begin(worker: models.Worker, envelope: Envelope, context: Context) -> Payload:
    """Begin a transfer: `POST {worker}/Transfers`."""
    arguments = parameters.read_arguments(_BEGIN, envelope.form)
    _require(arguments, "reservation_sid", "to")
    rows = worker.reservations.select_related("workspace", "task")
    reservation = rows.filter(sid=arguments["reservation_sid"]).first()
    if reservation is None or arguments.get("task_sid") not in (None, reservation.task.sid):
        raise NotFound(context.path)
    try:
        transfer = transfers.begin_transfer(
            reservation=reservation,
            to=arguments["to"],
            mode=arguments.get("mode", TransferMode.WARM),
            attributes=arguments.get("attributes"),
            priority=arguments.get("priority"),
            actor=context.actor,
            now=context.now,
        )
    except transfers.NeedsTelephone as error:
        raise ApiError(error.message, status=501, code=20501) from None
    return payloads.transfer(transfer)


def cancel(worker: models.Worker, envelope: Envelope, sid: str, context: Context) -> Payload:
    """Cancel a transfer that this worker began: `POST {worker}/Transfers/{sid}`."""
    arguments = parameters.read_arguments(_CANCEL, envelope.form)
    row = worker.workspace.transfers.filter(sid=sid, initiating_worker_sid=worker.sid).first()
    if row is None or arguments.get("task_sid") not in (None, row.task.sid):
        raise NotFound(context.path)
    if arguments.get("transfer_status") != TransferStatus.CANCELED:
        raise ApiError("TransferStatus must be `canceled`; only the router sets the other statuses")
    return payloads.transfer(
        transfers.cancel_transfer(transfer=row, actor=context.actor, now=context.now)
    )


def _require(arguments: dict[str, Any], *names: str) -> None:
    for name in names:
        if not arguments.get(name):
            raise ApiError(f"{parameters.parameter_name(name)} is required")
