"""What became of tasks: one row a task, from its events.

for page in task_reports.iterate_tasks(scope):        # the last created first
    for task in page: task.sid, task.waited_ms, task.agents, task.end
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from routing import sids
from routing.core.clock import moment
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import AssignmentStatus, ReservationEnd, ReservationOrigin
from routing.models import Event, Task
from routing.statistics import efforts
from routing.statistics.booking import MINUTE_US
from routing.statistics.grouping import Scope

CHUNK: Final = 500
"""Tasks that are read at once."""
_TYPES: Final = (
    *(E.RESERVATION_ACCEPTED, E.RESERVATION_COMPLETED, E.RESERVATION_CREATED),
    *(E.RESERVATION_TIMEOUT, E.RESERVATION_REJECTED, E.TASK_CANCELED, E.TASK_COMPLETED),
)


@dataclass(slots=True, kw_only=True)
class TaskStory:
    """What became of a task.

    Arguments:
        waited_ms, waited_in_queue_ms: until its first answer, or until it was canceled; since its
            creation, and since it entered its last queue before that.
        origin: how it came to the agent who answered it first.
        answers: how often it was accepted, transfers included.
        agents: who accepted it, in order, each once.
        handled_ms: from accepting to completing, of all agents who completed their part.
        effort_ms: the same, each second divided by how many tasks the agent had in hand.
        end: its status, or as what its last stay ended if it was canceled.
    """

    sid: str
    created: datetime
    queue: str
    channel: str
    workflow: str
    priority: int
    attributes: str
    end: str
    finished: datetime | None
    waited_ms: int | None = None
    waited_in_queue_ms: int | None = None
    origin: str = ""
    offers: int = 0
    missed: int = 0
    rejected: int = 0
    answers: int = 0
    agents: list[str] = field(default_factory=list)
    handled_ms: int | None = None
    effort_ms: int | None = None


def iterate_tasks(scope: Scope) -> Iterator[Sequence[TaskStory]]:
    """Yield the tasks that were created in the window, the last one first, in chunks."""
    rows = _filter(scope).select_related("task_queue", "task_channel", "workflow")
    last: Task | None = None
    while True:
        here = rows
        if last is not None:
            at = last.date_created
            here = rows.filter(
                Q(date_created__lt=at) | Q(date_created=at, pk__lt=last.pk), date_created__lte=at
            )
        chunk = list(here.order_by("-date_created", "-pk")[:CHUNK])
        if chunk:
            yield _read(scope.workspace.sid, chunk)
        if len(chunk) < CHUNK:
            return
        last = chunk[-1]


def _filter(scope: Scope) -> QuerySet[Task]:
    start, end = (moment(minute * MINUTE_US) for minute in (scope.span.start, scope.span.end))
    rows = Task.objects.filter(
        workspace=scope.workspace, date_created__gte=start, date_created__lt=end
    )
    tables: dict[str, tuple[str, Any]] = {
        "task_queue_key": ("task_queue", scope.workspace.task_queues),
        "task_channel_key": ("task_channel", scope.workspace.task_channels),
        "workflow_key": ("workflow", scope.workspace.workflows),
    }
    for column, keys in scope.only.items():
        name, table = tables[column]
        ids = [pk for pk, sid in table.values_list("pk", "sid") if sids.index_key(sid) in keys]
        rows = rows.filter(**{f"{name}__in": ids})
    return rows


def _read(workspace_sid: str, tasks: Sequence[Task]) -> list[TaskStory]:
    stories = {sids.index_key(task.sid): _begin(task) for task in tasks}
    events = Event.objects.filter(
        workspace_sid=workspace_sid,
        task_key__in=list(stories),
        event_type__in=[each.value for each in _TYPES],
    ).order_by("event_date", "id")
    work: list[Event] = []
    for event in events.iterator(chunk_size=2_000):
        if event.task_key in stories:
            _add_event(stories[event.task_key], event)
            if is_handled(event):
                work.append(event)
    for event, effort_ms in zip(work, efforts.measure(workspace_sid, work), strict=True):
        story = stories[event.task_key or 0]
        story.effort_ms = (story.effort_ms or 0) + round(effort_ms)
    return list(stories.values())


def is_handled(event: Event) -> bool:
    """Return whether an event is the end of a worker's part of a task, as usual."""
    return (
        event.event_type == E.RESERVATION_COMPLETED
        and event.event_data.get("reservation_ended_by") == ReservationEnd.WORK
        and event.handled_ms is not None
    )


def _begin(task: Task) -> TaskStory:
    return TaskStory(
        sid=task.sid,
        created=task.date_created,
        queue=task.task_queue.friendly_name if task.task_queue else "",
        channel=task.channel_name,
        workflow=task.workflow.friendly_name if task.workflow else "",
        priority=task.priority,
        attributes=task.attributes,
        end=task.assignment_status,
        finished=task.date_finished,
    )


def _add_event(story: TaskStory, event: Event) -> None:
    match event.event_type:
        case E.RESERVATION_CREATED:
            story.offers += 1
        case E.RESERVATION_TIMEOUT:
            story.missed += 1
        case E.RESERVATION_REJECTED:
            story.rejected += 1
        case E.RESERVATION_ACCEPTED:
            story.answers += 1
            name = event.event_data.get("worker_name") or ""
            if name not in story.agents:
                story.agents.append(name)
            if event.is_first_answer and event.origin != ReservationOrigin.TRANSFER:
                story.origin = event.origin or ""
                story.waited_ms = event.waited_ms
                story.waited_in_queue_ms = event.waited_in_queue_ms
        case E.RESERVATION_COMPLETED:
            if is_handled(event):
                story.handled_ms = (story.handled_ms or 0) + (event.handled_ms or 0)
        case E.TASK_CANCELED:
            if story.end == AssignmentStatus.CANCELED:
                story.end = event.stay_end or story.end
                if not story.answers:
                    story.waited_ms = event.waited_ms
                    story.waited_in_queue_ms = event.waited_in_queue_ms
