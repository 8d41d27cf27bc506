"""The first tasks that wait in a queue."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from routing import models, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.rates import Target, WaitClock
from routing.db.compiled import CompiledQuery
from supervisors.panel import Context, Scene
from supervisors.picture import Queue

MOST_TASKS: Final = 50

STALE_ON: Final = frozenset(
    {
        *(E.TASK_CREATED, E.TASK_UPDATED, E.TASK_CANCELED, E.TASK_DELETED, E.TASK_QUEUE_ENTERED),
        *(E.TASK_QUEUE_MOVED, E.RESERVATION_CREATED, E.RESERVATION_ACCEPTED),
        *(E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT, E.RESERVATION_CANCELED),
        *(E.RESERVATION_RESCINDED, E.WORKSPACE_UPDATED, E.TASK_CHANNEL_UPDATED),
    }
)
"""Events by which a task begins or ends to wait, or looks different."""


def load_waiting(scene: Scene) -> Context:
    """Return the oldest tasks that wait in a queue."""
    queue = scene.find_queue()
    picture, layout = scene.picture, task_layouts.load_layout(scene.workspace)
    tasks = []
    for row in _load_rows(queue, scene):
        created, _, sid, attributes, priority, channel, entered, version = row
        known = subjects.parse_attributes(attributes)
        title, _ = subjects.first_text(known, layout.titles)
        person, _ = subjects.first_text(known, layout.subtitles)
        of_channel = picture.setup.channels.get(channel)
        tasks.append(
            {
                "sid": sid,
                "link": scene.task_link(sid),
                "title": title or sid,
                "person": person,
                "priority": priority,
                "version": version,
                "channel": of_channel.name if of_channel else "",
                "since_us": microseconds(created),
                **describe_limits(picture.setup.target_of((queue.id, channel))),
                "entered_us": microseconds(entered or created),
            }
        )
    total = picture.tasks_of(queue.id, scene.channel_ids).waiting
    return {"tasks": tasks, "total": max(total, len(tasks)), "most": MOST_TASKS}


def describe_limits(target: Target) -> dict[str, int | None]:
    """Return the seconds after which a task is overdue, since its creation or in its queue."""
    by_queue = target.clock is WaitClock.QUEUE
    return {
        "since_creation": None if by_queue else target.threshold,
        "in_queue": target.threshold if by_queue else None,
    }


def list_oldest(queue: Queue, scene: Scene) -> list[str]:
    """Return the sids of the oldest tasks that wait in a queue."""
    return [row[2] for row in _load_rows(queue, scene)]


def _load_rows(queue: Queue, scene: Scene) -> list[tuple[Any, ...]]:
    if not scene.channel_ids:
        return _WAITING(queue.id)
    found = [row for channel in scene.channel_ids for row in _WAITING_ON(queue.id, channel)]
    return sorted(found)[:MOST_TASKS]


def _oldest(rows: QuerySet[models.Task]) -> QuerySet[models.Task, tuple[Any, ...]]:
    return rows.order_by("date_created", "pk").values_list(*_COLUMNS)[:MOST_TASKS]


_PENDING: Final = models.Task.objects.pending()
_COLUMNS: Final = (
    *("date_created", "pk", "sid", "attributes", "priority"),
    *("task_channel_id", "task_queue_entered_date", "version"),
)
_WAITING: Final = CompiledQuery(lambda queue: _oldest(_PENDING.filter(task_queue_id=queue)))
_WAITING_ON: Final = CompiledQuery(
    lambda queue, channel: _oldest(_PENDING.filter(task_queue_id=queue, task_channel_id=channel))
)
