"""Move waiting tasks to another queue or workflow, and take tasks back from their workers."""

from __future__ import annotations

from datetime import datetime

from routing import models
from routing.actions.support import (
    inputs,
    locking,
    task_events,
    task_places,
    transfer_progress,
    workflow_position,
)
from routing.actions.support.errors import NotNow
from routing.actions.support.reservation_moves import move_reservation
from routing.actions.support.task_changes import check_priority, set_task_status, write_task
from routing.actions.support.versions import check_version
from routing.actors import Actor
from routing.core.clock import SECOND, microseconds
from routing.core.event_catalog import EventType
from routing.core.lifecycle import HELD_RESERVATION
from routing.core.vocabulary import AssignmentStatus, ReservationEnd, ReservationStatus
from routing.events import payloads, recorder
from routing.fields.shapes import Answer
from routing.fields.tasks import TASK

LONGEST_REASON = 200
"""Characters of the reason why a task is taken back."""
_HELD = (AssignmentStatus.ASSIGNED, AssignmentStatus.WRAPPING)


@locking.retry_on_conflict
def move_task(
    *,
    task: models.Task,
    to: models.TaskQueue | models.Workflow,
    priority: int | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Task:
    """Move a waiting task to a queue, which takes it out of its workflow, or to a workflow.

    It keeps its age. In a workflow it begins at the first step, and follows the present revision.

    Arguments:
        priority: the new priority; without it, the task keeps its own unless the target sets one.

    Raises `InvalidInput`, `NotNow` or `StaleState`.
    """
    task = _lock_waiting_task(task, if_version, "move")
    before = TASK.values(task)
    previous, workflow = task.task_queue, task.workflow_id
    if priority is not None:
        task.priority = check_priority(priority)
    if isinstance(to, models.TaskQueue):
        task_places.check_queue(task, to)
        task_places.enter_queue(task, to, now=now)
    else:
        task_places.enter_workflow(task, to, now=now)
    entered = task.workflow_id != workflow
    _write_place(task, before, previous, entered=entered, actor=actor, now=now)
    return task


@locking.retry_on_conflict
def reevaluate_task(
    *, task: models.Task, actor: Actor, now: datetime, if_version: int | None = None
) -> models.Task:
    """Route a waiting task through its workflow again, from the first step of its revision now.

    Raises `NotNow` when the task has no workflow, or no filter takes it any more.
    """
    task = _lock_waiting_task(task, if_version, "route")
    if task.workflow is None or task.filter_index is None:
        raise NotNow(
            f"Cannot route task {task.sid} again: it waits in a queue without a workflow."
            " Move it to a workflow instead."
        )
    before, previous = TASK.values(task), task.task_queue
    task_places.enter_workflow(task, task.workflow, now=now)
    _write_place(task, before, previous, entered=False, actor=actor, now=now)
    return task


def _lock_waiting_task(task: models.Task, if_version: int | None, verb: str) -> models.Task:
    locked = locking.lock_task_and_workers(task.pk)
    check_version(locked.task, if_version)
    status = locked.task.assignment_status
    if status != AssignmentStatus.PENDING:
        hint = " Withdraw its offers first." if status == AssignmentStatus.RESERVED else ""
        raise NotNow(f"Cannot {verb} task {task.sid}: it is {status}, not pending.{hint}")
    return locked.task


def _write_place(
    task: models.Task,
    before: Answer,
    previous: models.TaskQueue | None,
    *,
    entered: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Write the new place of a waiting task, and record the events of the move.

    Arguments:
        before: its values before the move.
        previous: the queue that it was in.
        entered: whether its workflow is another one than before.
    """
    write_task(task, fields=task_places.PLACE_FIELDS, expected=AssignmentStatus.PENDING, now=now)
    more = {"holder_sids": ""} | TASK.describe_changes(before, task)
    events: list[task_events.TaskEvent] = [(EventType.TASK_UPDATED, more)]
    if entered:
        events.append((EventType.WORKFLOW_ENTERED, {}))
    events += workflow_position.list_entry_events(task, previous=previous, timed_out=False)
    if task.filter_index is not None:
        events.append(workflow_position.describe_match(task))
    drafts = task_events.draft_task_events(task, events)
    recorder.record_all(drafts, workspace=task.workspace, actor=actor, now=now)


@locking.retry_on_conflict
def take_back_task(
    *,
    task: models.Task,
    to: models.TaskQueue | None = None,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Task:
    """Take a task from the worker who has it, so that it waits again and keeps its age.

    The reservation ends as completed. The time that the worker had the task counts neither
    towards its lifetime nor towards the deadline of its step: both begin again.

    Arguments:
        to: the queue in which it waits; without one, it waits where it waited before.
        reason: what the worker is told, at most `LONGEST_REASON` characters.

    Raises `InvalidInput`, `NotNow` or `StaleState`.
    """
    locked = locking.lock_task_and_workers(task.pk)
    task = locked.task
    check_version(task, if_version)
    transfer_progress.refuse_during_transfer(task, locked.reservations)
    if task.assignment_status not in _HELD:
        raise NotNow(
            f"Cannot take task {task.sid} back: no worker has it (it is {task.assignment_status})."
        )
    reason = inputs.check_text(reason or "", field="reason", limit=LONGEST_REASON) or None
    owner = next(
        each
        for each in locked.reservations
        if each.reservation_status in HELD_RESERVATION and each.outgoing_id is None
    )
    if to is None:
        task_places.reenter_place(task, now=now)
    else:
        task_places.check_queue(task, to)
        task_places.enter_queue(task, to, now=now)
    task.task_queue_entered_date = now
    task.reason = None
    task.answered_before = True
    task.expires_us = microseconds(now) + task.timeout * SECOND
    fields = (*task_places.PLACE_FIELDS, "reason", "answered_before", "expires_us")
    set_task_status(task, AssignmentStatus.PENDING, fields=fields, now=now)
    for reservation in locked.reservations:
        move_reservation(
            reservation,
            ReservationStatus.COMPLETED,
            ended_by=ReservationEnd.TAKEN_BACK,
            actor=actor,
            now=now,
        )
    taken = payloads.describe_worker(owner.current_worker) | task_events.list_holders(locked)
    # Its stay in the queue before ended when the worker accepted it, so it leaves no queue here.
    events: list[task_events.TaskEvent] = [
        (EventType.TASK_TAKEN_BACK, taken | {"reason": reason}),
        (EventType.TASK_QUEUE_ENTERED, {}),
    ]
    if task.filter_index is not None:
        events.append(workflow_position.describe_match(task))
    drafts = task_events.draft_task_events(task, events)
    recorder.record_all(drafts, workspace=task.workspace, actor=actor, now=now)
    return task
