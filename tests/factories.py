"""Factories of rows, one call per noun, through actions, so that each history is legal.

Every function takes keyword overrides, and makes the related rows that are not given. `NOW` is the
moment at which everything happens unless a test says otherwise.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from routing import models
from routing.actions import (
    accounts,
    activities,
    outcome_codes,
    reservations,
    task_channels,
    task_queues,
    tasks,
    transfers,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.core.vocabulary import AssignmentStatus, TransferMode
from routing.db.compiled import CompiledQuery
from routing.router import rounds

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday noon."""

_numbers = itertools.count(1)
# Compiled once, as most tests need them several times.
_activities_named = CompiledQuery(
    lambda workspace, name: models.Activity.objects.filter(workspace=workspace, friendly_name=name)
)
_channels_named = CompiledQuery(
    lambda workspace, name: models.TaskChannel.objects.filter(workspace=workspace, unique_name=name)
)
_worker_channels_named = CompiledQuery(
    lambda worker, name: models.WorkerChannel.objects.filter(
        worker=worker, task_channel__unique_name=name
    ).select_related("task_channel")
)


def later(seconds: float) -> datetime:
    """Return the moment so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def account(**given: Any) -> models.Account:
    """Make an account."""
    values: dict[str, Any] = {"friendly_name": f"Account {next(_numbers)}", "now": NOW} | given
    return accounts.create_account(**values)[0]


def workspace(**given: Any) -> models.Workspace:
    """Make a workspace with the activities and channels that every new one has."""
    values: dict[str, Any] = {
        "friendly_name": f"Workspace {next(_numbers)}",
        "actor": SYSTEM,
        "now": NOW,
    } | given
    values.setdefault("account", None)
    values["account"] = values["account"] or account()
    return workspaces.create_workspace(**values)


def activity(workspace: models.Workspace, name: str = "Available") -> models.Activity:
    """Return the workspace's activity of this name, made if it is not there (as available)."""
    for found in _activities_named(workspace.pk, name):
        found.workspace = workspace
        return found
    return activities.create_activity(
        workspace=workspace, friendly_name=name, available=True, actor=SYSTEM, now=NOW
    )


def channel(workspace: models.Workspace, name: str = "chat") -> models.TaskChannel:
    """Return the workspace's task channel of this unique name, made if it is not there."""
    for found in _channels_named(workspace.pk, name):
        found.workspace = workspace
        return found
    return task_channels.create_task_channel(
        workspace=workspace,
        friendly_name=name.capitalize(),
        unique_name=name,
        actor=SYSTEM,
        now=NOW,
    )


def queue(workspace: models.Workspace, **given: Any) -> models.TaskQueue:
    """Make a queue that everyone serves."""
    values: dict[str, Any] = {
        "friendly_name": f"Queue {next(_numbers)}",
        "actor": SYSTEM,
        "now": NOW,
    } | given
    return task_queues.create_task_queue(workspace=workspace, **values)


def outcome_code(workspace: models.Workspace, **given: Any) -> models.OutcomeCode:
    """Make an outcome code."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "unique_name": f"outcome{number}",
        "friendly_name": f"Outcome {number}",
        "actor": SYSTEM,
        "now": NOW,
    } | given
    return outcome_codes.create_outcome_code(workspace=workspace, **values)


def configuration(
    *filters: dict[str, Any], default: models.TaskQueue | dict[str, Any] | None = None
) -> str:
    """Write a workflow configuration; see `filter_` and `target`."""
    routing: dict[str, Any] = {"filters": list(filters)}
    if default is not None:
        routing["default_filter"] = default if isinstance(default, dict) else target(default)
    return json.dumps({"task_routing": routing})


def filter_(expression: str, *targets: dict[str, Any], name: str = "filter") -> dict[str, Any]:
    """Write one filter of a configuration."""
    return {"filter_friendly_name": name, "expression": expression, "targets": list(targets)}


def target(queue: models.TaskQueue | None = None, **keys: Any) -> dict[str, Any]:
    """Write one target of a filter: `expression`, `priority`, `timeout`, `skip_if`, …"""
    return ({} if queue is None else {"queue": queue.sid}) | keys


def workflow(
    workspace: models.Workspace,
    *filters: dict[str, Any],
    default: models.TaskQueue | dict[str, Any] | None = None,
    **given: Any,
) -> models.Workflow:
    """Make a workflow; without filters and default it puts every task into a new queue."""
    if not filters and default is None and "configuration" not in given:
        default = queue(workspace)
    values: dict[str, Any] = {
        "friendly_name": f"Workflow {next(_numbers)}",
        "configuration": configuration(*filters, default=default),
        "actor": SYSTEM,
        "now": NOW,
    } | given
    return workflows.create_workflow(workspace=workspace, **values)


def worker(
    workspace: models.Workspace,
    name: str | None = None,
    *,
    available: bool = True,
    capacity: dict[str, int] | None = None,
    **given: Any,
) -> models.Worker:
    """Make an available worker, with a capacity per channel (1 by default).

    Arguments:
        given: `attributes` may be a dict; anything else goes to `create_worker`.
    """
    values: dict[str, Any] = {
        "friendly_name": name or f"Worker {next(_numbers)}",
        "activity": activity(workspace, "Available" if available else "Offline"),
        "actor": SYSTEM,
        "now": NOW,
    } | given
    if isinstance(values.get("attributes"), dict):
        values["attributes"] = json.dumps(values["attributes"])
    made = workers.create_worker(workspace=workspace, **values)
    for unique_name, configured in (capacity or {}).items():
        set_capacity(made, unique_name, configured_capacity=configured)
    return made


def worker_channel(worker: models.Worker, name: str = "chat") -> models.WorkerChannel:
    """Return a worker's channel as it is in the database now."""
    (found,) = _worker_channels_named(worker.pk, name)
    found.worker = worker
    return found


def set_capacity(worker: models.Worker, name: str = "chat", **changes: Any) -> None:
    """Change a worker channel: `configured_capacity`, `available`, `reserved_for_manual`."""
    channel(worker.workspace, name)
    worker_channels.update_worker_channel(
        channel=worker_channel(worker, name), actor=SYSTEM, now=NOW, **changes
    )


def task(workspace: models.Workspace, **given: Any) -> models.Task:
    """Make a task on the channel chat; `attributes` may be a dict, `channel` a unique name."""
    values: dict[str, Any] = {"actor": SYSTEM, "now": NOW} | given
    if isinstance(values.get("attributes"), dict):
        values["attributes"] = json.dumps(values["attributes"])
    values["task_channel"] = channel(workspace, values.pop("channel", "chat"))
    if not workspace.workflows.exists() and "routing_target" not in values:
        workflow(workspace)
    return tasks.create_task(workspace=workspace, **values)


def run(workspace: models.Workspace, now: datetime = NOW) -> int:
    """Run the router once, as a wake would."""
    workspace.refresh_from_db()
    return rounds.run_cycle(workspace=workspace, now=now)


def reservation(task: models.Task) -> models.Reservation:
    """Return the newest reservation of a task."""
    return task.reservations.order_by("-pk").select_related("worker")[0]


def offered(workspace: models.Workspace, **given: Any) -> models.Reservation:
    """Make a task, run the router, and return the offer."""
    made = task(workspace, **given)
    run(workspace, given.get("now", NOW))
    return reservation(made)


def accepted(workspace: models.Workspace, **given: Any) -> models.Reservation:
    """Make a task, run the router, and accept the offer."""
    return reservations.accept_reservation(
        reservation=offered(workspace, **given), actor=SYSTEM, now=given.get("now", NOW)
    )


def transferred(
    held: models.Reservation, to: models.Worker | models.TaskQueue, *, cold: bool = True
) -> models.Reservation:
    """Transfer a task, and return the next worker's accepted reservation."""
    now = timezone.now()
    mode = TransferMode.COLD if cold else TransferMode.WARM
    transfers.begin_transfer(reservation=held, to=to.sid, mode=mode, actor=SYSTEM, now=now)
    if isinstance(to, models.TaskQueue):
        run(held.task.workspace, now)
    offer = held.task.reservations.pending().get()
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=now)


def status(row: models.Task | models.Reservation) -> AssignmentStatus | str:
    """Return a row's status as it is in the database now."""
    row.refresh_from_db()
    return row.assignment_status if isinstance(row, models.Task) else row.reservation_status


def event_types(after: int = 0) -> list[str]:
    """Return the types of all events after this row id, in order."""
    return list(
        models.Event.objects.filter(pk__gt=after)
        .order_by("pk")
        .values_list("event_type", flat=True)
    )


def last_event() -> int:
    """Return the row id of the newest event, for `event_types` later."""
    return models.Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
