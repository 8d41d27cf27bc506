"""Change the row of a locked task: its values, its status and its version."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypedDict

from routing import models
from routing.actions.support import inputs
from routing.actions.support.errors import InvalidInput, NotNow, StaleState
from routing.core import lifecycle
from routing.core.clock import microseconds, whole_second
from routing.core.vocabulary import AssignmentStatus
from routing.db import bulk_insert
from routing.db.pipeline import check_later

MAX_PRIORITY: Final = 2**31 - 1
_EARLIEST_YEAR: Final = 1900


class TaskChanges(TypedDict, total=False):
    """Fields of a task that a caller can change; absent ones stay."""

    attributes: str
    priority: int
    task_channel: models.TaskChannel
    virtual_start_time: datetime


def set_task_values(task: models.Task, changes: TaskChanges, *, now: datetime) -> list[str]:
    """Set new values on a locked task, and return the names of the columns to write."""
    status = AssignmentStatus(task.assignment_status)
    fields: list[str] = []
    if "attributes" in changes:
        task.attributes = inputs.check_attributes(changes["attributes"])
        fields.append("attributes")
    if status in lifecycle.FINAL_TASK and changes.keys() - {"attributes"}:
        raise NotNow(f"Cannot update task {task.sid}: it is {status}; only Attributes may change")
    if "priority" in changes:
        task.priority = check_priority(changes["priority"])
        fields.append("priority")
    if "virtual_start_time" in changes:
        task.virtual_start_us = check_virtual_start(changes["virtual_start_time"], now)
        fields.append("virtual_start_us")
    if "task_channel" in changes:
        if status != AssignmentStatus.PENDING:
            raise NotNow(f"Cannot change the channel of task {task.sid}: it is no longer pending")
        task.task_channel = changes["task_channel"]
        fields.append("task_channel")
    return fields


def check_priority(value: int) -> int:
    """Return a task's priority; raises `InvalidInput`."""
    return inputs.check_integer(value, field="priority", least=0, most=MAX_PRIORITY)


def check_virtual_start(moment: datetime, now: datetime) -> int:
    """Return a virtual start time as it is stored and shown: in whole seconds.

    Tasks with the same time are served in the order in which they were created. If fractions were
    kept, a value that a client reads and writes back would overtake others of its second.

    Raises `InvalidInput`.
    """
    if moment > now or moment.year < _EARLIEST_YEAR:
        raise InvalidInput(
            f"virtual_start_time {moment:%Y-%m-%dT%H:%M:%SZ} must lie between the year"
            f" {_EARLIEST_YEAR} and now, not in the future",
            field="virtual_start_time",
        )
    return whole_second(microseconds(moment))


def set_task_status(
    task: models.Task, status: AssignmentStatus, *, fields: Iterable[str], now: datetime
) -> None:
    """Write a task's new status and the named fields of the task object.

    Raises `InvalidTransition`, or `StaleState` when the task has changed since it was read.
    """
    current = AssignmentStatus(task.assignment_status)
    lifecycle.check_transition(current, status)
    task.assignment_status = status.value
    write_task(task, fields=["assignment_status", *fields], expected=current, now=now)


def write_task(
    task: models.Task, *, fields: Iterable[str], expected: AssignmentStatus, now: datetime
) -> None:
    """Write named fields of a task and advance its version, if its status is still as expected.

    Raises `StaleState` when the task has changed since it was read; in a `pipeline` block, at the
    end of it.
    """
    seen = task.version
    task.version = seen + 1
    task.date_updated = now
    changed = bulk_insert.update_if_later(
        task,
        {*fields, "version", "date_updated"},
        {"version": seen, "assignment_status": expected.value},
    )

    def check_changed() -> None:
        if not changed.result():
            raise StaleState(f"task {task.sid} has changed; read it again and retry")

    check_later(check_changed)
