"""Representations of the API: one function per noun, from model to JSON-ready dict.

`base` is the URL under which the caller reaches the API, without a trailing slash. For many rows,
select the relations with them; the functions here read only what they return.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from routing import models
from routing.core import clock
from routing.core.snapshot import busy_percentage
from workflows.documents import Problem

Representation = dict[str, Any]
_STATISTICS = {
    "statistics": "Statistics",
    "real_time_statistics": "RealTimeStatistics",
    "cumulative_statistics": "CumulativeStatistics",
}


def date(moment: datetime | None) -> str | None:
    """Return a moment as the API writes it: UTC, whole seconds, Z."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def workspace(row: models.Workspace, *, base: str) -> Representation:
    """Return a workspace."""
    url = workspace_url(row, base=base)
    default, timeout = row.default_activity, row.timeout_activity
    collections = {
        "activities": "Activities",
        "task_queues": "TaskQueues",
        "tasks": "Tasks",
        "workers": "Workers",
        "workflows": "Workflows",
        "task_channels": "TaskChannels",
        "events": "Events",
    }
    return {
        "sid": row.sid,
        "account_sid": row.account.sid,
        "friendly_name": row.friendly_name,
        "default_activity_sid": None if default is None else default.sid,
        "default_activity_name": None if default is None else default.friendly_name,
        "timeout_activity_sid": None if timeout is None else timeout.sid,
        "timeout_activity_name": None if timeout is None else timeout.friendly_name,
        "event_callback_url": row.event_callback_url,
        "events_filter": row.events_filter,
        "multi_task_enabled": row.multi_task_enabled,
        "prioritize_queue_order": row.prioritize_queue_order,
        "desk_grace": row.desk_grace,
        "time_zone": row.time_zone,
        **_dates(row),
        "url": url,
        "links": {name: f"{url}/{tail}" for name, tail in (collections | _STATISTICS).items()},
    }


def activity(row: models.Activity, *, base: str) -> Representation:
    """Return an activity."""
    url = workspace_url(row.workspace, base=base)
    return {
        **_own(row),
        "friendly_name": row.friendly_name,
        "available": row.available,
        **_dates(row),
        "url": f"{url}/Activities/{row.sid}",
        "links": {"workspace": url},
    }


def task_channel(row: models.TaskChannel, *, base: str) -> Representation:
    """Return a task channel."""
    url = workspace_url(row.workspace, base=base)
    return {
        **_own(row),
        "friendly_name": row.friendly_name,
        "unique_name": row.unique_name,
        "channel_optimized_routing": row.channel_optimized_routing,
        **_dates(row),
        "url": f"{url}/TaskChannels/{row.sid}",
        "links": {"workspace": url},
    }


def task_queue(row: models.TaskQueue, *, base: str) -> Representation:
    """Return a task queue, with its grab policy."""
    parent = workspace_url(row.workspace, base=base)
    url = f"{parent}/TaskQueues/{row.sid}"
    reservation, assignment = row.reservation_activity, row.assignment_activity
    return {
        **_own(row),
        "friendly_name": row.friendly_name,
        "target_workers": row.target_workers,
        "max_reserved_workers": row.max_reserved_workers,
        "task_order": row.task_order,
        "reservation_activity_sid": None if reservation is None else reservation.sid,
        "reservation_activity_name": None if reservation is None else reservation.friendly_name,
        "assignment_activity_sid": None if assignment is None else assignment.sid,
        "assignment_activity_name": None if assignment is None else assignment.friendly_name,
        "grab_policy": row.grab_policy,
        "grab_limit": row.grab_limit,
        "grab_after": row.grab_after,
        **_dates(row),
        "url": url,
        "links": {
            "workspace": parent,
            "reservation_activity": _link(parent, "Activities", reservation),
            "assignment_activity": _link(parent, "Activities", assignment),
            "list_statistics": f"{parent}/TaskQueues/Statistics",
            "bulk_real_time_statistics": f"{parent}/TaskQueues/RealTimeStatistics",
            **_statistics(url),
        },
    }


def worker(row: models.Worker, *, base: str) -> Representation:
    """Return a worker."""
    parent = workspace_url(row.workspace, base=base)
    url = f"{parent}/Workers/{row.sid}"
    return {
        **_own(row),
        "friendly_name": row.friendly_name,
        "activity_sid": row.activity.sid,
        "activity_name": row.activity.friendly_name,
        "available": row.activity.available,
        "attributes": row.attributes,
        "date_status_changed": date(row.date_status_changed),
        **_dates(row),
        "url": url,
        "links": {
            "channels": f"{url}/Channels",
            "activity": f"{parent}/Activities/{row.activity.sid}",
            "workspace": parent,
            "worker_statistics": f"{url}/Statistics",
            "worker_channels": f"{url}/Channels",
            "reservations": f"{url}/Reservations",
            # These three are about all workers, as in TaskRouter's API.
            **_statistics(f"{parent}/Workers"),
        },
    }


def worker_channel(row: models.WorkerChannel, *, base: str) -> Representation:
    """Return a worker's capacity on one channel, and how much of it is in use."""
    workspace = row.worker.workspace
    return {
        "sid": row.sid,
        "account_sid": workspace.account.sid,
        "workspace_sid": workspace.sid,
        "worker_sid": row.worker.sid,
        "task_channel_sid": row.task_channel.sid,
        "task_channel_unique_name": row.task_channel.unique_name,
        "configured_capacity": row.configured_capacity,
        "available": row.available,
        "assigned_tasks": row.assigned,
        "available_capacity_percentage": row.available_capacity_percentage,
        "busy_capacity_percentage": busy_percentage(row.configured_capacity, row.consumed),
        "reserved_for_manual": row.reserved_for_manual,
        **_dates(row),
        "url": f"{workspace_url(workspace, base=base)}/Workers/{row.worker.sid}/Channels/{row.sid}",
    }


def workflow(row: models.Workflow, *, base: str) -> Representation:
    """Return a workflow with the configuration that new tasks follow."""
    parent = workspace_url(row.workspace, base=base)
    url = f"{parent}/Workflows/{row.sid}"
    return {
        **_own(row),
        "friendly_name": row.friendly_name,
        "configuration": None if row.revision is None else row.revision.configuration,
        "document_content_type": "application/json",
        "assignment_callback_url": row.assignment_callback_url,
        "fallback_assignment_callback_url": row.fallback_assignment_callback_url,
        "task_reservation_timeout": row.task_reservation_timeout,
        **_dates(row),
        "url": url,
        "links": _statistics(url),
    }


def warnings(problems: Iterable[Problem]) -> list[Representation]:
    """Return the warnings of a configuration: allowed, but probably not intended."""
    return [{"path": problem.path, "message": problem.message} for problem in problems]


def task(row: models.Task, *, base: str, now: datetime) -> Representation:
    """Return a task."""
    parent = workspace_url(row.workspace, base=base)
    url = f"{parent}/Tasks/{row.sid}"
    queue, led = row.task_queue, row.workflow
    return {
        **_own(row),
        "age": max(int((now - row.date_created).total_seconds()), 0),
        "assignment_status": row.assignment_status,
        "attributes": row.attributes,
        "addons": "{}",
        "priority": row.priority,
        "reason": row.reason,
        "timeout": row.timeout,
        "task_queue_sid": None if queue is None else queue.sid,
        "task_queue_friendly_name": None if queue is None else queue.friendly_name,
        "task_queue_entered_date": date(row.task_queue_entered_date),
        "task_channel_sid": row.channel_sid,
        "task_channel_unique_name": row.channel_name,
        "workflow_sid": None if led is None else led.sid,
        "workflow_friendly_name": None if led is None else led.friendly_name,
        "virtual_start_time": date(clock.moment(row.virtual_start_us)),
        "routing_target": row.routing_target,
        "ignore_capacity": row.ignore_capacity,
        **_dates(row),
        "url": url,
        "links": {
            "task_queue": _link(parent, "TaskQueues", queue),
            "workflow": _link(parent, "Workflows", led),
            "workspace": parent,
            "reservations": f"{url}/Reservations",
        },
    }


def reservation(
    row: models.Reservation, *, base: str, view: Literal["Tasks", "Workers"] = "Tasks"
) -> Representation:
    """Return a reservation.

    Arguments:
        view: the collection in its `url`.
    """
    parent = workspace_url(row.workspace, base=base)
    task, worker = f"{parent}/Tasks/{row.task.sid}", f"{parent}/Workers/{row.worker_sid}"
    side = task if view == "Tasks" else worker
    return {
        **_own(row),
        "task_sid": row.task.sid,
        "worker_sid": row.worker_sid,
        "worker_name": row.worker_name,
        "reservation_status": row.reservation_status,
        **_dates(row),
        "url": f"{side}/Reservations/{row.sid}",
        "links": {
            "task": task,
            "worker": None if row.worker is None else worker,
            "workspace": parent,
        },
    }


def workspace_url(row: models.Workspace, *, base: str) -> str:
    """Return the URL of a workspace."""
    return f"{base}/Workspaces/{row.sid}"


_InWorkspace = (
    models.Activity
    | models.TaskChannel
    | models.TaskQueue
    | models.Worker
    | models.Workflow
    | models.Task
    | models.Reservation
)


def _own(row: _InWorkspace) -> Representation:
    return {
        "sid": row.sid,
        "account_sid": row.workspace.account.sid,
        "workspace_sid": row.workspace.sid,
    }


def _dates(row: models.Workspace | models.WorkerChannel | _InWorkspace) -> Representation:
    return {"date_created": date(row.date_created), "date_updated": date(row.date_updated)}


def _statistics(url: str) -> Representation:
    return {name: f"{url}/{tail}" for name, tail in _STATISTICS.items()}


def _link(
    parent: str, collection: str, row: models.Activity | models.TaskQueue | models.Workflow | None
) -> str | None:
    return None if row is None else f"{parent}/{collection}/{row.sid}"
