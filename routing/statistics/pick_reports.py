"""Picking by hand: which tasks agents grabbed, and which waiting ones they passed over.

Each grab recorded how many tasks would have been served before it: `grab_ahead` of those that ask
for the same, so that every agent could have taken them, and `grab_older` of its whole queue. Those
ahead are named as far as they are counted, so that a report can tell how long they waited in the
end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple

from django.db.models.fields.json import KT

from routing import models, sids
from routing.core.clock import elapsed_ms, moment
from routing.core.event_catalog import EventType as E
from routing.core.rates import Target, WaitClock
from routing.core.vocabulary import AssignmentStatus, ReservationOrigin
from routing.models import Event, Workspace
from routing.snapshots.grab_places import MOST_COUNTED
from routing.statistics.booking import MINUTE_US
from routing.statistics.grouping import Scope
from routing.statistics.service_reports import Targets, load_targets

MOST_GRABS: Final = 100_000
"""Grabs that one report reads."""
MOST_PASSED: Final = 20_000
"""Tasks passed over that one report looks up."""
MOST_PAIRS: Final = 200_000
"""Pairs of a row and a task passed over that one report keeps."""
_CHUNK: Final = 500

Key = tuple[int, int]
"""The keys of a worker and a queue."""


class Wait(NamedTuple):
    """How long a task waited by the clock of its target, and whether longer than that allows."""

    ms: int
    is_late: bool


@dataclass(slots=True)
class Picks:
    """Grabs of a row.

    Arguments:
        in_order: no task that asks for the same waited before it, and no older one in its queue.
        out_of_order: some that ask for the same waited before it; this is certain.
        maybe: only older ones of its queue waited, which may ask for something else.
        passed_over: of each grab out of order, how many were passed over.
        cut: grabs that passed over more tasks than are followed.
        passed: the tasks that were passed over, by sid, each with the first time that it was.
        waits: how long those of them waited that are looked up, and whether longer than the target.
    """

    in_order: int = 0
    out_of_order: int = 0
    maybe: int = 0
    passed_over: list[int] = field(default_factory=list)
    cut: int = 0
    passed: dict[str, datetime] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)

    @property
    def grabs(self) -> int:
        """Return all grabs."""
        return self.in_order + self.out_of_order + self.maybe

    @property
    def median_passed_over(self) -> float | None:
        """Return the median number of tasks that a grab out of order passed over."""
        return median(self.passed_over) if self.passed_over else None

    @property
    def longest_wait_ms(self) -> int | None:
        """Return how long that one waited which waited longest of those passed over."""
        return max((wait.ms for wait in self.waits.values()), default=None)

    @property
    def missed_target(self) -> int | None:
        """Return how many of those passed over waited longer than their target."""
        if self.out_of_order and not self.waits:
            return None
        return sum(wait.is_late for wait in self.waits.values())

    def add_grab(self, ahead: int, older: int) -> None:
        """Add a grab before which so many tasks waited."""
        if ahead:
            self.out_of_order += 1
            self.passed_over.append(ahead)
        elif older:
            self.maybe += 1
        else:
            self.in_order += 1

    def add(self, other: Picks) -> None:
        """Add the grabs of another row."""
        self.in_order += other.in_order
        self.out_of_order += other.out_of_order
        self.maybe += other.maybe
        self.passed_over += other.passed_over
        self.cut += other.cut
        self.waits |= other.waits


@dataclass(frozen=True, slots=True)
class LoadedPicks:
    """The grabs of a window.

    Arguments:
        rows: by the keys of a worker and a queue.
        is_cut: whether there were more grabs than are read.
        passed_cut: whether they passed over more tasks than one report looks up.
    """

    rows: dict[Key, Picks]
    is_cut: bool
    passed_cut: bool


def load_picks(scope: Scope, *, now: datetime) -> LoadedPicks:
    """Return the grabs by worker and queue, with what became of the tasks passed over."""
    start, end = (moment(minute * MINUTE_US) for minute in (scope.span.start, scope.span.end))
    rows = Event.objects.filter(
        workspace_sid=scope.workspace.sid,
        event_type=E.RESERVATION_ACCEPTED.value,
        event_date__gte=start,
        event_date__lt=end,
        origin=ReservationOrigin.GRAB.value,
        **{f"{name}__in": list(keys) for name, keys in scope.only.items()},
    )
    values = rows.order_by("-event_date", "-id").values_list(
        "event_date",
        "worker_key",
        "task_queue_key",
        KT("event_data__grab_ahead"),
        KT("event_data__grab_older"),
        KT("event_data__grab_passed_over"),
    )
    found: dict[Key, Picks] = {}
    passed: dict[str, datetime] = {}
    count = 0
    passed_cut, pairs = False, 0
    for at, worker, queue, ahead, older, names in values[: MOST_GRABS + 1].iterator():
        count += 1
        if count > MOST_GRABS or ahead is None:
            continue
        one = found.setdefault((worker or 0, queue or 0), Picks())
        one.add_grab(int(ahead), int(older or 0))
        named = (names or "").split()
        followed = 0
        for sid in named:
            pairs += sid not in one.passed
            if pairs <= MOST_PAIRS and (sid in passed or len(passed) < MOST_PASSED):
                one.passed[sid] = passed[sid] = at  # the newest grab is read first
                followed += 1
        passed_cut |= followed < len(named)
        # Tasks are counted up to a limit, and an earlier release named only the first of them.
        one.cut += followed < int(ahead) or int(ahead) >= MOST_COUNTED
    waits = _load_waits(scope.workspace, passed, now)
    for one in found.values():
        one.waits = {sid: waits[sid] for sid in one.passed if sid in waits}
    return LoadedPicks(found, count > MOST_GRABS, passed_cut)


def _load_waits(
    workspace: Workspace, passed: Mapping[str, datetime], now: datetime
) -> dict[str, Wait]:
    """Return how long tasks waited in all that were passed over at these moments.

    The first acceptance or cancellation after that moment ended the wait; without one, the task
    may wait still.
    """
    targets = load_targets(workspace)
    found: dict[str, Wait] = {}
    names = {sids.index_key(sid): sid for sid in passed}
    every = list(names)
    for start in range(0, len(every), _CHUNK):
        keys = every[start : start + _CHUNK]
        events = Event.objects.filter(
            workspace_sid=workspace.sid,
            task_key__in=keys,
            event_type__in=[E.RESERVATION_ACCEPTED.value, E.TASK_CANCELED.value],
            event_date__gte=min(passed[names[key]] for key in keys),
        ).order_by("event_date", "id")
        for key, at, queue, channel, waited, in_queue in events.values_list(
            *("task_key", "event_date", "task_queue_key", "task_channel_key"),
            *("waited_ms", "waited_in_queue_ms"),
        ):
            sid = names[key]
            if sid not in found and at >= passed[sid] and waited is not None:
                target = targets.find(queue or 0, channel or 0)
                found[sid] = _judge(target, waited, in_queue)
        still = models.Task.objects.filter(
            workspace=workspace,
            sid__in=[names[key] for key in keys if names[key] not in found],
            assignment_status__in=[AssignmentStatus.PENDING, AssignmentStatus.RESERVED],
        )
        for task in still.select_related("task_queue", "task_channel"):
            found[task.sid] = _judge_waiting(task, targets, now)
    return found


def _judge(target: Target, waited: int, in_queue: int | None) -> Wait:
    by_queue = target.clock is WaitClock.QUEUE and in_queue is not None
    wait = in_queue if by_queue and in_queue is not None else waited
    return Wait(wait, wait > target.threshold * 1000)


def _judge_waiting(task: models.Task, targets: Targets, now: datetime) -> Wait:
    queue, channel = task.task_queue, task.task_channel
    target = targets.find(sids.index_key(queue.sid) if queue else 0, sids.index_key(channel.sid))
    waited, in_queue = (
        elapsed_ms(since, now)
        for since in (task.date_created, task.task_queue_entered_date or task.date_created)
    )
    return _judge(target, waited, in_queue)
