"""What agents did in a window: their work and offers, the time of their slots, and activities.

    scope = Scope(workspace=workspace, intervals=[span])
    rows = agent_reports.load_agents(scope, ["worker_key"])
    rows[worker_key,].work.handled, rows[worker_key,].time.busy_share.percent

A dimension may be `INTERVAL`, `worker_key` or, for slots alone, `task_channel_key`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from routing import sids
from routing.core.slot_time import WORKER
from routing.models import ActivityFigure, Figure, SlotFigure, Workspace
from routing.statistics.figures import WorkerFigures
from routing.statistics.grouping import Scope, sum_by
from routing.statistics.occupancy import ChannelTime, WorkerTime

Key = tuple[int, ...]

_SUMMED: Final = (
    *("answered", "offers", "accepted", "rejected", "missed", "rescinded", "canceled_offers"),
    *("handled", "handled_ms", "wrapped", "wrapping_ms", "taken_back", "deleted_work"),
    "transferred_out",
)
_TIMES: Final = ("busy_ms", "free_ms", "offered_ms", "closed_ms", "effort_ms")


@dataclass(slots=True)
class AgentWork:
    """A row: counts, slot time, and milliseconds in each activity, by the activity's key."""

    work: WorkerFigures = field(default_factory=WorkerFigures)
    time: WorkerTime = field(default_factory=WorkerTime)
    activities: Counter[int] = field(default_factory=Counter)

    @property
    def effort_per_task_ms(self) -> int | None:
        """Return the time of a task, each moment divided by how many there were at once."""
        return self.time.effort_ms // self.work.handled if self.work.handled else None

    def add(self, other: AgentWork) -> None:
        """Add another row."""
        self.work.add(other.work)
        self.time.add(other.time)
        self.activities.update(other.activities)


def load_agents(scope: Scope, by: Sequence[str]) -> dict[Key, AgentWork]:
    """Return the rows in which an agent did something or was available."""
    found: dict[Key, AgentWork] = {}
    rows = Figure.objects.exclude(worker_key=0)
    for (*key, origin), values in sum_by(rows, scope, [*by, "origin"], _SUMMED):
        counts = {n: value for n, value in zip(_SUMMED, values, strict=True) if value}
        if counts:
            work = found.setdefault(tuple(key), AgentWork()).work
            work.by_origin.setdefault(origin, Counter()).update(counts)
    for row, time in load_times(scope, by).items():
        found.setdefault(row, AgentWork()).time = time
    everywhere = replace(scope, only={n: k for n, k in scope.only.items() if n == "worker_key"})
    columns = [*by, "activity_key"]
    for (*key, activity), (total,) in sum_by(
        ActivityFigure.objects.all(), everywhere, columns, ["total_ms"]
    ):
        found.setdefault(tuple(key), AgentWork()).activities[activity] += total
    return found


def load_times(scope: Scope, by: Sequence[str]) -> dict[Key, WorkerTime]:
    """Return the time of slots, and the time of workers with and without a task in hand.

    A scope of some channels limits the slots alone.
    """
    weights = {
        sids.index_key(sid): weight
        for sid, weight in scope.workspace.task_channels.values_list("sid", "occupancy_weight")
    }
    only = dict(scope.only)
    if "task_channel_key" in only:
        only["task_channel_key"] |= {WORKER}
    found: dict[Key, WorkerTime] = {}
    columns = [*(name for name in by if name != "task_channel_key"), "task_channel_key"]
    place = list(by).index("task_channel_key") if "task_channel_key" in by else None
    for (*rest, channel), values in sum_by(
        SlotFigure.objects.all(), replace(scope, only=only), columns, _TIMES
    ):
        time = ChannelTime(weights.get(channel, 1), *values)
        key = list(rest)
        if place is not None:
            if channel == WORKER:
                continue
            key.insert(place, channel)
        one = found.setdefault(tuple(key), WorkerTime())
        if channel == WORKER:
            one.in_hand_ms, one.idle_ms = time.busy_ms, time.free_ms
        else:
            one.channels[channel] = time
    return found


def add_up(rows: Iterable[AgentWork]) -> AgentWork:
    """Return the total of some rows."""
    total = AgentWork()
    for each in rows:
        total.add(each)
    return total


def count_by_interval(workspace: Workspace, scope: Scope) -> dict[Key, tuple[int, int]]:
    """Return how many stays began and how many were answered in each interval."""
    rows = Figure.objects.filter(workspace=workspace).exclude(task_queue_key=0)
    return {
        key: (entered, answered)
        for key, (entered, answered) in sum_by(rows, scope, ["interval"], ["entered", "answered"])
    }
