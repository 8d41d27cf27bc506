"""Record events about a task."""

from __future__ import annotations

from datetime import datetime

from routing import models
from routing.actions.support.locking import TaskWithReservations
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData


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
    """Return an event about a task, to be recorded together with others."""
    return recorder.Draft(event_type, task.sid, payloads.describe_task(task) | (more or {}), task)


def list_holders(locked: TaskWithReservations) -> EventData:
    """Return the event field with the sids of the task's workers, who are notified."""
    return {"holder_sids": ",".join(r.worker_sid for r in locked.reservations)}
