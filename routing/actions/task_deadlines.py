"""Apply the router's decisions about waiting tasks whose time is up, hundreds at once.

After an outage, the deadlines of all waiting tasks may have passed at the same moment. A slice of
them is locked, written and recorded with a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction

from routing import models
from routing.actions import transitions
from routing.actions.support import task_events, workflow_position
from routing.actors import SYSTEM
from routing.core.decisions import CancelTask, EnterTarget, Reason
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus
from routing.db import bulk_insert
from routing.db.related import attach_related
from routing.events import recorder

EVENTS_BEFORE_END: Final = {
    Reason.WORKFLOW_TIMEOUT: (EventType.TASK_QUEUE_TIMEOUT, EventType.WORKFLOW_TIMEOUT),
    Reason.WORKFLOW_SKIPPED: (EventType.WORKFLOW_SKIPPED,),
}
"""Events that give the reason why a task ends, recorded before its end."""

_OF_TASKS: Final = {
    "workspace": models.Workspace,
    "task_channel": models.TaskChannel,
    "task_queue": models.TaskQueue,
    "workflow": models.Workflow,
    "lane": models.Lane,
}
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
        drafts += [
            task_events.draft_task_event(event_type, task)
            for event_type in EVENTS_BEFORE_END.get(decision.why, ())
        ]
        task.assignment_status = AssignmentStatus.CANCELED.value
        task.reason = decision.why
        task.date_finished = task.date_updated = now
        task.lane = None
        task.version += 1
        drafts.append(
            task_events.draft_task_event(EventType.TASK_CANCELED, task, {"holder_sids": ""})
        )
        drafts += draft_failures(task)
    bulk_insert.update([task for task, _ in held], transitions.END_FIELDS)
    _record(held, drafts, now)
    done = {task.sid for task, _ in held}
    return [decision for decision in decided if decision.task_sid not in done]


@transaction.atomic
def enter_targets(decided: Sequence[EnterTarget], *, now: datetime) -> int:
    """Move waiting tasks to the steps that the router decided on; return how many moved.

    A decision about a task that has changed is dropped.
    """
    held = _lock_unchanged_tasks(decided)
    drafts: list[recorder.Draft] = []
    for task, decision in held:
        previous = task.task_queue
        workflow_position.enter_step(task, decision.step, now=now)
        task.version += 1
        task.date_updated = now
        drafts += workflow_position.draft_entry_events(
            task, previous=previous, timed_out=decision.timed_out
        )
        drafts.append(workflow_position.draft_match_event(task))
    bulk_insert.update(
        [task for task, _ in held], [*workflow_position.STEP_FIELDS, "version", "date_updated"]
    )
    _record(held, drafts, now)
    return len(held)


def draft_failures(task: models.Task) -> list[recorder.Draft]:
    """Return the event for the only worker who could take a canceled task, if there is one."""
    target = task.routing_target or ""
    if not target.startswith("WK"):
        return []
    return [
        task_events.draft_task_event(EventType.RESERVATION_FAILED, task, {"holder_sids": target})
    ]


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
    attach_related([task for task, _ in held], _OF_TASKS)
    return held


def _record(
    held: Sequence[tuple[models.Task, object]], drafts: Sequence[recorder.Draft], now: datetime
) -> None:
    if held:
        recorder.record_all(drafts, workspace=held[0][0].workspace, actor=SYSTEM, now=now)
