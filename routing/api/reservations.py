"""Views for reservations, below their task and below their worker."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import NO_DELETE, READ_ONLY, InstanceView, ListView, ResourceView
from routing.fields.tasks import RESERVATION
from routing.operations.instructions import TELEPHONY, describe_telephony
from routing.operations.reservations import (
    WORKER_TELEPHONY,
    TaskReservationInstanceOperation,
    TaskReservationListOperation,
    WorkerReservationInstanceOperation,
    WorkerReservationListOperation,
)


class _Reservations(ResourceView):
    shape = RESERVATION

    def represent(self, row: models.Reservation) -> dict[str, Any]:
        row.workspace = self.workspace
        shown = RESERVATION.represent(row, base=self.base)
        if self.operation.collection == "Workers":
            worker = f"{shown['links']['workspace']}/Workers/{row.worker_sid}"
            shown["url"] = f"{worker}/Reservations/{row.sid}"
        return shown


class _ReservationList(_Reservations, ListView):
    http_method_names = READ_ONLY
    key = "reservations"


class TaskReservationList(_ReservationList):
    """The reservations of a task."""

    operation_class = TaskReservationListOperation
    about = {"get": "List a task's reservations"}


class WorkerReservationList(_ReservationList):
    """The reservations of a worker."""

    operation_class = WorkerReservationListOperation
    about = {"get": "List a worker's reservations"}


class _ReservationInstance(_Reservations, InstanceView):
    http_method_names = NO_DELETE
    about = {
        "get": "Fetch a reservation",
        "post": "Accept, reject, wrap up or complete a reservation\n\nBy ReservationStatus, or by"
        " the instructions `accept` and `reject`. The other instructions control telephone calls:"
        " their"
        " parameters are checked, and then the answer is 501, as there is no telephone"
        " network here.",
    }
    refusals = {"post": (410, 501)}


class TaskReservationInstance(_ReservationInstance):
    """One reservation, below its task."""

    operation_class = TaskReservationInstanceOperation
    extra = describe_telephony(*TELEPHONY)


class WorkerReservationInstance(_ReservationInstance):
    """One reservation, below its worker; `supervise` is only allowed below the task."""

    operation_class = WorkerReservationInstanceOperation
    extra = describe_telephony(*WORKER_TELEPHONY)
