"""Count events in a window of time; events alone, so that figures outlive their tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.fields.json import KT

from routing.core.event_catalog import EventType as E
from routing.models import Event, Workspace
from routing.statistics.windows import Window


class CumulativeScope(StrEnum):
    """What cumulative figures can be about."""

    WORKERS = "workers"
    TASK_QUEUE = "task-queue"
    WORKFLOW = "workflow"
    WORKSPACE = "workspace"


_ALL: Final = frozenset(CumulativeScope)
_TASKS: Final = _ALL - {CumulativeScope.WORKERS}

COUNTED: Final[Mapping[E, tuple[str, frozenset[CumulativeScope]]]] = {
    E.RESERVATION_CREATED: ("reservations_created", _ALL),
    E.RESERVATION_ACCEPTED: ("reservations_accepted", _ALL),
    E.RESERVATION_REJECTED: ("reservations_rejected", _ALL),
    E.RESERVATION_TIMEOUT: ("reservations_timed_out", _ALL),
    E.RESERVATION_CANCELED: ("reservations_canceled", _ALL),
    E.RESERVATION_RESCINDED: ("reservations_rescinded", _ALL),
    E.TASK_CANCELED: ("tasks_canceled", _TASKS),
    E.TASK_COMPLETED: ("tasks_completed", _TASKS),
    E.TASK_DELETED: ("tasks_deleted", _TASKS),
    E.TASK_SYSTEM_DELETED: ("tasks_deleted", _TASKS),
    # The event names the queue that was left.
    E.TASK_QUEUE_MOVED: ("tasks_moved", _TASKS),
    E.TASK_CREATED: ("tasks_created", frozenset({CumulativeScope.WORKSPACE})),
    E.TASK_QUEUE_ENTERED: ("tasks_entered", frozenset({CumulativeScope.TASK_QUEUE})),
    E.WORKFLOW_ENTERED: ("tasks_entered", frozenset({CumulativeScope.WORKFLOW})),
    E.WORKFLOW_TIMEOUT: (
        "tasks_timed_out_in_workflow",
        frozenset({CumulativeScope.WORKFLOW, CumulativeScope.WORKSPACE}),
    ),
}
"""The name under which each event type is counted, and in which figures."""

ENDS_STAY: Final = (E.WORKER_ACTIVITY_UPDATE, E.WORKER_DELETED)
"""Event types whose data say how long a worker was in an activity."""

NOT_COUNTED: Final = frozenset(
    {
        E.WORKSPACE_CREATED,
        E.WORKSPACE_UPDATED,
        E.WORKSPACE_DELETED,
        E.ACTIVITY_CREATED,
        E.ACTIVITY_UPDATED,
        E.ACTIVITY_DELETED,
        E.TASK_CHANNEL_CREATED,
        E.TASK_CHANNEL_UPDATED,
        E.TASK_CHANNEL_DELETED,
        E.OUTCOME_CODE_CREATED,
        E.OUTCOME_CODE_UPDATED,
        E.OUTCOME_CODE_DELETED,
        E.THRESHOLD_CREATED,
        E.THRESHOLD_UPDATED,
        E.THRESHOLD_DELETED,
        E.ALERT_RAISED,
        E.ALERT_CHANGED,
        E.ALERT_CLEARED,
        E.ALERT_ACKNOWLEDGED,
        E.TASK_QUEUE_CREATED,
        E.TASK_QUEUE_DELETED,
        E.TASK_QUEUE_UPDATED,
        E.TASK_QUEUE_EXPRESSION_UPDATED,
        E.TASK_QUEUE_TIMEOUT,
        E.WORKFLOW_CREATED,
        E.WORKFLOW_UPDATED,
        E.WORKFLOW_DELETED,
        E.WORKFLOW_TARGET_MATCHED,
        E.WORKFLOW_SKIPPED,
        E.WORKER_CREATED,
        E.TASK_TAKEN_BACK,
        E.WORKER_ATTRIBUTES_UPDATE,
        E.WORKER_CAPACITY_UPDATE,
        E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
        E.TASK_UPDATED,
        E.TASK_WRAPUP,
        E.TASK_TRANSFER_INITIATED,
        E.TASK_TRANSFER_ATTEMPT_FAILED,
        E.TASK_TRANSFER_FAILED,
        E.TASK_TRANSFER_CANCELED,
        E.TASK_TRANSFER_COMPLETED,
        E.RESERVATION_WRAPUP,
        E.RESERVATION_WRAPUP_EXTENDED,
        E.RESERVATION_COMPLETED,
        E.RESERVATION_FAILED,
        E.RESERVATION_CALLBACK_FAILED,
    }
)
"""Event types that are in no figure."""

MOST_KEYS: Final = 500
"""Most keys in one query; with more, all rows are read and filtered afterwards."""

Counted = Mapping[E, str]


def _counted_for(scope: CumulativeScope) -> Counted:
    return {each: name for each, (name, scopes) in COUNTED.items() if scope in scopes}


OF_WORKERS: Final = _counted_for(CumulativeScope.WORKERS)
OF_TASK_QUEUE: Final = _counted_for(CumulativeScope.TASK_QUEUE)
OF_WORKFLOW: Final = _counted_for(CumulativeScope.WORKFLOW)
OF_WORKSPACE: Final = _counted_for(CumulativeScope.WORKSPACE)
"""The name under which each event type is counted, for each kind of resource."""

_END_NAMES: Final = {each: name for each, (name, _) in COUNTED.items() if each.spec.ends_waiting}
"""Events that end a task's waiting, and their names in the split by wait time."""


@dataclass(slots=True)
class Durations:
    """Sum, extremes and number of durations, in milliseconds."""

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, milliseconds: int) -> None:
        """Add one duration."""
        self.least = min(self.least, milliseconds) if self.count else milliseconds
        self.most = max(self.most, milliseconds)
        self.total += milliseconds
        self.count += 1

    @property
    def average(self) -> float:
        """Return the mean in seconds; 0 if there are none."""
        return self.total / self.count / 1000 if self.count else 0.0

    @property
    def seconds(self) -> dict[str, int]:
        """Return the figures as the API gives them: in whole seconds."""
        return {
            "avg": int(self.average),
            "min": self.least // 1000,
            "max": self.most // 1000,
            "total": self.total // 1000,
        }


@dataclass(slots=True)
class Figures:
    """Counts and durations of one resource within a window.

    Arguments:
        split: by threshold in seconds, how many of `_END_NAMES` came after longer and after shorter
            waits, by name.
    """

    counts: dict[str, int]
    until_accepted: Durations = field(default_factory=Durations)
    until_canceled: Durations = field(default_factory=Durations)
    in_queue_until_accepted: Durations = field(default_factory=Durations)
    split: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


def count_events(
    workspace_sid: str,
    window: Window,
    counted: Counted,
    *,
    by: str | None = None,
    keys: Collection[int] = (),
    task_channel_key: int | None = None,
    thresholds: Sequence[int] = (),
) -> dict[int | None, Figures]:
    """Return the figures of each requested resource, in one query.

    Arguments:
        by: the event column with the key of the resource; None for the whole workspace, whose
            figures then have the key None.
        keys: the requested values of that column.
        thresholds: wait times in seconds at which to split the figures.
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
    made: dict[int | None, Figures] = {key: _empty_figures(counted, thresholds) for key in keys}
    if by is None:
        made = {None: _empty_figures(counted, thresholds)}
    grouped = rows.order_by().values(*columns).annotate(**_list_aggregates(thresholds))
    for row in grouped:
        one = made.get(row[by] if by is not None else None)
        if one is not None:
            _add_row(one, row, counted, thresholds)
    return made


def count_outcomes(
    workspace: Workspace,
    window: Window,
    *,
    by: str | None = None,
    keys: Collection[int] = (),
    task_channel_key: int | None = None,
) -> dict[int | None, dict[str, int]]:
    """Return by requested resource how many tasks were completed with each outcome code.

    The codes that the workspace has are there even if none was used. A workspace without codes
    costs one small query. See `count_events` for the arguments.
    """
    known = list(
        workspace.outcome_codes.order_by("position", "pk").values_list("unique_name", flat=True)
    )
    wanted: Collection[int | None] = [None] if by is None else keys
    made = {key: dict.fromkeys(known, 0) for key in wanted}
    if not known:
        return made
    rows = Event.objects.filter(
        workspace_sid=workspace.sid,
        event_type=E.RESERVATION_COMPLETED.value,
        event_date__gte=window.start,
        event_date__lte=window.end,
    ).annotate(code=KT("event_data__reservation_outcome_code"))
    if task_channel_key is not None:
        rows = rows.filter(task_channel_key=task_channel_key)
    columns = ["code"]
    if by is not None:
        columns.append(by)
        if len(keys) <= MOST_KEYS:
            rows = rows.filter(**{f"{by}__in": keys})
    grouped = rows.filter(code__isnull=False).order_by().values(*columns)
    for row in grouped.annotate(events=Count("id")):
        found = made.get(row[by] if by is not None else None)
        if found is not None:
            found[row["code"]] = row["events"]
    return made


def _empty_figures(counted: Counted, thresholds: Sequence[int]) -> Figures:
    return Figures(
        counts=dict.fromkeys(counted.values(), 0),
        split={
            str(threshold): {
                side: dict.fromkeys(_END_NAMES.values(), 0) for side in ("above", "below")
            }
            for threshold in thresholds
        },
    )


def _list_aggregates(thresholds: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {"events": Count("id")}
    for name, column in (("waited", "waited_ms"), ("in_queue", "waited_in_queue_ms")):
        found |= {
            f"{name}_count": Count(column),
            f"{name}_total": Sum(column),
            f"{name}_least": Min(column),
            f"{name}_most": Max(column),
        }
    for threshold in thresholds:
        # Time after a task was first transferred does not count as waiting.
        most = threshold * 1000
        below = Q(waited_until_transfer_ms__isnull=True, waited_ms__lte=most)
        below |= Q(waited_until_transfer_ms__lte=most)
        found[f"below_{threshold}"] = Count("id", filter=below)
    return found


def _add_row(
    figures: Figures, row: Mapping[str, Any], counted: Counted, thresholds: Sequence[int]
) -> None:
    event_type = E(row["event_type"])
    figures.counts[counted[event_type]] += row["events"]
    if event_type not in _END_NAMES:
        return
    waited = _read_durations(row, "waited")
    if event_type == E.TASK_CANCELED:
        figures.until_canceled = waited
    else:
        figures.until_accepted = waited
        figures.in_queue_until_accepted = _read_durations(row, "in_queue")
    for threshold in thresholds:
        below = row[f"below_{threshold}"]
        sides = figures.split[str(threshold)]
        sides["below"][_END_NAMES[event_type]] = below
        sides["above"][_END_NAMES[event_type]] = row["events"] - below


def _read_durations(row: Mapping[str, Any], name: str) -> Durations:
    return Durations(
        count=row[f"{name}_count"],
        total=int(row[f"{name}_total"] or 0),
        least=row[f"{name}_least"] or 0,
        most=row[f"{name}_most"] or 0,
    )
