"""Views for reservations, below their task and below their worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

from django.db.models import Q, QuerySet

from routing import models
from routing.actions import reservations
from routing.api import inputs, lookups
from routing.api.base import (
    NO_DELETE,
    READ_ONLY,
    Given,
    InstanceResource,
    ListResource,
    Resource,
)
from routing.api.errors import ApiError
from routing.api.instructions import ANSWERS, TELEPHONY, parameters
from routing.core.vocabulary import ReservationStatus
from routing.db.compiled import CompiledQuery
from routing.fields.tasks import RESERVATION

_STATUSES = inputs.one_of("ReservationStatus", ReservationStatus, many=True).says(
    "Only those in one of these statuses, repeated or separated by commas.", ["pending"]
)


_View = Literal["Tasks", "Workers"]
_SIDES: Final[Mapping[_View, CompiledQuery[Any]]] = {
    "Tasks": lookups.by(models.Task),
    "Workers": lookups.by(models.Worker),
}


def _seen_from(side: str) -> CompiledQuery[models.Reservation]:
    return CompiledQuery(
        lambda workspace, side_sid, sid: models.Reservation.objects.filter(
            workspace_id=workspace, sid=sid, **{f"{side}__sid": side_sid}
        ).select_related("task", "worker")
    )


_RESERVATIONS: Final[Mapping[_View, CompiledQuery[models.Reservation]]] = {
    "Tasks": _seen_from("task"),
    "Workers": _seen_from("worker"),
}


class _Reservations(Resource):
    shape = RESERVATION
    view: ClassVar[_View]

    @cached_property
    def side(self) -> models.Task | models.Worker:
        """Return the task or the worker in the path."""
        row: models.Task | models.Worker = self.here(_SIDES[self.view], self.parent_sid)
        return row

    @property
    def parent_sid(self) -> str:
        """Return the sid of that task or worker."""
        return self.sid("parent_sid", "WT" if self.view == "Tasks" else "WK")

    def rows(self) -> QuerySet[models.Reservation]:
        return self.side.reservations.select_related("task", "worker")

    def represent(self, row: models.Reservation) -> dict[str, Any]:
        row.workspace = self.workspace
        shown = RESERVATION.represent(row, base=self.base)
        if self.view == "Workers":
            worker = f"{shown['links']['workspace']}/Workers/{row.worker_sid}"
            shown["url"] = f"{worker}/Reservations/{row.sid}"
        return shown


class _ReservationList(_Reservations, ListResource[models.Reservation]):
    http_method_names = READ_ONLY
    key = "reservations"
    filters: ClassVar[tuple[inputs.Param, ...]] = (_STATUSES,)

    def narrow(
        self, rows: QuerySet[models.Reservation], given: Given
    ) -> QuerySet[models.Reservation]:
        if "reservation_status" in given:
            rows = rows.filter(reservation_status__in=given["reservation_status"])
        if "worker_sid" in given:
            sid = given["worker_sid"]
            rows = rows.filter(Q(worker__sid=sid) | Q(former_worker_sid=sid))
        return rows


class TaskReservationList(_ReservationList):
    """The reservations of a task."""

    view = "Tasks"
    about = {"get": "List a task's reservations"}
    filters = (_STATUSES, inputs.sid("WorkerSid", "WK").says("Only those of this worker."))


class WorkerReservationList(_ReservationList):
    """The reservations of a worker."""

    view = "Workers"
    about = {"get": "List a worker's reservations"}


class _ReservationInstance(_Reservations, InstanceResource[models.Reservation]):
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

    def find(self) -> models.Reservation:
        row = self.here(_RESERVATIONS[self.view], self.parent_sid, self.sid("sid", "WR"))
        row.task.workspace = self.workspace
        if row.worker is not None:
            row.worker.workspace = self.workspace
        return row

    def update(self, row: models.Reservation, given: dict[str, Any]) -> models.Reservation:
        version = self.if_version(row)
        instruction: str | None = given.get("instruction")
        status: ReservationStatus | None = given.get("reservation_status")
        if instruction is not None and instruction in TELEPHONY:
            raise self._no_telephone(row, instruction)
        if instruction is not None:
            answer = ANSWERS[instruction]
            if status not in (None, answer):
                raise ApiError(
                    f"Instruction is {instruction!r} and ReservationStatus is {str(status)!r};"
                    " send one of them, or two that agree"
                )
            status = answer
        return row if status is None else self._move(row, status, given, version)

    def _move(
        self,
        row: models.Reservation,
        status: ReservationStatus,
        given: Given,
        version: int | None,
    ) -> models.Reservation:
        act: dict[str, Any] = {"actor": self.actor, "now": self.now, "if_version": version}
        match status:
            case ReservationStatus.ACCEPTED:
                return reservations.accept_reservation(reservation=row, **act)
            case ReservationStatus.REJECTED:
                activity = given.get("worker_activity")
                return reservations.reject_reservation(reservation=row, activity=activity, **act)
            case ReservationStatus.WRAPPING:
                return reservations.wrap_up_reservation(reservation=row, **act)
            case ReservationStatus.COMPLETED:
                return reservations.complete_reservation(reservation=row, **act)
        raise ApiError(
            f"ReservationStatus is {str(status)!r}, which only the router sets; a request may set"
            " accepted, rejected, wrapping or completed"
        )

    def _no_telephone(self, row: models.Reservation, instruction: str) -> ApiError:
        inputs.read(TELEPHONY[instruction], self.form, workspace=self.workspace)
        if row.reservation_status != ReservationStatus.PENDING:
            return ApiError(
                f"The {instruction} instruction cannot be carried out because reservation"
                f" {row.sid} is not in a Pending state"
            )
        return ApiError(
            f"The {instruction} instruction needs a telephone network, and this server has none;"
            " accept and reject work",
            status=501,
            code=20501,
        )


def _params(*instructions: str) -> tuple[inputs.Param, ...]:
    return (
        inputs.one_of("ReservationStatus", ReservationStatus).says(
            "`accepted` or `rejected` for an open offer; `wrapping` or `completed` for an accepted"
            " one. The other statuses are the router's.",
            "accepted",
        ),
        inputs.reference(
            "WorkerActivitySid", models.Activity, "WA", argument="worker_activity"
        ).says("With `rejected`: the activity that the worker goes into."),
        inputs.one_of("Instruction", instructions).says(
            "An instruction, instead of a ReservationStatus."
        ),
    )


_NOT_SUPERVISING = [word for word in TELEPHONY if word != "supervise"]


class TaskReservationInstance(_ReservationInstance):
    """One reservation, below its task."""

    view = "Tasks"
    params = _params(*ANSWERS, *TELEPHONY)
    extra = parameters(*TELEPHONY)


class WorkerReservationInstance(_ReservationInstance):
    """One reservation, below its worker; `supervise` is only allowed below the task."""

    view = "Workers"
    params = _params(*ANSWERS, *_NOT_SUPERVISING)
    extra = parameters(*_NOT_SUPERVISING)
