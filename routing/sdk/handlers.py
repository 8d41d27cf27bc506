"""Handle SDK requests by the operations of the REST API: same checks, other payloads.

Each handler takes one SDK request and returns the payload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from routing import models
from routing.actions.idempotency import Answer, answer_once
from routing.actions.support.errors import NotHeld
from routing.actors import Actor
from routing.fields.queues import TASK_QUEUE
from routing.fields.tasks import TASK
from routing.fields.workers import WORKER, WORKER_CHANNEL
from routing.fields.workspaces import ACTIVITY
from routing.operations import idempotency, parameters
from routing.operations.activities import ActivityListOperation
from routing.operations.base import Arguments, InstanceOperation, ListOperation
from routing.operations.context import Context, client_address
from routing.operations.errors import ApiError, NotFound
from routing.operations.forms import Form
from routing.operations.reservations import (
    TaskReservationInstanceOperation,
    WorkerReservationInstanceOperation,
)
from routing.operations.task_queues import TaskQueueInstanceOperation, TaskQueueListOperation
from routing.operations.tasks import TaskInstanceOperation, TaskListOperation
from routing.operations.worker_channels import WorkerChannelListOperation
from routing.operations.workers import WorkerInstanceOperation, WorkerListOperation
from routing.sdk import lists, payloads, permissions, transfers
from routing.sdk.envelope import Envelope
from routing.sdk.payloads import Payload
from routing.tokens import Grant, Role

_RESERVATION_RELATED: Final = (
    "worker__activity",
    "worker_previous_activity",
    "task__task_channel",
    "task__task_queue",
    "task__workflow",
    "incoming",
    "outgoing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkRequest:
    """A permitted SDK request, with its path split.

    Arguments:
        parts: the parts of the path after the workspace.
        context: what the operations need to know of it.
        headers: the headers of the HTTP request, as in WSGI's environment.
        listed: collects the reservations of a worker when they are listed.
    """

    grant: Grant
    envelope: Envelope
    parts: list[str]
    context: Context
    headers: Mapping[str, Any]
    listed: list[models.Reservation]

    @property
    def form(self) -> Form:
        """Return the parameters as a form."""
        return self.envelope.form

    @property
    def now(self) -> datetime:
        """Return the time of the request."""
        return self.context.now


Handler = Callable[[SdkRequest], Payload]


class _ReservationListOperation(ListOperation[models.Reservation]):
    """The reservations of a worker, with all that the SDK shows of them."""

    filters = (parameters.boolean("Active"),)

    def rows(self) -> QuerySet[models.Reservation]:
        worker = WorkerInstanceOperation(self.context, sid=self.names["worker_sid"]).find()
        return worker.reservations.select_related(*_RESERVATION_RELATED)

    def filter_rows(
        self, rows: QuerySet[models.Reservation], arguments: Arguments
    ) -> QuerySet[models.Reservation]:
        assert isinstance(rows, models.Reservations)
        return rows.open() if arguments.get("active") else rows


def find_or_change(request: SdkRequest, operation: InstanceOperation[Any]) -> Any:
    """Return the row of an operation; any method but GET changes it first."""
    row = operation.find()
    if request.envelope.method != "GET":
        row = operation.change(row, request.form)
    row.workspace = request.grant.workspace
    return row


def _worker(request: SdkRequest) -> Payload:
    operation = WorkerInstanceOperation(request.context, sid=request.parts[1])
    return WORKER.sdk_payload(find_or_change(request, operation))


def _workers(request: SdkRequest) -> Payload:
    return _list(request, WorkerListOperation(request.context), WORKER.sdk_payload)


def _activities(request: SdkRequest) -> Payload:
    return _list(request, ActivityListOperation(request.context), ACTIVITY.sdk_payload)


def _worker_channels(request: SdkRequest) -> Payload:
    operation = WorkerChannelListOperation(request.context, worker_sid=request.parts[1])
    return lists.page(operation, request.form, WORKER_CHANNEL.sdk_payload)


def _task_queues(request: SdkRequest) -> Payload:
    return _list(request, TaskQueueListOperation(request.context), TASK_QUEUE.sdk_payload)


def _task_queue(request: SdkRequest) -> Payload:
    operation = TaskQueueInstanceOperation(request.context, sid=request.parts[1])
    return TASK_QUEUE.sdk_payload(find_or_change(request, operation))


def _list(
    request: SdkRequest, operation: ListOperation[Any], represent: Callable[[Any], Payload]
) -> Payload:
    def show(row: Any) -> Payload:
        row.workspace = request.grant.workspace
        return represent(row)

    return lists.page(operation, request.form, show)


def _create_once(request: SdkRequest, create: Callable[[], Payload]) -> Payload:
    """Run a creation; with an idempotency key, a repetition gets the first answer."""
    worker = request.grant.worker
    creation = idempotency.identify_creation(
        request.headers,
        account=request.grant.account,
        path=request.envelope.path,
        form=lambda: request.form,
        scope="" if worker is None else worker.sid,
    )
    if creation is None:
        return create()

    def carry_out() -> Answer:
        return Answer(status=200, body=json.dumps(create(), ensure_ascii=False))

    payload: Payload = json.loads(answer_once(creation, carry_out, now=request.now).body)
    return payload


def _new_task(request: SdkRequest) -> Payload:
    def create() -> Payload:
        operation = TaskListOperation(request.context)
        row = operation.create(operation.read_arguments(request.form))
        return TASK.sdk_payload(row, now=request.now)

    return _create_once(request, create)


def _task(request: SdkRequest) -> Payload:
    grant = request.grant
    held_by = grant.worker if grant.role == Role.WORKER else None
    operation = TaskInstanceOperation(request.context, held_by=held_by, sid=request.parts[1])
    try:
        row = find_or_change(request, operation)
    except NotHeld:
        raise permissions.not_held() from None
    return TASK.sdk_payload(row, now=request.now)


def _reservations(request: SdkRequest) -> Payload:
    def show(row: models.Reservation) -> Payload:
        request.listed.append(row)
        return _reservation_with_task(request, row)

    operation = _ReservationListOperation(request.context, worker_sid=request.parts[1])
    return lists.page(operation, request.form, show)


def _reservation(request: SdkRequest) -> Payload:
    if request.envelope.method == "GET":
        listed = _ReservationListOperation(request.context, worker_sid=request.parts[1])
        row = listed.first_row(listed.rows().filter(sid=request.parts[3]))
        return _reservation_with_task(request, row)
    _refuse_telephony(request)
    names = {"parent_sid": request.parts[1], "sid": request.parts[3]}
    operation = WorkerReservationInstanceOperation(request.context, **names)
    return payloads.reservation(find_or_change(request, operation), now=request.now)


def _reservation_of_task(request: SdkRequest) -> Payload:
    _refuse_telephony(request)
    names = {"parent_sid": request.parts[1], "sid": request.parts[3]}
    operation = TaskReservationInstanceOperation(request.context, **names)
    return payloads.reservation(find_or_change(request, operation), now=request.now)


def _refuse_telephony(request: SdkRequest) -> None:
    """Refuse instructions that need telephones, before their parameters are read."""
    instruction = request.envelope.params.get("Instruction")
    if instruction is not None and instruction not in ("accept", "reject"):
        raise _unsupported(f"Instruction {str(instruction)[:40]!r}")


def _refuse_conference(request: SdkRequest) -> Payload:
    raise _unsupported(request.parts[2])


def _unsupported(what: str) -> ApiError:
    message = f"{what} is not supported by this server: there is no telephone network here"
    return ApiError(message, status=501, code=20501)


def _begin_transfer(request: SdkRequest) -> Payload:
    worker = _load_worker(request)
    return _create_once(request, lambda: transfers.begin(worker, request.envelope, request.context))


def _change_transfer(request: SdkRequest) -> Payload:
    worker, sid = _load_worker(request), request.parts[3]
    return transfers.cancel(worker, request.envelope, sid, request.context)


def _load_worker(request: SdkRequest) -> models.Worker:
    return WorkerInstanceOperation(request.context, sid=request.parts[1]).find()


def _reservation_with_task(request: SdkRequest, row: models.Reservation) -> Payload:
    row.workspace = row.task.workspace = request.grant.workspace
    return payloads.reservation(row, now=request.now, with_task=True)


_R, _W = ("GET",), ("GET", "POST")
_POST = ("POST",)
TABLE: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], Handler], ...]] = (
    (("Activities",), _R, _activities),
    (("Workers",), _R, _workers),
    (("Workers", "*"), _W, _worker),
    (("Workers", "*", "WorkerChannels"), _R, _worker_channels),
    (("Workers", "*", "Reservations"), _R, _reservations),
    (("Workers", "*", "Reservations", "*"), _W, _reservation),
    (("Workers", "*", "Transfers"), _POST, _begin_transfer),
    (("Workers", "*", "Transfers", "*"), _POST, _change_transfer),
    (("Workers", "*", "WorkerParticipant"), _POST, _refuse_conference),
    (("Workers", "*", "CustomerParticipant"), _POST, _refuse_conference),
    (("Workers", "*", "HoldWorkerParticipant"), _POST, _refuse_conference),
    (("Workers", "*", "KickWorkerParticipant"), _POST, _refuse_conference),
    (("TaskQueues",), _R, _task_queues),
    (("TaskQueues", "*"), _R, _task_queue),
    (("Tasks",), _POST, _new_task),
    (("Tasks", "*"), _W, _task),
    (("Tasks", "*", "Reservations", "*"), _POST, _reservation_of_task),
)
"""Every path below a workspace that the SDK uses, with its methods."""


def handle_request(
    grant: Grant, envelope: Envelope, headers: Mapping[str, Any]
) -> tuple[Payload, SdkRequest]:
    """Handle a request; raises `ApiError` and the errors of actions.

    Arguments:
        headers: the headers of the HTTP request, as in WSGI's environment.
    """
    parts = envelope.path.split("/")
    if len(parts) < 3 or parts[0] != "Workspaces":
        raise NotFound(f"/v1/{envelope.path[:200]}")
    permissions.check(grant, envelope, parts)
    path = f"/v1/{envelope.path}"
    request = SdkRequest(
        grant=grant,
        envelope=envelope,
        parts=parts[2:],
        context=Context(
            account=grant.account,
            workspace=grant.workspace,
            actor=_actor(grant, headers),
            now=timezone.now(),
            path=path,
            if_match=envelope.if_match,
        ),
        headers=headers,
        listed=[],
    )
    for pattern, methods, handler in TABLE:
        if len(pattern) == len(request.parts) and all(
            wanted in ("*", part) for wanted, part in zip(pattern, request.parts, strict=True)
        ):
            if envelope.method not in methods:
                raise ApiError(
                    f"{envelope.method} is not possible on {path}", status=405, code=20004
                )
            return handler(request), request
    raise NotFound(path[:204])


def _actor(grant: Grant, headers: Mapping[str, Any]) -> Actor:
    """Return the actor that events name: the token's worker, or the key that signed it."""
    worker = grant.worker
    sid = grant.key_sid if worker is None else worker.sid
    actor_type = "api-key" if worker is None else "worker"
    return Actor(type=actor_type, sid=sid, source="sdk", ip_address=client_address(headers))
