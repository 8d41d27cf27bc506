"""Record events about a task."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from routing import models
from routing.actions.support.locking import TaskWithReservations
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData

TaskEvent = tuple[EventType, EventData]
"""The type of an event about a task, and its fields beside the task's."""


def record_task_event(
    event_type: EventType,
    task: models.Task,
    *,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    """Record an event about a task."""
    recorder.record_all(
        [draft_task_event(event_type, task, more)], workspace=task.workspace, actor=actor, now=now
    )


def draft_task_event(
    event_type: EventType, task: models.Task, more: EventData | None = None
) -> recorder.Draft:
    """Return one event about a task, see `draft_task_events`."""
    (draft,) = draft_task_events(task, [(event_type, more or {})])
    return draft


def draft_task_events(task: models.Task, events: Iterable[TaskEvent]) -> list[recorder.Draft]:
    """Return events about a task as it is now, to be recorded together with others."""
    data = payloads.describe_task(task)
    return [recorder.Draft(each, task.sid, data | more, task) for each, more in events]


def list_holders(locked: TaskWithReservations) -> EventData:
    """Return the event field with the sids of the task's workers, who are notified."""
    return {"holder_sids": ",".join(r.worker_sid for r in locked.reservations)}
