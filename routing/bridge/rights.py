"""Say what a token may do: every read of its workspace, and the writes of its role or policies."""

from __future__ import annotations

from routing import models, token_policies
from routing.api.errors import ApiError
from routing.bridge.calls import Call
from routing.core.vocabulary import ReservationStatus
from routing.tokens import Grant, Role


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
        allowed, call.method, call.path, call.params
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
    elif parts == ["Tasks"]:
        if call.params.get("RoutingTarget") != worker.sid:
            raise forbidden("a worker makes tasks for themselves only, as RoutingTarget says")
    elif parts[:1] == ["Tasks"] and len(parts) == 2:
        if not _holds(worker, parts[1]):
            raise forbidden("the worker does not hold this task")
    else:
        raise forbidden("it takes a supervisor's")


def _holds(worker: models.Worker, task_sid: str) -> bool:
    """Tell whether a worker has a task, on offer or in hand, or was the one to complete it."""
    theirs = [
        ReservationStatus.PENDING.value,
        ReservationStatus.ACCEPTED.value,
        ReservationStatus.WRAPPING.value,
        ReservationStatus.COMPLETED.value,
    ]
    return models.Reservation.objects.filter(
        worker=worker, task__sid=task_sid, reservation_status__in=theirs
    ).exists()
