"""Compute present figures of tasks, from the counts that triggers maintain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from routing.models import Task, TaskChannel, TaskCount, TaskQueue, Workflow, Workspace
from routing.statistics.counting import LIVE

Scope = Workspace | TaskQueue | Workflow
"""What figures of tasks can be about."""


@dataclass(frozen=True, slots=True)
class Longest:
    """The task that has waited longest, and since when."""

    sid: str
    since: datetime


@dataclass(slots=True)
class TaskCounts:
    """Counts of live tasks; `waiting` and `in_queue` are the longest since creation and entry."""

    by_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, LIVE), 0))
    by_priority: Counter[int] = field(default_factory=Counter)
    waiting: Longest | None = None
    in_queue: Longest | None = None

    @property
    def total(self) -> int:
        """Return the number of tasks."""
        return sum(self.by_status.values())


@dataclass(slots=True)
class ScopeCounts:
    """The tasks of a workspace, a queue or a workflow, all of them and by channel id."""

    all: TaskCounts = field(default_factory=TaskCounts)
    by_channel: dict[int, TaskCounts] = field(default_factory=dict)


def count_tasks(
    workspace: Workspace,
    scopes: Sequence[Scope],
    *,
    channels: Sequence[TaskChannel],
) -> dict[int, ScopeCounts]:
    """Return the live tasks of these scopes, all of one kind, by the scopes' ids.

    Always three queries: the counts, then the ids and the rows of the longest waiting tasks.

    Arguments:
        channels: the task channels that count.
    """
    found = {
        scope.pk: ScopeCounts(by_channel={channel.pk: TaskCounts() for channel in channels})
        for scope in scopes
    }
    if scopes:
        _read_counts(workspace, scopes[0], found)
        _find_longest(scopes[0], found)
    return found


_COLUMNS: Final[Mapping[type[Any], str]] = {TaskQueue: "task_queue_id", Workflow: "workflow_id"}
"""The column of tasks and of their counts for a scope; workspaces use `workspace_id`."""


def _read_counts(workspace: Workspace, kind: Scope, found: dict[int, ScopeCounts]) -> None:
    column = _COLUMNS.get(type(kind), "workspace_id")
    rows = TaskCount.objects.filter(workspace_id=workspace.pk, **{f"{column}__in": list(found)})
    grouped = rows.order_by().values_list(
        column, "task_channel_id", "assignment_status", "priority"
    )
    for scope, channel, status, priority, count in grouped.annotate(count=Sum("tasks")):
        by_channel = found[scope].by_channel
        if channel not in by_channel or not count:
            continue
        for each in (found[scope].all, by_channel[channel]):
            each.by_status[status] += count
            each.by_priority[priority] += count


def _find_longest(kind: Scope, found: dict[int, ScopeCounts]) -> None:
    """Find the oldest pending task of each scope and channel, with one index step for each."""
    column = _COLUMNS.get(type(kind))
    in_queue = isinstance(kind, TaskQueue)
    pairs = _pair_with_channels(kind, found)
    waiting = Task.objects.pending().filter(task_channel=OuterRef("channel"))
    if column is not None:
        waiting = waiting.filter(**{column: OuterRef("pk")})
    pairs = pairs.annotate(
        oldest=Subquery(waiting.order_by("date_created", "id").values("pk")[:1]),
        **(
            {
                "entered": Subquery(
                    waiting.order_by("task_queue_entered_date", "id").values("pk")[:1]
                )
            }
            if in_queue
            else {}
        ),
    )
    named = ["oldest", "entered"] if in_queue else ["oldest"]
    places = [
        row
        for row in pairs.order_by().values_list("pk", "channel", *named)
        if row[1] in found[row[0]].by_channel and row[2] is not None
    ]
    ids = {pk for _, _, *tasks in places for pk in tasks}
    rows = {row.pk: row for row in _load_tasks(ids)}
    for scope, channel, *tasks in places:
        for each in (found[scope].all, found[scope].by_channel[channel]):
            _update_longest(each, [rows.get(pk) for pk in tasks])


def _pair_with_channels(kind: Scope, found: dict[int, ScopeCounts]) -> QuerySet[Any]:
    """Return every scope combined with every channel of its workspace."""
    path = "task_channels" if isinstance(kind, Workspace) else "workspace__task_channels"
    return type(kind)._default_manager.filter(pk__in=list(found)).annotate(channel=F(f"{path}__pk"))


def _load_tasks(ids: Iterable[int]) -> Iterable[Task]:
    wanted = Q(pk__in=list(ids))
    return Task.objects.filter(wanted).only("sid", "date_created", "task_queue_entered_date")


def _update_longest(each: TaskCounts, rows: Sequence[Task | None]) -> None:
    oldest, *entered = rows
    if oldest is not None:
        each.waiting = _choose_longer(each.waiting, oldest.sid, oldest.date_created)
    for row in entered:
        if row is not None and row.task_queue_entered_date is not None:
            each.in_queue = _choose_longer(each.in_queue, row.sid, row.task_queue_entered_date)


def _choose_longer(before: Longest | None, sid: str, since: datetime) -> Longest:
    if before is not None and before.since <= since:
        return before
    return Longest(sid, since)
