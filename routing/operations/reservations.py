"""Operations on reservations, below their task and below their worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

from django.db.models import Q, QuerySet

from routing import models
from routing.actions import reservations
from routing.actions.support.inputs import NAME_LIMIT
from routing.core.vocabulary import ReservationStatus
from routing.db.compiled import CompiledQuery
from routing.operations import parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.operations.errors import ApiError
from routing.operations.forms import Form
from routing.operations.instructions import ANSWERS, TELEPHONY
from routing.operations.outcome_codes import OUTCOME, pop_outcome

_STATUSES = parameters.choice("ReservationStatus", ReservationStatus, many=True).describe(
    "Only those in one of these statuses, repeated or separated by commas.", ["pending"]
)


Collection = Literal["Tasks", "Workers"]
_PARENTS: Final[Mapping[Collection, CompiledQuery[Any]]] = {
    "Tasks": references.compile_lookup(models.Task),
    "Workers": references.compile_lookup(models.Worker),
}


def _compile_below(parent: str) -> CompiledQuery[models.Reservation]:
    return CompiledQuery(
        lambda workspace, parent_sid, sid: models.Reservation.objects.filter(
            workspace_id=workspace, sid=sid, **{f"{parent}__sid": parent_sid}
        ).select_related("task", "worker")
    )


_RESERVATIONS: Final[Mapping[Collection, CompiledQuery[models.Reservation]]] = {
    "Tasks": _compile_below("task"),
    "Workers": _compile_below("worker"),
}


class _ReservationsOperation(Operation):
    collection: ClassVar[Collection]
    """The collection below which the path names the reservation."""

    @cached_property
    def parent(self) -> models.Task | models.Worker:
        """Return the task or the worker in the path."""
        row: models.Task | models.Worker = self.load_row(_PARENTS[self.collection], self.parent_sid)
        return row

    @property
    def parent_sid(self) -> str:
        """Return the sid of that task or worker."""
        return self.sid("parent_sid", "WT" if self.collection == "Tasks" else "WK")

    def rows(self) -> QuerySet[models.Reservation]:
        return self.parent.reservations.select_related("task", "worker")


class _ReservationListOperation(_ReservationsOperation, ListOperation[models.Reservation]):
    filters: ClassVar[tuple[parameters.Param, ...]] = (_STATUSES,)

    def filter_rows(
        self, rows: QuerySet[models.Reservation], arguments: Arguments
    ) -> QuerySet[models.Reservation]:
        if "reservation_status" in arguments:
            rows = rows.filter(reservation_status__in=arguments["reservation_status"])
        if "worker_sid" in arguments:
            sid = arguments["worker_sid"]
            rows = rows.filter(Q(worker__sid=sid) | Q(former_worker_sid=sid))
        return rows


class TaskReservationListOperation(_ReservationListOperation):
    """The reservations of a task."""

    collection = "Tasks"
    filters = (
        _STATUSES,
        references.sid("WorkerSid", "WK").describe("Only those of this worker."),
    )


class WorkerReservationListOperation(_ReservationListOperation):
    """The reservations of a worker."""

    collection = "Workers"


class _ReservationInstanceOperation(_ReservationsOperation, InstanceOperation[models.Reservation]):
    def find(self) -> models.Reservation:
        row = self.load_row(_RESERVATIONS[self.collection], self.parent_sid, self.sid("sid", "WR"))
        row.task.workspace = self.workspace
        if row.worker is not None:
            row.worker.workspace = self.workspace
        return row

    def read_arguments(self, form: Form) -> dict[str, Any]:
        """Return the arguments. The parameters of a telephone's instruction are only checked."""
        arguments = super().read_arguments(form)
        checked = TELEPHONY.get(arguments.get("instruction", ""), ())
        parameters.read_arguments(checked, form, workspace=self.workspace)
        return arguments

    def update(self, row: models.Reservation, arguments: dict[str, Any]) -> models.Reservation:
        version = self.expected_version(row)
        instruction: str | None = arguments.get("instruction")
        status: ReservationStatus | None = arguments.get("reservation_status")
        if instruction is not None and instruction in TELEPHONY:
            raise self._telephony_error(row, instruction)
        if instruction is not None:
            answer = ANSWERS[instruction]
            if status not in (None, answer):
                raise ApiError(
                    f"Instruction is {instruction!r} and ReservationStatus is {str(status)!r};"
                    " send one of them, or two that agree"
                )
            status = answer
        if arguments.pop("extend_wrap_up", False):
            if status is not None:
                raise ApiError(
                    "ExtendWrapUp changes no status; send it without ReservationStatus and"
                    " Instruction"
                )
            return reservations.extend_wrap_up(
                reservation=row, actor=self.actor, now=self.now, if_version=version
            )
        outcome = pop_outcome(arguments, completes=status == ReservationStatus.COMPLETED)
        if outcome is not None:
            arguments["outcome"] = outcome
        return row if status is None else self._set_status(row, status, arguments, version)

    def _set_status(
        self,
        row: models.Reservation,
        status: ReservationStatus,
        arguments: Arguments,
        version: int | None,
    ) -> models.Reservation:
        common: dict[str, Any] = {"actor": self.actor, "now": self.now, "if_version": version}
        match status:
            case ReservationStatus.ACCEPTED:
                return reservations.accept_reservation(reservation=row, **common)
            case ReservationStatus.REJECTED:
                return reservations.reject_reservation(
                    reservation=row,
                    activity=arguments.get("worker_activity"),
                    reason=arguments.get("rejection_reason"),
                    **common,
                )
            case ReservationStatus.WRAPPING:
                return reservations.wrap_up_reservation(reservation=row, **common)
            case ReservationStatus.COMPLETED:
                return reservations.complete_reservation(
                    reservation=row, outcome=arguments.get("outcome"), **common
                )
        raise ApiError(
            f"ReservationStatus is {str(status)!r}, which only the router sets; a request may set"
            " accepted, rejected, wrapping or completed"
        )

    def _telephony_error(self, row: models.Reservation, instruction: str) -> ApiError:
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


def _params(*instructions: str) -> tuple[parameters.Param, ...]:
    return (
        parameters.choice("ReservationStatus", ReservationStatus).describe(
            "`accepted` or `rejected` for an open offer; `wrapping` or `completed` for an accepted"
            " one. The other statuses are the router's.",
            "accepted",
        ),
        references.reference(
            "WorkerActivitySid", models.Activity, "WA", argument="worker_activity"
        ).describe("With `rejected`: the activity that the worker goes into."),
        parameters.text("RejectionReason", limit=NAME_LIMIT).describe(
            "With `rejected`: one of the workspace's RejectionReasons.", "Wrong language"
        ),
        *OUTCOME,
        parameters.boolean("ExtendWrapUp").describe(
            "`true` gives the worker as much time again for wrapping up: once, and before the"
            " time is over.",
            True,
        ),
        parameters.choice("Instruction", instructions).describe(
            "An instruction, instead of a ReservationStatus."
        ),
    )


WORKER_TELEPHONY: Final = [word for word in TELEPHONY if word != "supervise"]
"""The telephone instructions that are allowed below a worker."""


class TaskReservationInstanceOperation(_ReservationInstanceOperation):
    """One reservation, below its task."""

    collection = "Tasks"
    params = _params(*ANSWERS, *TELEPHONY)


class WorkerReservationInstanceOperation(_ReservationInstanceOperation):
    """One reservation, below its worker; `supervise` is only allowed below the task."""

    collection = "Workers"
    params = _params(*ANSWERS, *WORKER_TELEPHONY)
