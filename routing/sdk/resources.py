"""Handle SDK requests with the resources of the REST API: same checks, other payloads.

Each handler takes one SDK request and returns the payload.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from routing import models
from routing.actions.idempotency import Answer, answer_once
from routing.actions.support.errors import NotHeld
from routing.actors import Actor
from routing.api import idempotency, inputs
from routing.api.activities import ActivityList
from routing.api.authentication import Caller
from routing.api.base import InstanceResource, ListResource, Resource
from routing.api.errors import ApiError, NotFound
from routing.api.reservations import TaskReservationInstance, WorkerReservationInstance
from routing.api.task_queues import TaskQueueInstance, TaskQueueList
from routing.api.tasks import TaskInstance, TaskList
from routing.api.worker_channels import WorkerChannelList
from routing.api.workers import WorkerInstance, WorkerList
from routing.fields.queues import TASK_QUEUE
from routing.fields.tasks import TASK
from routing.fields.workers import WORKER, WORKER_CHANNEL
from routing.fields.workspaces import ACTIVITY
from routing.sdk import lists, payloads, permissions, transfers
from routing.sdk.envelope import Envelope
from routing.sdk.payloads import Payload
from routing.tokens import Grant, Role

R = TypeVar("R", bound=Resource)

_ACTIVE: Final = inputs.boolean("Active")
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
class Asked:
    """A permitted SDK request, with its path split and its time.

    Arguments:
        own: the parts of the path after the workspace.
        listed: collects the reservations of a worker when they are listed.
    """

    grant: Grant
    call: Envelope
    own: list[str]
    request: HttpRequest
    now: datetime
    ip_address: str | None
    listed: list[models.Reservation]

    @property
    def actor(self) -> Actor:
        """Return the actor that events name."""
        worker = self.grant.worker
        sid = self.grant.key_sid if worker is None else worker.sid
        actor_type = "api-key" if worker is None else "worker"
        return Actor(type=actor_type, sid=sid, source="sdk", ip_address=self.ip_address)

    def resource(self, kind: type[R], **parts: str) -> R:
        """Return a resource of the API for this request."""
        found: Any = kind()
        grant, call = self.grant, self.call
        found.kwargs = {"workspace_sid": grant.workspace.sid, **parts}
        found.request = SimpleNamespace(
            user=Caller(grant.account, self.actor, grant.sealed),
            path=f"/v1/{call.path}",
            META={"HTTP_IF_MATCH": call.if_match},
            method=call.method,
            _request=self.request,
        )
        # Values that a resource would load by itself, and that are known here.
        found.__dict__ |= {"workspace": grant.workspace, "form": call.form, "now": self.now}
        return found  # type: ignore[no-any-return]


Handler = Callable[[Asked], Payload]


def changed(resource: InstanceResource[Any]) -> Any:
    """Make a change through a resource, and return the changed row."""
    row = resource.find()
    given = resource.given()
    if not given:
        resource.if_version(row)
        return row
    return resource.update(row, given)


def _worker(asked: Asked) -> Payload:
    resource = asked.resource(WorkerInstance, sid=asked.own[1])
    row = resource.find() if asked.call.method == "GET" else changed(resource)
    row.workspace = asked.grant.workspace
    return WORKER.sdk_payload(row)


def _workers(asked: Asked) -> Payload:
    return _list(asked, asked.resource(WorkerList), WORKER.sdk_payload)


def _activities(asked: Asked) -> Payload:
    return _list(asked, asked.resource(ActivityList), ACTIVITY.sdk_payload)


def _worker_channels(asked: Asked) -> Payload:
    resource = asked.resource(WorkerChannelList, worker_sid=asked.own[1])
    return lists.page_of(resource, asked.call.form, WORKER_CHANNEL.sdk_payload)


def _task_queues(asked: Asked) -> Payload:
    return _list(asked, asked.resource(TaskQueueList), TASK_QUEUE.sdk_payload)


def _task_queue(asked: Asked) -> Payload:
    row = asked.resource(TaskQueueInstance, sid=asked.own[1]).find()
    row.workspace = asked.grant.workspace
    return TASK_QUEUE.sdk_payload(row)


def _list(
    asked: Asked, resource: ListResource[Any], represent: Callable[[Any], Payload]
) -> Payload:
    def shown(row: Any) -> Payload:
        row.workspace = asked.grant.workspace
        return represent(row)

    return lists.page_of(resource, asked.call.form, shown)


def _once(asked: Asked, create: Callable[[], Payload]) -> Payload:
    """Run a creation; with an idempotency key, a repetition gets the first answer."""
    worker = asked.grant.worker
    creation = idempotency.creation(
        asked.request.META,
        account=asked.grant.account,
        path=asked.call.path,
        form=lambda: asked.call.form,
        scope="" if worker is None else worker.sid,
    )
    if creation is None:
        return create()

    def carry_out() -> Answer:
        return Answer(status=200, body=json.dumps(create(), ensure_ascii=False))

    payload: Payload = json.loads(answer_once(creation, carry_out, now=asked.now).body)
    return payload


def _new_task(asked: Asked) -> Payload:
    def create() -> Payload:
        resource = asked.resource(TaskList)
        return TASK.sdk_payload(resource.create(resource.given()), now=asked.now)

    return _once(asked, create)


def _task(asked: Asked) -> Payload:
    resource = asked.resource(TaskInstance, sid=asked.own[1])
    if asked.grant.role == Role.WORKER:
        resource.held_by = asked.grant.worker
    try:
        row = resource.find() if asked.call.method == "GET" else changed(resource)
    except NotHeld:
        raise permissions.not_held() from None
    row.workspace = asked.grant.workspace
    return TASK.sdk_payload(row, now=asked.now)


def _reservations(asked: Asked) -> Payload:
    worker = _the_worker(asked)
    everything = worker.reservations.select_related(*_RESERVATION_RELATED)
    given = inputs.read((_ACTIVE,), asked.call.form)
    rows = everything.open() if given.get("active") else everything

    def shown(row: models.Reservation) -> Payload:
        asked.listed.append(row)
        return _with_task(asked, row)

    return lists.page(rows, asked.call.form, shown, known=everything)


def _reservation(asked: Asked) -> Payload:
    if asked.call.method == "GET":
        rows = _the_worker(asked).reservations.select_related(*_RESERVATION_RELATED)
        for row in rows.filter(sid=asked.own[3]):
            return _with_task(asked, row)
        raise NotFound(f"/v1/{asked.call.path}")
    _refuse_telephony(asked)
    parts = {"parent_sid": asked.own[1], "sid": asked.own[3]}
    return _answered(asked, asked.resource(WorkerReservationInstance, **parts))


def _reservation_of_task(asked: Asked) -> Payload:
    _refuse_telephony(asked)
    parts = {"parent_sid": asked.own[1], "sid": asked.own[3]}
    return _answered(asked, asked.resource(TaskReservationInstance, **parts))


def _answered(asked: Asked, resource: InstanceResource[models.Reservation]) -> Payload:
    row = changed(resource)
    row.workspace = asked.grant.workspace
    return payloads.reservation(row, now=asked.now)


def _refuse_telephony(asked: Asked) -> None:
    """Refuse instructions that need telephones, before their parameters are read."""
    instruction = asked.call.params.get("Instruction")
    if instruction is not None and instruction not in ("accept", "reject"):
        raise _not_here(f"Instruction {str(instruction)[:40]!r}")


def _no_conferences(asked: Asked) -> Payload:
    raise _not_here(asked.own[2])


def _not_here(what: str) -> ApiError:
    words = f"{what} is not supported by this server: there is no telephone network here"
    return ApiError(words, status=501, code=20501)


def _begin_transfer(asked: Asked) -> Payload:
    worker = _the_worker(asked)
    return _once(
        asked, lambda: transfers.begin(worker, asked.call, actor=asked.actor, now=asked.now)
    )


def _change_transfer(asked: Asked) -> Payload:
    worker, sid = _the_worker(asked), asked.own[3]
    return transfers.change(worker, asked.call, sid, actor=asked.actor, now=asked.now)


def _the_worker(asked: Asked) -> models.Worker:
    return asked.resource(WorkerInstance, sid=asked.own[1]).find()


def _with_task(asked: Asked, row: models.Reservation) -> Payload:
    row.workspace = row.task.workspace = asked.grant.workspace
    return payloads.reservation(row, now=asked.now, with_task=True)


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
    (("Workers", "*", "WorkerParticipant"), _POST, _no_conferences),
    (("Workers", "*", "CustomerParticipant"), _POST, _no_conferences),
    (("Workers", "*", "HoldWorkerParticipant"), _POST, _no_conferences),
    (("Workers", "*", "KickWorkerParticipant"), _POST, _no_conferences),
    (("TaskQueues",), _R, _task_queues),
    (("TaskQueues", "*"), _R, _task_queue),
    (("Tasks",), _POST, _new_task),
    (("Tasks", "*"), _W, _task),
    (("Tasks", "*", "Reservations", "*"), _POST, _reservation_of_task),
)
"""Every path below a workspace that the SDK uses, with its methods."""


def carry_out(
    grant: Grant, call: Envelope, request: HttpRequest, *, ip_address: str | None
) -> tuple[Payload, Asked]:
    """Handle a request; raises `ApiError` and the errors of actions."""
    parts = call.path.split("/")
    if len(parts) < 3 or parts[0] != "Workspaces":
        raise NotFound(f"/v1/{call.path[:200]}")
    permissions.check(grant, call, parts)
    asked = Asked(
        grant=grant,
        call=call,
        own=parts[2:],
        request=request,
        now=timezone.now(),
        ip_address=ip_address,
        listed=[],
    )
    for pattern, methods, handler in TABLE:
        if len(pattern) == len(asked.own) and all(
            wanted in ("*", part) for wanted, part in zip(pattern, asked.own, strict=True)
        ):
            if call.method not in methods:
                raise ApiError(
                    f"{call.method} is not possible on /v1/{call.path}", status=405, code=20004
                )
            return handler(asked), asked
    raise NotFound(f"/v1/{call.path[:200]}")
