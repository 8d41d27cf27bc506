"""Create, change and delete tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Unpack

from routing import models, sids
from routing.actions import task_transitions
from routing.actions.support import (
    first_offers,
    inputs,
    lanes,
    locking,
    task_events,
    task_routes,
    workflow_position,
)
from routing.actions.support.errors import InvalidInput, StaleState
from routing.actions.support.task_changes import (
    TaskChanges,
    check_priority,
    check_virtual_start,
    set_task_values,
    write_task,
)
from routing.actions.support.versions import check_version
from routing.actors import SYSTEM, Actor
from routing.core.clock import SECOND, microseconds
from routing.core.decisions import Reason
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus
from routing.db.new_rows import build_row
from routing.events import recorder
from routing.fields.tasks import TASK

MAX_TIMEOUT: Final = 1_209_600
"""Longest lifetime of a task, in seconds."""


def create_task(
    *,
    workspace: models.Workspace,
    attributes: str = "{}",
    workflow: models.Workflow | None = None,
    task_channel: models.TaskChannel | None = None,
    priority: int = 0,
    timeout: int = 86_400,
    virtual_start_time: datetime | None = None,
    routing_target: str | None = None,
    ignore_capacity: bool | None = None,
    task_queue: models.TaskQueue | None = None,
    actor: Actor,
    now: datetime,
) -> models.Task:
    """Create a task and put it into the first step of its workflow.

    It is offered to a worker at once where that is surely what the router would do next.

    Arguments:
        workflow: may be left out when the workspace has exactly one, or with a routing target.
        task_channel: the channel `default` when left out.
        timeout: how many seconds it may wait before it is canceled (1 to 1209600).
        routing_target: a worker, queue or workflow sid that the task goes to directly.
        ignore_capacity: only with a worker as target; true when left out.
        task_queue: the queue under which a task for one worker is listed.

    Raises `InvalidInput`, also when no filter of the workflow matches the task.
    """
    channel = task_channel or workspace.task_channels.filter(unique_name="default").first()
    if channel is None:
        raise StaleState("the workspace no longer exists; it was deleted")
    start = now if virtual_start_time is None else virtual_start_time
    route = task_routes.choose_route(
        workspace=workspace,
        routing_target=routing_target,
        ignore_capacity=ignore_capacity,
        workflow=workflow,
        task_queue=task_queue,
    )
    values = {
        "sid": sids.new_ordered_sid("WT", now),
        "revision_id": None
        if route.bypass or route.workflow is None
        else route.workflow.revision_id,
        "attributes": inputs.check_attributes(attributes),
        "priority": check_priority(priority),
        "timeout": inputs.check_integer(timeout, field="timeout", least=1, most=MAX_TIMEOUT),
        "routing_target": routing_target,
        "ignore_capacity": route.ignore_capacity,
        "task_queue_entered_date": None if route.task_queue is None else now,
        "virtual_start_us": check_virtual_start(start, now),
        "expires_us": microseconds(now) + timeout * SECOND,
        "date_created": now,
        "date_updated": now,
    }
    related = {
        "workspace": workspace,
        "workflow": route.workflow,
        "task_channel": channel,
        "task_queue": route.task_queue,
    }
    task = build_row(models.Task, values, related)
    if route.bypass:
        task.lane = lanes.find_or_create_lane(task, now=now)
    else:
        step = workflow_position.find_first_step(task, base=microseconds(now), now=now)
        if step is None:
            raise InvalidInput(
                "no filter of the workflow matches these attributes and it has no default filter:"
                " the task would go nowhere",
                field="attributes",
            )
        workflow_position.enter_step(task, step, now=now)
    events: list[task_events.TaskEvent] = []
    if task.workflow is not None:
        events.append((EventType.WORKFLOW_ENTERED, {}))
    if task.task_queue is not None:
        events.append((EventType.TASK_QUEUE_ENTERED, {}))
    events.append((EventType.TASK_CREATED, {}))
    if not route.bypass:
        events.append(workflow_position.describe_match(task))
    drafts = task_events.draft_task_events(task, events)
    if not first_offers.create_with_offer(task, drafts, actor=actor, now=now):
        recorder.record_creation(task, drafts, workspace=workspace, actor=actor, now=now)
    return task


@locking.retry_on_conflict
def update_task(
    *,
    task: models.Task,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    held_by: models.Worker | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Change a task's attributes, priority, channel or virtual start time.

    A pending task is routed again when its attributes change, and keeps its age. A task that is on
    offer or assigned keeps its step and its worker (behaviour.md §3.4).

    Arguments:
        if_version: refuse with `StaleState` unless the task still has this version.
        held_by: refuse with `NotHeld` unless this worker holds the task.
    """
    locked = locking.lock_task_and_workers(task.pk)
    locked.check_held_by(held_by)
    task = locked.task
    check_version(task, if_version)
    status = AssignmentStatus(task.assignment_status)
    before = TASK.values(task)
    fields = set_task_values(task, changes, now=now)
    previous = task.task_queue
    if status == AssignmentStatus.PENDING:
        if not _reroute(task, has_new_attributes="attributes" in changes, now=now):
            # No filter matches any more: the change and the cancellation are one version.
            canceled = AssignmentStatus.CANCELED
            task_transitions.end_task(
                locked,
                canceled,
                reason=Reason.NO_FILTER,
                fields=fields,
                more=TASK.describe_changes(before, task),
                actor=actor,
                now=now,
            )
            return task
        fields.extend(workflow_position.STEP_FIELDS)
    write_task(task, fields=fields, expected=status, now=now)
    more = task_events.list_holders(locked) | TASK.describe_changes(before, task)
    events = [(EventType.TASK_UPDATED, more)]
    if status == AssignmentStatus.PENDING and task.filter_index is not None:
        events += workflow_position.list_entry_events(task, previous=previous, timed_out=False)
        if "attributes" in changes:
            events.append(workflow_position.describe_match(task))
    drafts = task_events.draft_task_events(task, events)
    recorder.record_all(drafts, workspace=task.workspace, actor=actor, now=now)
    return task


def _reroute(task: models.Task, *, has_new_attributes: bool, now: datetime) -> bool:
    """Set a pending task's step and lane for its present values; return False without a step."""
    if task.filter_index is None or not has_new_attributes:
        task.lane = lanes.find_or_create_lane(task, now=now)
        return True
    if task.workflow is not None:
        task.revision_id = task.workflow.revision_id
    step = workflow_position.find_first_step(task, base=microseconds(now), now=now)
    if step is None:
        return False
    workflow_position.enter_step(task, step, now=now)
    return True


@locking.retry_on_conflict
def delete_task(
    *, task: models.Task, actor: Actor, now: datetime, if_version: int | None = None
) -> None:
    """Delete a task in any state; offers end as canceled, accepted work as completed."""
    locked = locking.lock_task_and_workers(task.pk)
    check_version(locked.task, if_version)
    task_transitions.remove_task(locked, EventType.TASK_DELETED, actor=actor, now=now)


@locking.retry_on_conflict
def delete_overdue_task(*, held: models.Reservation, now: datetime) -> None:
    """Delete a task that a worker has held for longer than is allowed.

    Raises `StaleState` when the worker no longer holds it.
    """
    locked = locking.lock_task_and_workers(held.task_id)
    if locked.open_reservation(held.sid) is None:
        raise StaleState(f"reservation {held.sid} has ended already")
    task_transitions.remove_task(locked, EventType.TASK_SYSTEM_DELETED, actor=SYSTEM, now=now)
