"""Count what happened in a window of time, from the events alone: figures survive their tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, Sum

from routing.core.vocabulary import EventType
from routing.models import Event
from routing.statistics.windows import Window

_RESERVATIONS: Final = {
    EventType.RESERVATION_CREATED: "reservations_created",
    EventType.RESERVATION_ACCEPTED: "reservations_accepted",
    EventType.RESERVATION_REJECTED: "reservations_rejected",
    EventType.RESERVATION_TIMEOUT: "reservations_timed_out",
    EventType.RESERVATION_CANCELED: "reservations_canceled",
    EventType.RESERVATION_RESCINDED: "reservations_rescinded",
}
_TASKS: Final = {
    EventType.TASK_CANCELED: "tasks_canceled",
    EventType.TASK_COMPLETED: "tasks_completed",
    EventType.TASK_DELETED: "tasks_deleted",
    EventType.TASK_SYSTEM_DELETED: "tasks_deleted",
    # The event names the queue that was left.
    EventType.TASK_QUEUE_MOVED: "tasks_moved",
}

MOST_KEYS: Final = 500
"""How many keys a query names; of more than that, it asks for everybody's and keeps theirs."""

Counted = Mapping[EventType, str]

OF_WORKERS: Final[Counted] = _RESERVATIONS
OF_TASK_QUEUE: Final[Counted] = {
    **_RESERVATIONS,
    **_TASKS,
    EventType.TASK_QUEUE_ENTERED: "tasks_entered",
}
OF_WORKFLOW: Final[Counted] = {
    **_RESERVATIONS,
    **_TASKS,
    EventType.WORKFLOW_ENTERED: "tasks_entered",
    EventType.WORKFLOW_TIMEOUT: "tasks_timed_out_in_workflow",
}
OF_WORKSPACE: Final[Counted] = {
    **_RESERVATIONS,
    **_TASKS,
    EventType.TASK_CREATED: "tasks_created",
    EventType.WORKFLOW_TIMEOUT: "tasks_timed_out_in_workflow",
}
"""Under which name each event is counted, for each kind of thing that figures are about."""

_ENDS: Final = {
    EventType.RESERVATION_ACCEPTED: "reservations_accepted",
    EventType.TASK_CANCELED: "tasks_canceled",
}
"""What ends a task's waiting, and under which name it is split by how long that was."""


@dataclass(slots=True)
class Durations:
    """How long several things took, in milliseconds."""

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, milliseconds: int) -> None:
        """Take one more in."""
        self.least = min(self.least, milliseconds) if self.count else milliseconds
        self.most = max(self.most, milliseconds)
        self.total += milliseconds
        self.count += 1

    @property
    def average(self) -> float:
        """Return the mean in seconds; 0 of nothing."""
        return self.total / self.count / 1000 if self.count else 0.0

    @property
    def seconds(self) -> dict[str, int]:
        """Return them as the API gives them: in whole seconds."""
        return {
            "avg": int(self.average),
            "min": self.least // 1000,
            "max": self.most // 1000,
            "total": self.total // 1000,
        }


@dataclass(slots=True)
class Figures:
    """What happened in a window to one thing.

    Arguments:
        split: by threshold in seconds, how many of `_ENDS` came after longer and after shorter
            waits, by name.
    """

    counts: dict[str, int]
    until_accepted: Durations = field(default_factory=Durations)
    until_canceled: Durations = field(default_factory=Durations)
    in_queue_until_accepted: Durations = field(default_factory=Durations)
    split: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


def figures(
    workspace_sid: str,
    window: Window,
    counted: Counted,
    *,
    by: str | None = None,
    keys: Collection[int] = (),
    task_channel_key: int | None = None,
    thresholds: Sequence[int] = (),
) -> dict[int | None, Figures]:
    """Return what happened to each thing asked about, in one query.

    Arguments:
        by: the column of the event that says whom it counts for; None for the whole workspace,
            whose figures then are those of the key None.
        keys: who is asked about, of that column.
        thresholds: in seconds, where to split what ended by how long it had waited.
    """
    rows = Event.objects.filter(
        workspace_sid=workspace_sid,
        event_type__in=[event_type.value for event_type in counted],
        event_date__gte=window.start,
        event_date__lte=window.end,
    )
    if task_channel_key is not None:
        rows = rows.filter(task_channel_key=task_channel_key)
    columns = ["event_type"]
    if by is not None:
        columns.append(by)
        if len(keys) <= MOST_KEYS:
            rows = rows.filter(**{f"{by}__in": keys})
    made: dict[int | None, Figures] = {key: _nothing(counted, thresholds) for key in keys}
    if by is None:
        made = {None: _nothing(counted, thresholds)}
    grouped = rows.order_by().values(*columns).annotate(**_aggregates(thresholds))
    for row in grouped:
        one = made.get(row[by] if by is not None else None)
        if one is not None:
            _take(one, row, counted, thresholds)
    return made


def _nothing(counted: Counted, thresholds: Sequence[int]) -> Figures:
    return Figures(
        counts=dict.fromkeys(counted.values(), 0),
        split={
            str(threshold): {side: dict.fromkeys(_ENDS.values(), 0) for side in ("above", "below")}
            for threshold in thresholds
        },
    )


def _aggregates(thresholds: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {"events": Count("id")}
    for name, column in (("waited", "waited_ms"), ("in_queue", "waited_in_queue_ms")):
        found |= {
            f"{name}_count": Count(column),
            f"{name}_total": Sum(column),
            f"{name}_least": Min(column),
            f"{name}_most": Max(column),
        }
    for threshold in thresholds:
        # What was waited after a task was first handed on is left out.
        most = threshold * 1000
        below = Q(waited_until_transfer_ms__isnull=True, waited_ms__lte=most)
        below |= Q(waited_until_transfer_ms__lte=most)
        found[f"below_{threshold}"] = Count("id", filter=below)
    return found


def _take(
    figures: Figures, row: Mapping[str, Any], counted: Counted, thresholds: Sequence[int]
) -> None:
    event_type = EventType(row["event_type"])
    figures.counts[counted[event_type]] += row["events"]
    if event_type not in _ENDS:
        return
    waited = _durations(row, "waited")
    if event_type == EventType.TASK_CANCELED:
        figures.until_canceled = waited
    else:
        figures.until_accepted = waited
        figures.in_queue_until_accepted = _durations(row, "in_queue")
    for threshold in thresholds:
        below = row[f"below_{threshold}"]
        sides = figures.split[str(threshold)]
        sides["below"][_ENDS[event_type]] = below
        sides["above"][_ENDS[event_type]] = row["events"] - below


def _durations(row: Mapping[str, Any], name: str) -> Durations:
    return Durations(
        count=row[f"{name}_count"],
        total=int(row[f"{name}_total"] or 0),
        least=row[f"{name}_least"] or 0,
        most=row[f"{name}_most"] or 0,
    )
