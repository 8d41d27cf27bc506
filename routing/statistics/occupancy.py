"""Occupancy of workers in a window of whole quarters, from `slot_figures`.

    until = occupancy.find_known_until(workspace)     # live figures say "until 14:15"
    times = occupancy.load_slot_times(workspace, span)
    of_worker = times[worker_key]
    of_worker.busy_share.percent                      # time with a task in hand, of that and idle
    of_worker.slot_occupancy.percent                  # weighted over all channels
    of_worker.channels[channel_key].slot_occupancy.percent
    of_worker.concurrency, of_worker.effort_ms        # effort ÷ handled is the effort per task
    occupancy.add_up(times.values())                  # the same for several workers

With multitasking off, channels have no free slots of their own: show the share of busy time alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from routing import sids
from routing.core.clock import moment
from routing.core.rates import Ratio
from routing.core.slot_time import WORKER
from routing.models import ActivityFigure, Bookmark, SlotFigure, Workspace
from routing.statistics.booking import MINUTE_US
from routing.statistics.windows import Span


@dataclass(slots=True)
class ChannelTime:
    """Milliseconds of slots of a channel; `weight` is how much each slot counts."""

    weight: int = 1
    busy_ms: int = 0
    free_ms: int = 0
    offered_ms: int = 0
    closed_ms: int = 0
    effort_ms: int = 0

    @property
    def slot_occupancy(self) -> Ratio:
        """Return the share of busy slots of those that were busy or free."""
        return Ratio(self.busy_ms, self.busy_ms + self.free_ms)

    def add(self, other: ChannelTime) -> None:
        """Add the time of another worker on this channel."""
        self.busy_ms += other.busy_ms
        self.free_ms += other.free_ms
        self.offered_ms += other.offered_ms
        self.closed_ms += other.closed_ms
        self.effort_ms += other.effort_ms


@dataclass(slots=True)
class WorkerTime:
    """Time of a worker, or of several.

    Arguments:
        in_hand_ms: with at least one task in hand.
        idle_ms: available with none.
        channels: their slots, by the channel's key.
    """

    in_hand_ms: int = 0
    idle_ms: int = 0
    channels: dict[int, ChannelTime] = field(default_factory=dict)

    @property
    def busy_share(self) -> Ratio:
        """Return the share of time with a task in hand, of that and of idle time."""
        return Ratio(self.in_hand_ms, self.in_hand_ms + self.idle_ms)

    @property
    def slot_occupancy(self) -> Ratio:
        """Return the share of busy slots over all channels, each slot with its weight."""
        busy = sum(each.weight * each.busy_ms for each in self.channels.values())
        free = sum(each.weight * each.free_ms for each in self.channels.values())
        return Ratio(busy, busy + free)

    @property
    def concurrency(self) -> float | None:
        """Return how many tasks were in hand on average, while there was any."""
        if not self.in_hand_ms:
            return None
        return sum(each.busy_ms for each in self.channels.values()) / self.in_hand_ms

    @property
    def effort_ms(self) -> int:
        """Return the time of tasks, each moment divided by how many there were at once."""
        return sum(each.effort_ms for each in self.channels.values())

    def add(self, other: WorkerTime) -> None:
        """Add the time of another worker."""
        self.in_hand_ms += other.in_hand_ms
        self.idle_ms += other.idle_ms
        for key, time in other.channels.items():
            self.channels.setdefault(key, ChannelTime(weight=time.weight)).add(time)


def load_slot_times(
    workspace: Workspace, span: Span, *, workers: Collection[int] | None = None
) -> dict[int, WorkerTime]:
    """Return the time of every worker who was available or had a task, by the worker's key.

    Arguments:
        workers: the keys of the workers to load; None for all.
    """
    weights = {
        sids.index_key(sid): weight
        for sid, weight in workspace.task_channels.values_list("sid", "occupancy_weight")
    }
    rows = SlotFigure.objects.filter(
        workspace=workspace, minute__gte=span.start, minute__lt=span.end
    )
    if workers is not None:
        rows = rows.filter(worker_key__in=list(workers))
    grouped = rows.order_by().values_list("worker_key", "task_channel_key")
    found: dict[int, WorkerTime] = {}
    for worker, channel, *sums in grouped.annotate(
        Sum("busy_ms"), Sum("free_ms"), Sum("offered_ms"), Sum("closed_ms"), Sum("effort_ms")
    ):
        time = ChannelTime(weights.get(channel, 1), *map(int, sums))
        one = found.setdefault(worker, WorkerTime())
        if channel == WORKER:
            one.in_hand_ms, one.idle_ms = time.busy_ms, time.free_ms
        else:
            one.channels[channel] = time
    return found


def add_up(times: Iterable[WorkerTime]) -> WorkerTime:
    """Return the time of several workers together."""
    total = WorkerTime()
    for each in times:
        total.add(each)
    return total


def load_activity_times(workspace: Workspace, span: Span) -> dict[tuple[int, int], int]:
    """Return for how many milliseconds each worker was in each activity, by their keys."""
    rows = ActivityFigure.objects.filter(
        workspace=workspace, minute__gte=span.start, minute__lt=span.end
    )
    grouped = rows.order_by().values_list("worker_key", "activity_key").annotate(Sum("total_ms"))
    return {(worker, activity): int(total) for worker, activity, total in grouped}


def find_known_until(workspace: Workspace) -> datetime | None:
    """Return the end of the last quarter that is written."""
    minute = Bookmark.objects.filter(workspace=workspace).values_list("slots_minute", flat=True)
    found = minute.first()
    return None if found is None else moment(found * MINUTE_US)
