"""Apply the router's decisions about waiting tasks, those whose time is up hundreds at once.

After an outage, the deadlines of all waiting tasks may have passed at the same moment. A slice of
them is locked, written and recorded with a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction

from routing import models
from routing.actions import task_transitions
from routing.actions.support import (
    lanes,
    locking,
    task_events,
    transfer_progress,
    workflow_position,
)
from routing.actions.support.errors import StaleState
from routing.actions.support.versions import check_version
from routing.actors import SYSTEM
from routing.core import lifecycle
from routing.core.decisions import CancelTask, EnterTarget, KeepWaiting, Reason
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus
from routing.db import bulk_insert
from routing.db.pipeline import pipeline
from routing.db.related import attach_related
from routing.events import recorder

_EVENTS_BEFORE_END: Final[Mapping[str, Sequence[task_events.TaskEvent]]] = {
    Reason.WORKFLOW_TIMEOUT: [
        (EventType.TASK_QUEUE_TIMEOUT, {}),
        (EventType.WORKFLOW_TIMEOUT, {}),
    ],
    Reason.WORKFLOW_SKIPPED: [(EventType.WORKFLOW_SKIPPED, {})],
}
"""Events that give the reason why a task ends, recorded before its end."""

_TASK_RELATIONS: Final = {
    "workspace": models.Workspace,
    "task_channel": models.TaskChannel,
    "task_queue": models.TaskQueue,
    "workflow": models.Workflow,
    "lane": models.Lane,
}
_CANCELED_FIELDS: Final = (
    *("assignment_status", *task_transitions.END_FIELDS),
    *("version", "date_updated"),
)
_MOVED_FIELDS: Final = (*workflow_position.STEP_FIELDS, "version", "date_updated")
_Decision = TypeVar("_Decision", CancelTask, EnterTarget)


@transaction.atomic
def cancel_overdue_tasks(decided: Sequence[CancelTask], *, now: datetime) -> list[CancelTask]:
    """Cancel waiting tasks whose lifetime or workflow has ended.

    Returns the decisions that do not apply here, for the action on a single task: the task is on
    offer, or has changed.
    """
    held = _lock_unchanged_tasks(decided)
    drafts: list[recorder.Draft] = []
    for task, decision in held:
        if before_end := _EVENTS_BEFORE_END.get(decision.why):
            drafts += task_events.draft_task_events(task, before_end)
        task_transitions.set_end_values(task, decision.why, now)
        task.assignment_status = AssignmentStatus.CANCELED.value
        task.date_updated = now
        task.version += 1
        events: list[task_events.TaskEvent] = [(EventType.TASK_CANCELED, {"holder_sids": ""})]
        events += _list_failures(task)
        drafts += task_events.draft_task_events(task, events)
    _write(held, _CANCELED_FIELDS, drafts, now)
    done = {task.sid for task, _ in held}
    return [decision for decision in decided if decision.task_sid not in done]


@locking.retry_on_conflict
def cancel_overdue_task(decision: CancelTask, *, now: datetime) -> None:
    """Cancel a task whose lifetime or workflow has ended, also one on offer.

    Raises `StaleState` when the decision is out of date.
    """
    task = models.Task.objects.filter(sid=decision.task_sid).only("pk").first()
    if task is None:
        raise StaleState("the task no longer exists; it was deleted")
    locked = locking.lock_task_and_workers(task.pk)
    check_version(locked.task, decision.version)
    if transfer_progress.find_current_transfer(locked.reservations) is not None:
        raise StaleState(f"task {decision.task_sid} is being transferred")
    for event_type, _ in _EVENTS_BEFORE_END.get(decision.why, ()):
        task_events.record_task_event(event_type, locked.task, actor=SYSTEM, now=now)
    canceled = AssignmentStatus.CANCELED
    try:
        task_transitions.end_task(locked, canceled, reason=decision.why, actor=SYSTEM, now=now)
    except lifecycle.InvalidTransition:
        raise StaleState(f"task {decision.task_sid} is no longer waiting") from None
    if failures := task_events.draft_task_events(locked.task, _list_failures(locked.task)):
        recorder.record_all(failures, workspace=locked.task.workspace, actor=SYSTEM, now=now)


@transaction.atomic
def enter_targets(decided: Sequence[EnterTarget], *, now: datetime) -> int:
    """Move waiting tasks to the steps that the router decided on; return how many moved.

    A decision about a task that has changed is dropped.
    """
    held = _lock_unchanged_tasks(decided)
    drafts: list[recorder.Draft] = []
    known_lanes = lanes.LaneCache()
    for task, decision in held:
        previous = task.task_queue
        workflow_position.enter_step(task, decision.step, now=now, known_lanes=known_lanes)
        task.version += 1
        task.date_updated = now
        events = [
            *workflow_position.list_entry_events(
                task, previous=previous, timed_out=decision.timed_out
            ),
            workflow_position.describe_match(task),
        ]
        drafts += task_events.draft_task_events(task, events)
    _write(held, _MOVED_FIELDS, drafts, now)
    return len(held)


def keep_waiting(decision: KeepWaiting, *, now: datetime) -> None:
    """Record that a task's skip_if was false, so that it is not evaluated again in this step.

    Raises `StaleState` when the task has changed since the snapshot.
    """
    changed = models.Task.objects.filter(
        sid=decision.task_sid,
        version=decision.version,
        assignment_status=AssignmentStatus.PENDING.value,
    ).update(skip_unasked=False)
    if not changed:
        raise StaleState(f"task {decision.task_sid} has changed since the snapshot")


def _list_failures(task: models.Task) -> list[task_events.TaskEvent]:
    """Return the event for the only worker who could take a canceled task, if there is one."""
    target = task.routing_target or ""
    if not target.startswith("WK"):
        return []
    return [(EventType.RESERVATION_FAILED, {"holder_sids": target})]


def _lock_unchanged_tasks(decided: Sequence[_Decision]) -> list[tuple[models.Task, _Decision]]:
    """Lock the tasks that still wait as in the snapshot; return each with its decision.

    A task that waits has no open reservation, so no worker need be locked before it.
    """
    by_sid = {decision.task_sid: decision for decision in decided}
    rows = models.Task.objects.filter(sid__in=list(by_sid)).order_by("pk")
    held = [
        (task, by_sid[task.sid])
        for task in rows.select_for_update(no_key=True, of=("self",))
        if task.assignment_status == AssignmentStatus.PENDING
        and task.version == by_sid[task.sid].version
    ]
    attach_related([task for task, _ in held], _TASK_RELATIONS)
    return held


def _write(
    held: Sequence[tuple[models.Task, object]],
    fields: Sequence[str],
    drafts: Sequence[recorder.Draft],
    now: datetime,
) -> None:
    """Write these fields of locked tasks, and the events of the change."""
    if not held:
        return
    # The database updates the tasks while the rows of the events are built.
    with pipeline():
        bulk_insert.update([task for task, _ in held], fields)
        recorder.record_all(drafts, workspace=held[0][0].workspace, actor=SYSTEM, now=now)
