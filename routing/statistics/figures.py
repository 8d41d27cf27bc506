"""Figures of queues, channels and workers in a window, from what the bookkeeper has counted.

    span = figures.last_minutes(now)                  # 30 whole minutes and this one so far
    span = figures.today(workspace, now=now)          # since `day_starts_at` in `time_zone`
    queues = figures.load_queue_figures(workspace, span)
    of_queue = queues[queue_key, channel_key]         # missing if nothing happened
    of_queue.entered, of_queue.ends[StayEnd.ABANDONED], of_queue.answered_by("grab")
    of_queue.average_speed_ms(WaitClock.QUEUE)        # ASA; None: nothing was answered
    targets = figures.load_targets(workspace)         # a `Target` for every pair; defaults too
    overdue = figures.count_overdue(queue, channel, target, now=now)
    figures.live_service_level(of_queue, target, overdue).percent

The keys of queues, channels and workers are `sids.index_key` of their sids; a queue key of 0
stands for tasks without a queue. To add channels, or queues, use `QueueFigures.add`; service levels
of several pairs are added as `Ratio`s (`sum(ratios, Ratio())`), as each has its own target.

    workers = figures.load_worker_figures(workspace, span)
    of_worker = workers[worker_key, channel_key]
    of_worker.handled, of_worker.average_handle_ms, of_worker.missed, of_worker.rejected

A window must begin and end at whole quarters of an hour if it begins more than two hours ago.
Each loader sends one or two queries, and costs the same whatever waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import QuerySet, Sum

from routing import sids
from routing.core import rates
from routing.core.rates import Ratio, Target, WaitClock
from routing.core.stays import StayEnd
from routing.core.vocabulary import ReservationOrigin
from routing.core.waits import Waits
from routing.models import (
    Bookmark,
    Figure,
    FigureWait,
    QueueTarget,
    Task,
    TaskChannel,
    TaskQueue,
    Workspace,
)
from routing.statistics.bookkeeper import floor_minute
from routing.statistics.windows import Span
from routing.time_zones import find_zone

MOST_OVERDUE: Final = 1_000
"""Number up to which overdue tasks are counted."""

_ENDS: Final = {end.value: end for end in StayEnd}
_OFFERS: Final = (*("offers", "accepted", "rejected", "missed", "rescinded", "canceled_offers"),)
_WORK: Final = (*("handled", "handled_ms", "wrapped", "wrapping_ms", "taken_back", "deleted_work"),)
_STAYS: Final = ("entered", "channel_entered", *_ENDS)
_TASKS: Final = ("tasks_created", "tasks_completed", "transferred_in", "transferred_out")


def last_minutes(now: datetime, minutes: int = 30) -> Span:
    """Return the whole minutes before this one, and this one so far."""
    this = floor_minute(now, 1)
    return Span(this - minutes, this + 1)


def today(workspace: Workspace, *, now: datetime) -> Span:
    """Return the workspace's present day so far."""
    zone = find_zone(workspace.time_zone)
    begins = time.fromisoformat(workspace.day_starts_at)
    here = now.astimezone(zone)
    date = here.date() if here.time() >= begins else here.date() - timedelta(days=1)
    start = datetime.combine(date, begins, tzinfo=zone)
    return Span(floor_minute(start), floor_minute(now, 1) + 1)


def find_end_of_day(workspace: Workspace, *, now: datetime) -> datetime:
    """Return when the workspace's present day ends."""
    zone = find_zone(workspace.time_zone)
    begins = time.fromisoformat(workspace.day_starts_at)
    here = now.astimezone(zone)
    date = here.date() if here.time() < begins else here.date() + timedelta(days=1)
    return datetime.combine(date, begins, tzinfo=zone)


@dataclass(slots=True)
class QueueFigures:
    """What happened to stays and offers of a queue on a channel, or of several.

    Arguments:
        ends: stays that ended, by how.
        by_origin: columns of `Figure` by origin; "" are events without one.
        answered_waits: waits of answered tasks, by clock and origin.
        abandoned_waits: waits of abandoned tasks, by clock.
    """

    entered: int = 0
    channel_entered: int = 0
    ends: Counter[StayEnd] = field(default_factory=Counter)
    by_origin: dict[str, Counter[str]] = field(default_factory=dict)
    answered_waits: dict[WaitClock, dict[str, Waits]] = field(default_factory=dict)
    abandoned_waits: dict[WaitClock, Waits] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Return the number of first answers, without transfers."""
        return self.ends[StayEnd.ANSWERED]

    @property
    def abandoned(self) -> int:
        """Return how many customers gave up, short waits included."""
        return self.ends[StayEnd.ABANDONED]

    @property
    def net_entered(self) -> int:
        """Return by how many tasks the queue has grown."""
        return self.entered + self.channel_entered - self.ends.total()

    def count(self, name: str, *, origin: str | None = None) -> int:
        """Return the sum of a column of `Figure`, of all origins or of one."""
        if origin is not None:
            return self.by_origin.get(origin, Counter())[name]
        return sum(counts[name] for counts in self.by_origin.values())

    def answered_by(self, origin: str) -> int:
        """Return how many first answers came about in this way."""
        return self.count(StayEnd.ANSWERED.value, origin=origin)

    def answered_in(self, clock: WaitClock, origin: str | None = None) -> Waits:
        """Return the waits of answered tasks, of all origins or of one."""
        of_origin = self.answered_waits.get(clock, {})
        if origin is not None:
            return of_origin.get(origin, Waits())
        found = Waits()
        for each in of_origin.values():
            found.add(each)
        return found

    def abandoned_in(self, clock: WaitClock) -> Waits:
        """Return the waits of abandoned tasks."""
        return self.abandoned_waits.get(clock, Waits())

    def average_speed_ms(self, clock: WaitClock, origin: str | None = None) -> int | None:
        """Return the average speed of answer (ASA)."""
        return self.answered_in(clock, origin).average_ms

    @property
    def accept_rate(self) -> Ratio:
        """Return the share of accepted offers of those that the router made and workers answered.

        Expired offers are among them; withdrawn ones are not.
        """
        push = ReservationOrigin.PUSH.value
        accepted = self.count("accepted", origin=push)
        failed = self.count("rejected", origin=push) + self.count("missed", origin=push)
        return Ratio(accepted, accepted + failed)

    def add(self, other: QueueFigures) -> None:
        """Add the figures of another queue or channel."""
        self.entered += other.entered
        self.channel_entered += other.channel_entered
        self.ends.update(other.ends)
        for origin, counts in other.by_origin.items():
            self.by_origin.setdefault(origin, Counter()).update(counts)
        for clock, by_origin in other.answered_waits.items():
            for origin, waits in by_origin.items():
                mine = self.answered_waits.setdefault(clock, {})
                mine.setdefault(origin, Waits()).add(waits)
        for clock, waits in other.abandoned_waits.items():
            self.abandoned_waits.setdefault(clock, Waits()).add(waits)


@dataclass(slots=True)
class WorkerFigures:
    """What a worker did on a channel, or on several; columns of `Figure` by origin."""

    by_origin: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, name: str, *, origin: str | None = None) -> int:
        """Return the sum of a column of `Figure`, of all origins or of one."""
        if origin is not None:
            return self.by_origin.get(origin, Counter())[name]
        return sum(counts[name] for counts in self.by_origin.values())

    @property
    def handled(self) -> int:
        """Return the number of reservations whose work ended as usual."""
        return self.count("handled")

    @property
    def missed(self) -> int:
        """Return the number of offers that were not answered in time."""
        return self.count("missed")

    @property
    def rejected(self) -> int:
        """Return the number of offers that the worker declined."""
        return self.count("rejected")

    @property
    def average_handle_ms(self) -> int | None:
        """Return the average handle time (AHT), with the wrap-up."""
        return rates.average_ms(self.count("handled_ms"), self.handled)

    @property
    def average_wrap_up_ms(self) -> int | None:
        """Return the average wrap-up of those that were wrapped up."""
        return rates.average_ms(self.count("wrapping_ms"), self.count("wrapped"))

    def add(self, other: WorkerFigures) -> None:
        """Add the figures of another channel or worker."""
        for origin, counts in other.by_origin.items():
            self.by_origin.setdefault(origin, Counter()).update(counts)


Pair = tuple[int, int]
"""The key of a queue or of a worker, and the key of a channel."""


def load_queue_figures(
    workspace: Workspace,
    span: Span,
    *,
    by: str = "task_queue_key",
    only: Mapping[str, Collection[int]] | None = None,
) -> dict[Pair, QueueFigures]:
    """Return the figures of every queue and channel in which something happened.

    Arguments:
        by: `workflow_key` for the figures of workflows instead.
        only: the keys that count, by column.
    """
    found: dict[Pair, QueueFigures] = {}
    names = (*_STAYS, *_OFFERS, *_WORK, *_TASKS)
    for *pair, origin, values in _sum_figures(workspace, span, by, names, only):
        one = found.setdefault((pair[0], pair[1]), QueueFigures())
        one.by_origin.setdefault(origin, Counter()).update(values)
        one.entered += values["entered"]
        one.channel_entered += values["channel_entered"]
        for name, end in _ENDS.items():
            if values[name]:
                one.ends[end] += values[name]
    for row in _sum_waits(workspace, span, by, only):
        one = found.setdefault((row[by], row["task_channel_key"]), QueueFigures())
        clock = WaitClock(row["clock"])
        if row["end"] == StayEnd.ANSWERED:
            waits = one.answered_waits.setdefault(clock, {}).setdefault(row["origin"], Waits())
        else:
            waits = one.abandoned_waits.setdefault(clock, Waits())
        waits.add_place(row["place"], row["count"], row["total"])
    return found


def load_worker_figures(
    workspace: Workspace, span: Span, *, workers: Collection[int] | None = None
) -> dict[Pair, WorkerFigures]:
    """Return the figures of every worker and channel on which they did something.

    Arguments:
        workers: the keys of the workers to load; None for all.
    """
    found: dict[Pair, WorkerFigures] = {}
    only = {} if workers is None else {"worker_key": workers}
    for *pair, origin, values in _sum_figures(
        workspace, span, "worker_key", (*_OFFERS, *_WORK, StayEnd.ANSWERED.value), only
    ):
        if pair[0]:
            one = found.setdefault((pair[0], pair[1]), WorkerFigures())
            one.by_origin.setdefault(origin, Counter()).update(values)
    return found


def _sum_figures(
    workspace: Workspace,
    span: Span,
    by: str,
    names: Collection[str],
    only: Mapping[str, Collection[int]] | None,
) -> list[tuple[int, int, str, dict[str, int]]]:
    rows = _filter(Figure.objects.all(), workspace, span, only)
    grouped = rows.values_list(by, "task_channel_key", "origin").annotate(
        **{f"sum_{name}": Sum(name) for name in names}
    )
    return [
        (key, channel, origin, dict(zip(names, map(int, sums), strict=True)))
        for key, channel, origin, *sums in grouped
    ]


def _sum_waits(
    workspace: Workspace, span: Span, by: str, only: Mapping[str, Collection[int]] | None
) -> list[dict[str, Any]]:
    rows = _filter(FigureWait.objects.all(), workspace, span, only)
    grouped = rows.values(by, "task_channel_key", "origin", "end", "clock", "place")
    return list(grouped.annotate(count=Sum("tasks"), total=Sum("total_ms")))


def _filter(
    rows: QuerySet[Any],
    workspace: Workspace,
    span: Span,
    only: Mapping[str, Collection[int]] | None,
) -> QuerySet[Any]:
    chosen = {f"{name}__in": list(keys) for name, keys in (only or {}).items()}
    here = rows.filter(workspace=workspace, minute__gte=span.start, minute__lt=span.end, **chosen)
    return here.order_by()


def load_targets(workspace: Workspace) -> dict[Pair, Target]:
    """Return the target of every queue and channel of a workspace, by their keys."""
    queues = list(workspace.task_queues.values_list("pk", "sid"))
    channels = list(workspace.task_channels.values_list("pk", "sid"))
    rows = QueueTarget.objects.filter(task_queue__workspace=workspace)
    stored = {(row.task_queue_id, row.task_channel_id): row.target for row in rows}
    return {
        (sids.index_key(queue_sid), sids.index_key(channel_sid)): stored.get(
            (queue, channel), Target()
        )
        for queue, queue_sid in queues
        for channel, channel_sid in channels
    }


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many tasks wait for longer than their target; `has_more`: counted to the limit only."""

    tasks: int = 0
    has_more: bool = False


def count_overdue(
    queue: TaskQueue, channel: TaskChannel, target: Target, *, now: datetime
) -> Overdue:
    """Count the pending tasks of a queue and channel that have waited longer than the threshold."""
    column = "task_queue_entered_date" if target.clock == WaitClock.QUEUE else "date_created"
    since = now - timedelta(seconds=target.threshold)
    rows = Task.objects.pending().filter(
        task_queue=queue, task_channel=channel, **{f"{column}__lt": since}
    )
    counted = rows.order_by(column, "pk").values("pk")[: MOST_OVERDUE + 1].count()
    return Overdue(min(counted, MOST_OVERDUE), counted > MOST_OVERDUE)


def service_level(of_queue: QueueFigures, target: Target) -> Ratio:
    """Return the service level of the stays that ended."""
    return live_service_level(of_queue, target, Overdue())


def live_service_level(of_queue: QueueFigures, target: Target, overdue: Overdue) -> Ratio:
    """Return the service level in which overdue tasks are misses already."""
    return rates.service_level(
        of_queue.answered_in(target.clock),
        of_queue.abandoned_in(target.clock),
        target,
        overdue=overdue.tasks,
        has_more_overdue=overdue.has_more,
    )


def abandonment(of_queue: QueueFigures, target: Target) -> Ratio:
    """Return the share of customers who gave up."""
    return rates.abandonment(
        of_queue.answered_in(target.clock), of_queue.abandoned_in(target.clock), target
    )


def find_counted_until(workspace: Workspace) -> datetime | None:
    """Return the date of the last event that is counted."""
    dates = Bookmark.objects.filter(workspace=workspace).values_list("date_counted", flat=True)
    return dates.first()
