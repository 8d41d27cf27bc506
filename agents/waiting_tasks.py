"""Load waiting tasks of some queues: the first ones in an order, and those with a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from routing import models, subjects, task_layouts
from routing.core.vocabulary import AssignmentStatus
from routing.db.compiled import MOMENT, SEQUENCE, CompiledQuery
from routing.db.pipeline import pipeline
from routing.db.related import refer, referred

MOST_ROWS: Final = 50
MOST_SEARCHED: Final = 1_000
"""The number of oldest tasks that a search reads."""
MOST_SERVED: Final = 2_000
"""The number of a workspace's first tasks among which those of some queues are found."""

Horizons = Mapping[int, datetime | None]
"""For each queue, when its fiftieth task was created, if it has one."""

_PENDING = models.Task.objects.pending()


class Order(StrEnum):
    """An order of waiting tasks."""

    SERVED = "as the router serves most queues: by priority, then by age"
    NEWEST = "as the router serves a LIFO queue"
    AGE = "oldest first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which waiting tasks of a workspace are wanted; `channel` is None for all channels."""

    workspace: models.Workspace
    queues: Sequence[models.TaskQueue]
    channel: models.TaskChannel | None
    order: Order
    search: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTasks:
    """Waiting tasks, loaded with `requirements.READ_WITH`.

    Arguments:
        tasks: at most `MOST_ROWS`, in the order that was asked for.
        matches: how many tasks match a search.
        complete: whether no task of the queues is missing.
    """

    tasks: list[models.Task]
    matches: int
    complete: bool

    @property
    def oldest_first(self) -> list[models.Task]:
        """Return the tasks by age."""
        return sorted(self.tasks, key=_age)


def load_queues(pks: Sequence[int]) -> tuple[list[models.TaskQueue], list[tuple[Any, ...]]]:
    """Return queues by name, and the pairs of their horizons."""
    with pipeline():
        queues = _QUEUES.send(pks)
        horizons = _HORIZONS.send(pks)
    return queues.result(), horizons.result()


def list_queues(pks: Sequence[int]) -> list[models.TaskQueue]:
    """Return queues by name."""
    return _QUEUES(pks)


def list_all_queues(workspace_id: int) -> list[models.TaskQueue]:
    """Return a workspace's queues."""
    return _ALL_QUEUES(workspace_id)


def list_channels(workspace_id: int) -> list[models.TaskChannel]:
    """Return a workspace's task channels, oldest first."""
    return _CHANNELS(workspace_id)


def count_tasks(workspace_id: int, queues: Iterable[models.TaskQueue]) -> Counter[tuple[int, int]]:
    """Return how many tasks wait in each queue and channel, by their ids."""
    counted = _COUNTS(workspace_id, [queue.pk for queue in queues])
    return Counter({(queue, channel): count for queue, channel, count in counted})


def find_tasks(wanted: Filter, horizons: Horizons, *, now: datetime) -> FoundTasks:
    """Return the first of the wanted tasks.

    Arguments:
        horizons: see `load_queues`.
    """
    if wanted.search:
        return _search_tasks(wanted, now)
    is_long = any(horizons.get(queue.pk) is not None for queue in wanted.queues)
    served = _load_served(wanted) if is_long and wanted.order == Order.SERVED else []
    oldest = [] if len(served) == MOST_ROWS else _load_oldest(wanted, horizons, now)
    complete = not served and len(oldest) < MOST_ROWS
    tasks = oldest
    if not complete and wanted.order == Order.SERVED:
        served = served or _load_served(wanted)
        tasks = list({task.pk: task for task in [*served, *oldest]}.values())
    elif not complete and wanted.order == Order.NEWEST:
        tasks = list(_filtered(wanted).order_by("-date_created", "-pk")[:MOST_ROWS])
    tasks = sorted(tasks, key=_KEYS[wanted.order])[:MOST_ROWS]
    _attach_relations(tasks, wanted)
    return FoundTasks(tasks=tasks, matches=len(tasks), complete=complete and wanted.channel is None)


def _load_oldest(wanted: Filter, horizons: Horizons, now: datetime) -> list[models.Task]:
    """Return the oldest tasks.

    No task younger than a queue's fiftieth is among the fifty oldest, so this bound keeps the
    query from sorting a backlog. An index has the tasks of one queue and one channel by age.
    """
    queues = [queue.pk for queue in wanted.queues]
    if wanted.channel is not None:
        return _OLDEST_OF_CHANNEL(wanted.channel.pk, queues)
    known = [horizon for pk in queues if (horizon := horizons.get(pk)) is not None]
    # With fewer tasks none may be excluded, whatever clock created them.
    return _OLDEST(queues, min(known, default=now + timedelta(days=1)))


def _load_served(wanted: Filter) -> list[models.Task]:
    """Return those of the workspace's first tasks that are wanted."""
    workspace, queues = wanted.workspace.pk, [queue.pk for queue in wanted.queues]
    if wanted.channel is None:
        return _FIRST_SERVED(workspace, queues)
    return _FIRST_SERVED_OF_CHANNEL(workspace, wanted.channel.pk, queues)


def _search_tasks(wanted: Filter, now: datetime) -> FoundTasks:
    """Return the tasks with all words of the search, of the oldest `MOST_SEARCHED`."""
    oldest = _filtered(wanted).order_by("date_created", "pk")[:MOST_SEARCHED]
    words = wanted.search.casefold().split()
    layout = task_layouts.load_layout(wanted.workspace)
    matching = [
        pk
        for pk, attributes in oldest.values_list("pk", "attributes")
        if subjects.contains_words(layout.read_attributes(attributes), words)
    ]
    tasks = sorted(models.Task.objects.filter(pk__in=matching), key=_KEYS[wanted.order])
    shown = tasks[:MOST_ROWS]
    _attach_relations(shown, wanted)
    return FoundTasks(tasks=shown, matches=len(matching), complete=False)


def _filtered(wanted: Filter) -> QuerySet[models.Task]:
    rows = _PENDING.filter(task_queue__in=[queue.pk for queue in wanted.queues])
    return rows if wanted.channel is None else rows.filter(task_channel=wanted.channel)


def _attach_relations(tasks: Collection[models.Task], wanted: Filter) -> None:
    """Set the relations of `requirements.READ_WITH`, loaded once for all tasks."""
    with pipeline():
        asked = {name: query.send(referred(tasks, name)) for name, query in _OF_TASKS.items()}
    for name, rows in asked.items():
        refer(tasks, name, {row.pk: row for row in rows.result()})
    refer(tasks, "task_queue", {queue.pk: queue for queue in wanted.queues})
    refer(tasks, "workspace", {wanted.workspace.pk: wanted.workspace})


def _age(task: models.Task) -> tuple[Any, ...]:
    return (task.date_created, task.pk)


_KEYS: Final = {
    Order.SERVED: lambda task: (-task.priority, task.virtual_start_us, task.pk),
    Order.NEWEST: lambda task: (-task.virtual_start_us, -task.pk),
    Order.AGE: _age,
}
_SERVED: Final = (F("priority").desc(), "virtual_start_us", "pk")


def _first_served(workspace: Any, queues: Any) -> QuerySet[models.Task]:
    first = _PENDING.filter(workspace_id=workspace).order_by(*_SERVED).values("pk")[:MOST_SERVED]
    return _PENDING.filter(task_queue__in=queues, pk__in=first).order_by(*_SERVED)


def _horizons(pks: Any) -> QuerySet[models.TaskQueue, tuple[Any, ...]]:
    of_queue = _PENDING.filter(task_queue=OuterRef("pk")).order_by("date_created", "pk")
    fiftieth = of_queue.values("date_created")[MOST_ROWS - 1 : MOST_ROWS]
    queues = models.TaskQueue.objects.filter(pk__in=pks)
    return queues.annotate(horizon=Subquery(fiftieth)).values_list("pk", "horizon")


_QUEUES: Final = CompiledQuery(
    lambda pks=SEQUENCE: models.TaskQueue.objects.filter(pk__in=pks).order_by("friendly_name", "pk")
)
_ALL_QUEUES: Final = CompiledQuery(
    lambda workspace: models.TaskQueue.objects.filter(workspace_id=workspace)
)
_CHANNELS: Final = CompiledQuery(
    lambda workspace: models.TaskChannel.objects.filter(workspace_id=workspace).order_by("pk")
)
_HORIZONS: Final = CompiledQuery(lambda pks=SEQUENCE: _horizons(pks))
_OLDEST: Final = CompiledQuery(
    lambda queues=SEQUENCE, horizon=MOMENT: _PENDING.filter(
        task_queue__in=queues, date_created__lte=horizon
    ).order_by("date_created", "pk")[:MOST_ROWS]
)
_COUNTS: Final = CompiledQuery(
    lambda workspace, queues=SEQUENCE: (
        models.TaskCount.objects.filter(
            workspace_id=workspace,
            task_queue_id__in=queues,
            assignment_status=AssignmentStatus.PENDING.value,
        )
        .order_by()
        .values_list("task_queue_id", "task_channel_id")
        .annotate(Sum("tasks"))
    )
)
_FIRST_SERVED: Final = CompiledQuery(
    lambda workspace, queues=SEQUENCE: _first_served(workspace, queues)[:MOST_ROWS]
)
_FIRST_SERVED_OF_CHANNEL: Final = CompiledQuery(
    lambda workspace, channel, queues=SEQUENCE: _first_served(workspace, queues).filter(
        task_channel=channel
    )[:MOST_ROWS]
)
_OLDEST_OF_CHANNEL: Final = CompiledQuery(
    lambda channel, queues=SEQUENCE: _PENDING.filter(
        task_queue__in=queues, task_channel=channel
    ).order_by("date_created", "pk")[:MOST_ROWS]
)
_OF_TASKS: Final[Mapping[str, CompiledQuery[Any]]] = {
    "workflow": CompiledQuery(lambda pks=SEQUENCE: models.Workflow.objects.filter(pk__in=pks)),
    "task_channel": CompiledQuery(
        lambda pks=SEQUENCE: models.TaskChannel.objects.filter(pk__in=pks)
    ),
    "lane": CompiledQuery(
        lambda pks=SEQUENCE: models.Lane.objects.filter(pk__in=pks).select_related(
            "task_queue", "task_channel"
        )
    ),
}
