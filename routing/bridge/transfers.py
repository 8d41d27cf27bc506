"""Hand a task on to a colleague or a queue: not possible yet, and said so in words."""

from __future__ import annotations

from routing.api.errors import ApiError
from routing.bridge.calls import Call
from routing.bridge.payloads import Payload
from routing.tokens import Grant


def begin(grant: Grant, call: Call) -> Payload:
    """Begin a transfer: `POST {worker}/Transfers`."""
    raise _not_here("task.transfer")


def cancel(grant: Grant, call: Call, sid: str) -> Payload:
    """Cancel a transfer: `POST {worker}/Transfers/{sid}`."""
    raise _not_here("transfers.outgoing.cancel")


def _not_here(what: str) -> ApiError:
    return ApiError(f"{what} is not supported by this server", status=501, code=20501)
