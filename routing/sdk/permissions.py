"""Permissions of tokens: all reads of the workspace, and the writes of the role or policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from routing import models, token_policies
from routing.operations.errors import ApiError
from routing.operations.parameters import Param
from routing.operations.tasks import TaskInstanceOperation
from routing.operations.workers import WorkerInstanceOperation
from routing.sdk.envelope import Envelope
from routing.tokens import Grant, Role

WORKERS_OWN: Final = frozenset({"ActivitySid", "Attributes", "RejectPendingReservations"})
"""The fields of the worker that a worker's token may change."""
OF_TASKS: Final = frozenset(
    {
        *("AssignmentStatus", "Attributes", "Reason", "VirtualStartTime"),
        *("OutcomeCode", "OutcomeNote"),
    }
)
"""The fields of a held task that a worker's token may change."""


def forbidden(why: str) -> ApiError:
    """Return the error for a request that the token does not allow."""
    return ApiError(f"This token does not allow it: {why}", status=403, code=20403)


def check(grant: Grant, call: Envelope, parts: list[str]) -> None:
    """Raise `ApiError` unless a token allows a request.

    Arguments:
        parts: the call's path, cut at its slashes; it begins with `Workspaces` and a sid.
    """
    if parts[1] != grant.workspace.sid:
        raise forbidden("it is for another workspace")
    allowed = grant.policies
    if allowed is not None and not token_policies.is_permitted(
        allowed, call.method, call.path, call.said
    ):
        raise forbidden("none of its policies permits it")
    if call.method != "GET" and grant.role == Role.WORKER:
        _check_worker(grant, call, parts[2:])


def _check_worker(grant: Grant, call: Envelope, parts: list[str]) -> None:
    """Allow workers to change themselves, their offers and the tasks they hold, nothing else."""
    worker = grant.worker
    if worker is None:
        raise forbidden("it names no worker, and is read-only")
    if parts[:1] == ["Workers"]:
        if parts[1:2] != [worker.sid]:
            raise forbidden("it is for another worker")
        if len(parts) == 2:
            _insist_on(call, WORKERS_OWN, of=WorkerInstanceOperation.params)
    elif parts == ["Tasks"]:
        if call.params.get("RoutingTarget") != worker.sid:
            raise forbidden(
                "a worker may create tasks for themselves only; set RoutingTarget to the worker's"
                " sid"
            )
    elif parts[:1] == ["Tasks"] and len(parts) == 2:
        _insist_held(worker, parts[1])
        _insist_on(call, OF_TASKS, of=TaskInstanceOperation.params)
        if call.said.get("AssignmentStatus", "").strip().lower() == "canceled":
            raise forbidden("AssignmentStatus=canceled needs the role supervisor or admin")
    else:
        raise forbidden("it needs the role supervisor or admin")


def not_held() -> ApiError:
    """Return the error for changing a task that the worker does not hold."""
    return forbidden("the worker does not hold this task")


def _insist_held(worker: models.Worker, task_sid: str) -> None:
    """Raise an error unless the worker holds the task; an offered task is not held yet."""
    own = worker.reservations.filter(task__sid=task_sid)
    if own.held().exists():
        return
    if own.pending().exists():
        raise forbidden("the task is on offer to the worker; accept it first")
    raise not_held()


def _insist_on(call: Envelope, allowed: frozenset[str], *, of: Iterable[Param]) -> None:
    """Raise an error if a request gives a parameter of a resource outside the allowed set."""
    for param in of:
        if param.name in call.said and param.name not in allowed:
            raise forbidden(f"{param.name} needs the role supervisor or admin")
