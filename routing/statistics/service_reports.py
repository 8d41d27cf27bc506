"""The service that queues gave in a window: stays, waits and offers, grouped and added up.

    scope = Scope(workspace=workspace, intervals=calendar.split(span, Step.DAY))
    rows = service_reports.load_service(scope, [INTERVAL, "task_queue_key"])
    rows[0, queue_key].figures.answered, rows[0, queue_key].level.percent
    total = service_reports.add_up(rows.values())

Counts, sums and shares of a total are those of its rows together. A target belongs to a queue and a
channel, so waits are grouped by target too, and shares are added with their parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models
from django.db.models import Case, Q, Sum, Value, When

from routing import sids
from routing.core import rates
from routing.core.rates import Ratio, Target, WaitClock
from routing.core.stays import StayEnd
from routing.core.waits import Waits, percentile_ms
from routing.models import Bookmark, Figure, FigureWait, MetricTotal, QueueTarget, Workspace
from routing.statistics.audits import OPENING
from routing.statistics.figures import Pair, QueueFigures
from routing.statistics.grouping import Scope, sum_by

Key = tuple[int, ...]
"""The values of the dimensions of a row."""

_ENDS: Final = {end.value: end for end in StayEnd}
_STAYS: Final = ("entered", "channel_entered", *_ENDS)
_OFFERS: Final = ("offers", "accepted", "rejected", "missed", "rescinded", "canceled_offers")
_TRANSFERS: Final = ("tasks_created", "transferred_in", "transferred_out")
SUMMED: Final = (*_STAYS, *_OFFERS, *_TRANSFERS)
"""The columns of `Figure` that a row has."""


@dataclass(slots=True)
class Service:
    """What happened to the stays and offers of a row.

    Arguments:
        figures: counts, and the waits of all answered and abandoned tasks.
        level: the service level, each queue and channel by its own target.
        given_up: the abandonment rate.
        within: answers within the threshold.
        short: tasks that were abandoned sooner than the target's short abandon.
        counted_up: waits of the abandoned tasks that the formulas count, by the targets' clocks.
        before: tasks that waited at the beginning; None where that is not known.
        exact: the same waits as in `figures`, one by one, where they are loaded.
    """

    figures: QueueFigures = field(default_factory=QueueFigures)
    level: Ratio = field(default_factory=Ratio)
    given_up: Ratio = field(default_factory=Ratio)
    within: int = 0
    short: int = 0
    counted_up: Waits = field(default_factory=Waits)
    before: int | None = None
    exact: list[int] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Return whether percentiles are exact, and not estimated from the histogram."""
        return len(self.exact) == self.waits.count

    def find_percentile_ms(self, percent: float) -> int | None:
        """Return how long a share of the answered tasks waited at most."""
        if self.is_exact:
            return percentile_ms(sorted(self.exact), percent)
        return self.waits.estimate_percentile_ms(percent)

    @property
    def waits(self) -> Waits:
        """Return the waits of all answered tasks, by the clock of the report."""
        found = Waits()
        for clock in self.figures.answered_waits:
            found.add(self.figures.answered_in(clock))
        return found

    @property
    def after(self) -> int | None:
        """Return how many tasks waited at the end; None where that is not known."""
        return None if self.before is None else self.before + self.figures.net_entered

    def add(self, other: Service) -> None:
        """Add another row; what waited is left alone, as it depends on the order of rows."""
        self.figures.add(other.figures)
        self.level += other.level
        self.given_up += other.given_up
        self.within += other.within
        self.short += other.short
        self.counted_up.add(other.counted_up)
        self.exact = [*self.exact, *other.exact]


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a workspace: the usual one, and for which queues and channels others hold."""

    different: dict[Pair, Target] = field(default_factory=dict)

    def find(self, queue: int, channel: int) -> Target:
        """Return the target of a queue and a channel, by their keys."""
        return self.different.get((queue, channel), Target())

    @property
    def several(self) -> list[Target]:
        """Return all targets without repetitions; the first one is the usual one."""
        return list(dict.fromkeys([Target(), *self.different.values()]))

    def place(self) -> Any:
        """Return an expression for the place of a row's target among `several`."""
        targets = self.several
        cases = []
        for place, target in enumerate(targets):
            by_channel: dict[int, list[int]] = {}
            for (queue, channel), own in self.different.items():
                if place and own == target:
                    by_channel.setdefault(channel, []).append(queue)
            cases += [
                When(Q(task_channel_key=channel, task_queue_key__in=queues), then=Value(place))
                for channel, queues in by_channel.items()
            ]
        if not cases:
            return Value(0, output_field=models.IntegerField())
        return Case(*cases, default=Value(0), output_field=models.IntegerField())


def load_targets(workspace: Workspace) -> Targets:
    """Return the targets of a workspace."""
    rows = QueueTarget.objects.filter(task_queue__workspace=workspace)
    return Targets(
        {
            (
                sids.index_key(row.task_queue.sid),
                sids.index_key(row.task_channel.sid),
            ): row.target
            for row in rows.select_related("task_queue", "task_channel")
            if row.target != Target()
        }
    )


def load_service(
    scope: Scope, by: Sequence[str], *, targets: Targets, clock: WaitClock = WaitClock.QUEUE
) -> dict[Key, Service]:
    """Return the rows in which something happened, by the values of these dimensions.

    Tasks that were routed to a worker without a queue are in none of them.

    Arguments:
        by: `INTERVAL`, and columns of `Figure`.
        clock: of the waits in `figures`; shares go by the clocks of the targets.
    """
    found: dict[Key, Service] = {}
    in_queues = Figure.objects.exclude(task_queue_key=0)
    for (*key, origin), values in sum_by(in_queues, scope, [*by, "origin"], SUMMED):
        figures = found.setdefault(tuple(key), Service()).figures
        _add_counts(figures, origin, values)
    several = targets.several
    clocks = {clock, *(target.clock for target in several)}
    rows = FigureWait.objects.filter(clock__in=[each.value for each in clocks])
    rows = rows.exclude(task_queue_key=0)
    columns = (*by, "target", "origin", "end", "clock", "place")
    waits: dict[tuple[Key, int], QueueFigures] = {}
    for (*key, target, origin, end, of_clock, place), (tasks, total) in sum_by(
        rows, scope, columns, ("tasks", "total_ms"), more={"target": targets.place()}
    ):
        one = waits.setdefault((tuple(key), target), QueueFigures())
        clocked = WaitClock(of_clock)
        if end == StayEnd.ANSWERED:
            answered = one.answered_waits.setdefault(clocked, {})
            answered.setdefault(origin, Waits()).add_place(place, tasks, total)
        else:
            abandoned = one.abandoned_waits.setdefault(clocked, Waits())
            abandoned.add_place(place, tasks, total)
    for (row, target), one in waits.items():
        _add_waits(found.setdefault(row, Service()), one, several[target], clock)
    return found


def _add_counts(figures: QueueFigures, origin: str, values: Sequence[int]) -> None:
    counts = dict(zip(SUMMED, values, strict=True))
    figures.by_origin.setdefault(origin, Counter()).update(
        {name: count for name, count in counts.items() if count}
    )
    figures.entered += counts["entered"]
    figures.channel_entered += counts["channel_entered"]
    for name, end in _ENDS.items():
        if counts[name]:
            figures.ends[end] += counts[name]


def _add_waits(service: Service, waits: QueueFigures, target: Target, clock: WaitClock) -> None:
    answered, abandoned = waits.answered_in(target.clock), waits.abandoned_in(target.clock)
    service.level += rates.service_level(answered, abandoned, target)
    service.given_up += rates.abandonment(answered, abandoned, target)
    service.within += answered.within(target.threshold).count
    service.short += abandoned.below(target.short_abandon).count
    service.counted_up.add(rates.counted_abandons(abandoned, target))
    kept = QueueFigures(answered_waits={clock: waits.answered_waits.get(clock, {})})
    kept.abandoned_waits[clock] = waits.abandoned_in(clock)
    if service.figures.answered_waits:
        service.figures.add(kept)
    else:  # nearly always, as most rows have one target
        service.figures.answered_waits = kept.answered_waits
        service.figures.abandoned_waits = kept.abandoned_waits


def add_up(rows: Iterable[Service]) -> Service:
    """Return the total of some rows."""
    total = Service()
    for each in rows:
        total.add(each)
    return total


_SIGNS: Final = {
    **dict.fromkeys(("entered", "channel_entered", OPENING), 1),
    **dict.fromkeys(_ENDS, -1),
}


def count_waiting_at(workspace: Workspace, minute: int) -> Counter[Pair] | None:
    """Return how many tasks waited in each queue on each channel when a minute began.

    The balance of all that is counted, without what was counted since. None for the log of an old
    release whose books are not opened yet.
    """
    if not Bookmark.objects.filter(workspace=workspace, has_opening=True).exists():
        return None
    waiting: Counter[Pair] = Counter()
    totals = MetricTotal.objects.filter(workspace=workspace, measure__in=_SIGNS)
    rows = totals.exclude(task_queue_key=0).order_by()
    for queue, channel, measure, value in rows.values_list(
        "task_queue_key", "task_channel_key", "measure"
    ).annotate(Sum("value")):
        waiting[queue, channel] += _SIGNS[measure] * int(value)
    later = Figure.objects.filter(workspace=workspace, minute__gte=minute).order_by()
    grouped = later.exclude(task_queue_key=0).values_list("task_queue_key", "task_channel_key")
    for queue, channel, *sums in grouped.annotate(**{f"sum_{n}": Sum(n) for n in _STAYS}):
        for name, value in zip(_STAYS, sums, strict=True):
            waiting[queue, channel] -= _SIGNS[name] * int(value)
    return waiting
