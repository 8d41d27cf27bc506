"""Say what a token may do: every read of its workspace, and the writes of its role or policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from routing import models, token_policies
from routing.api.errors import ApiError
from routing.api.inputs import Param
from routing.api.tasks import TaskInstance
from routing.api.workers import WorkerInstance
from routing.bridge.calls import Call
from routing.tokens import Grant, Role

WORKERS_OWN: Final = frozenset({"ActivitySid", "Attributes", "RejectPendingReservations"})
"""What a worker's token may change of the worker."""
OF_TASKS: Final = frozenset({"AssignmentStatus", "Attributes", "Reason", "VirtualStartTime"})
"""What a worker's token may change of a task that the worker holds."""


def forbidden(why: str) -> ApiError:
    """Return the refusal of what a token does not allow."""
    return ApiError(f"This token does not allow it: {why}", status=403, code=20403)


def check(grant: Grant, call: Call, parts: list[str]) -> None:
    """Raise `ApiError` unless a token allows a call.

    Arguments:
        parts: the call's path, cut at its slashes; it begins with `Workspaces` and a sid.
    """
    if parts[1] != grant.workspace.sid:
        raise forbidden("it is for another workspace")
    allowed = grant.policies
    if allowed is not None and not token_policies.permits(
        allowed, call.method, call.path, call.said
    ):
        raise forbidden("none of its policies does")
    if call.method != "GET" and grant.role == Role.WORKER:
        _check_worker(grant, call, parts[2:])


def _check_worker(grant: Grant, call: Call, parts: list[str]) -> None:
    """Let a worker change themselves, their offers and what they hold, and nothing else."""
    worker = grant.worker
    if worker is None:
        raise forbidden("it is for no worker, and may only read")
    if parts[:1] == ["Workers"]:
        if parts[1:2] != [worker.sid]:
            raise forbidden("it is for another worker")
        if len(parts) == 2:
            _insist_on(call, WORKERS_OWN, of=WorkerInstance.params)
    elif parts == ["Tasks"]:
        if call.params.get("RoutingTarget") != worker.sid:
            raise forbidden("a worker makes tasks for themselves only, as RoutingTarget says")
    elif parts[:1] == ["Tasks"] and len(parts) == 2:
        _insist_held(worker, parts[1])
        _insist_on(call, OF_TASKS, of=TaskInstance.params)
        if call.said.get("AssignmentStatus", "").strip().lower() == "canceled":
            raise forbidden("AssignmentStatus=canceled takes a supervisor's")
    else:
        raise forbidden("it takes a supervisor's")


def not_held() -> ApiError:
    """Return the refusal of a worker who changes a task that they do not hold."""
    return forbidden("the worker does not hold this task")


def _insist_held(worker: models.Worker, task_sid: str) -> None:
    """Raise the refusal of a worker who does not hold a task; one on offer is not held yet."""
    own = worker.reservations.filter(task__sid=task_sid)
    if own.held().exists():
        return
    if own.pending().exists():
        raise forbidden("the task is only offered to the worker, who has to accept it first")
    raise not_held()


def _insist_on(call: Call, allowed: frozenset[str], *, of: Iterable[Param]) -> None:
    """Raise a refusal if a call gives a parameter of a resource that is not one of these."""
    for param in of:
        if param.name in call.said and param.name not in allowed:
            raise forbidden(f"{param.name} takes a supervisor's")
