"""Formulas of rates and averages. Without a denominator there is none: None, never 0 % or 100 %."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.core.waits import Waits


class ServiceLevelFormula(StrEnum):
    """How abandoned tasks count in the service level."""

    STRICT = "A"  # each is a miss
    SHORT_IGNORED = "B"  # each is a miss, but short ones do not count
    LENIENT = "C"  # one within the threshold is a success
    EARLY_IGNORED = "D"  # each is a miss, but those within the threshold do not count


class WaitClock(StrEnum):
    """From when a wait is measured."""

    QUEUE = "queue"  # since the task entered the queue
    CREATION = "creation"  # since the task was created


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a queue promises on a channel; the times, in seconds, are edges of `waits`."""

    threshold: int = 60
    goal: int = 80
    short_abandon: int = 5
    formula: ServiceLevelFormula = ServiceLevelFormula.SHORT_IGNORED
    clock: WaitClock = WaitClock.QUEUE


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share with its parts, so that shares of several queues can be added.

    Arguments:
        is_upper_bound: the denominator was counted up to a limit, so the share is at most this.
    """

    part: int = 0
    whole: int = 0
    is_upper_bound: bool = False

    @property
    def percent(self) -> float | None:
        """Return it with one decimal; 100 only if it is exact, None without a whole."""
        if not self.whole:
            return None
        if self.part >= self.whole:
            return 100.0
        return min(round(100 * self.part / self.whole, 1), 99.9)

    def __add__(self, other: Ratio) -> Ratio:
        """Return the share of both together."""
        bound = self.is_upper_bound or other.is_upper_bound
        return Ratio(self.part + other.part, self.whole + other.whole, bound)


def service_level(
    answered: Waits,
    abandoned: Waits,
    target: Target,
    *,
    overdue: int = 0,
    has_more_overdue: bool = False,
) -> Ratio:
    """Return the service level of finished stays, or live with those that are overdue already.

    Arguments:
        answered, abandoned: the waits by the clock of the target.
        overdue: tasks that still wait, longer than the threshold.
        has_more_overdue: they were counted up to a limit only.
    """
    good = answered.within(target.threshold).count
    if target.formula == ServiceLevelFormula.LENIENT:
        good += abandoned.within(target.threshold).count
    whole = answered.count + counted_abandons(abandoned, target).count
    return Ratio(good, whole + overdue, has_more_overdue and overdue > 0)


def abandonment(answered: Waits, abandoned: Waits, target: Target) -> Ratio:
    """Return the share of abandoned tasks, without those that the formula leaves out."""
    given_up = counted_abandons(abandoned, target).count
    return Ratio(given_up, answered.count + given_up)


def average_wait_to_abandon_ms(abandoned: Waits, target: Target) -> int | None:
    """Return the mean wait of abandoned tasks, without those that the formula leaves out."""
    return counted_abandons(abandoned, target).average_ms


def average_ms(total_ms: int, count: int) -> int | None:
    """Return the mean of durations in whole milliseconds; None without any."""
    return total_ms // count if count else None


def counted_abandons(abandoned: Waits, target: Target) -> Waits:
    """Return the abandoned tasks that the formula of a target counts in its denominator."""
    match target.formula:
        case ServiceLevelFormula.SHORT_IGNORED:
            left_out = abandoned.below(target.short_abandon)
        case ServiceLevelFormula.EARLY_IGNORED:
            left_out = abandoned.within(target.threshold)
        case _:
            return abandoned
    counted = Waits()
    for place, count in abandoned.counts.items():
        if place not in left_out.counts:
            counted.add_place(place, count, abandoned.totals_ms[place])
    return counted
