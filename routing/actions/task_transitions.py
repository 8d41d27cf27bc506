"""Cancel, wrap up and complete tasks, and apply the router's decisions about one task."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Unpack

from routing import models
from routing.actions import reservations, task_deadlines, transitions
from routing.actions.support import locking, task_events, transfer_progress
from routing.actions.support.errors import NotNow, StaleState
from routing.actions.tasks import TaskChanges, check_version, store, take
from routing.actors import SYSTEM, Actor
from routing.core import lifecycle
from routing.core.decisions import CancelTask, KeepWaiting
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus
from routing.events import recorder


@locking.retry_on_conflict
def cancel_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Cancel a task that no worker has accepted; its offers are withdrawn.

    Arguments:
        changes: further changes in the same transaction; see `update_task`. New attributes are
            stored, but no longer route the task.
    """
    story = _story(task, if_version)
    _check(story, AssignmentStatus.CANCELED)
    also = _change(story, changes, now)
    transitions.end_task(story, AssignmentStatus.CANCELED, reason=reason, actor=actor, now=now)
    _tell_of_changes(story.task, also, actor, now)
    return story.task


@locking.retry_on_conflict
def wrap_up_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    held_by: models.Worker | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Wrap up a task: the conversation is over, the work is not, and the slot stays in use.

    Arguments:
        held_by, changes: the worker who must hold the task, and further changes; see
            `update_task`.
    """
    story = _story(task, if_version)
    story.insist_held_by(held_by)
    _check(story, AssignmentStatus.WRAPPING)
    also = _change(story, changes, now)
    if not _leave(story, actor, now):
        transitions.begin_wrap_up(story, reason=reason, actor=actor, now=now)
    _tell_of_changes(story.task, also, actor, now)
    return story.task


@locking.retry_on_conflict
def complete_task(
    *,
    task: models.Task,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    held_by: models.Worker | None = None,
    **changes: Unpack[TaskChanges],
) -> models.Task:
    """Complete an assigned or wrapping task, which frees its slot.

    Arguments:
        held_by, changes: the worker who must hold the task, and further changes; see
            `update_task`.
    """
    story = _story(task, if_version)
    story.insist_held_by(held_by)
    _check(story, AssignmentStatus.COMPLETED)
    also = _change(story, changes, now)
    if _leave(story, actor, now):
        _tell_of_changes(story.task, also, actor, now)
        return story.task
    # Finishing records `task.updated` anyway.
    transitions.end_task(story, AssignmentStatus.COMPLETED, reason=reason, actor=actor, now=now)
    return story.task


def keep_waiting(decision: KeepWaiting, *, now: datetime) -> None:
    """Record that a task's skip_if was false, so that it is not evaluated again in this step."""
    changed = models.Task.objects.filter(
        sid=decision.task_sid,
        version=decision.version,
        assignment_status=AssignmentStatus.PENDING.value,
    ).update(skip_unasked=False)
    if not changed:
        raise StaleState(f"task {decision.task_sid} has changed since the snapshot")


@locking.retry_on_conflict
def cancel_overdue_task(decision: CancelTask, *, now: datetime) -> None:
    """Cancel a task whose lifetime or workflow has ended."""
    task = models.Task.objects.filter(sid=decision.task_sid).only("pk").first()
    if task is None:
        raise StaleState("the task no longer exists; it was deleted")
    story = _story(task, decision.version)
    if transfer_progress.find_current_transfer(story.reservations) is not None:
        raise StaleState(f"task {decision.task_sid} is being transferred")
    for event_type in task_deadlines.EVENTS_BEFORE_END.get(decision.why, ()):
        task_events.record_task_event(event_type, story.task, actor=SYSTEM, now=now)
    try:
        transitions.end_task(
            story, AssignmentStatus.CANCELED, reason=decision.why, actor=SYSTEM, now=now
        )
    except lifecycle.InvalidTransition:
        raise StaleState(f"task {decision.task_sid} is no longer waiting") from None
    for draft in task_deadlines.draft_failures(story.task):
        recorder.record_all([draft], workspace=story.task.workspace, actor=SYSTEM, now=now)


def _story(task: models.Task, if_version: int | None) -> locking.TaskWithReservations:
    story = locking.lock_task_and_workers(task.pk)
    check_version(story.task, if_version)
    return story


_WORDS: Final = {
    AssignmentStatus.CANCELED: ("cancel", "not pending or reserved"),
    AssignmentStatus.WRAPPING: ("wrap up", "not currently assigned"),
    AssignmentStatus.COMPLETED: ("complete", "not currently assigned"),
}


def _leave(story: locking.TaskWithReservations, actor: Actor, now: datetime) -> bool:
    """Complete only the giver's part if the giver asks after a warm transfer; else return False."""
    giver = transfer_progress.find_initiating_reservation(story.reservations)
    if giver is None or (actor.type, actor.sid) != ("worker", giver.worker_sid):
        return False
    return reservations.leave_after_transfer(story, giver, actor=actor, now=now)


def _check(story: locking.TaskWithReservations, status: AssignmentStatus) -> None:
    """Raise `NotNow` unless a locked task may go to a status."""
    task = story.task
    transfer_progress.refuse_during_transfer(task, story.reservations)
    try:
        lifecycle.check(AssignmentStatus(task.assignment_status), status)
    except lifecycle.InvalidTransition:
        verb, why = _WORDS[status]
        raise NotNow(
            f"Cannot {verb} task {task.sid} in workspace {task.workspace.sid} for account"
            f" {task.workspace.account.sid} since it is {why} (it is {task.assignment_status})."
        ) from None


def _change(story: locking.TaskWithReservations, changes: TaskChanges, now: datetime) -> bool:
    """Store changes beside a status; return whether there are any."""
    fields = take(story.task, changes, now=now)
    store(story.task, fields)
    return bool(fields)


def _tell_of_changes(task: models.Task, changed: bool, actor: Actor, now: datetime) -> None:
    if changed:
        task_events.record_task_event(EventType.TASK_UPDATED, task, actor=actor, now=now)
