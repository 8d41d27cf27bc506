"""Judge a figure against the limits of a threshold, with hysteresis.

Each limit is a switch. It goes on after the figure has been at the limit or beyond for the
threshold's hold time. It goes off after the figure has been better by a margin for the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from routing.core.floor_figures import FigureUnit, FloorFigure

MICROSECONDS: Final = 1_000_000


class AlertLevel(StrEnum):
    """How urgent an alert is."""

    WATCH = "watch"
    ACT = "act"


class AlertScope(StrEnum):
    """What a threshold is about."""

    QUEUE = "queue"  # one queue
    EACH_QUEUE = "each_queue"  # every queue by itself
    FLOOR = "floor"  # the whole workspace


class AlertFigure(FloorFigure):
    """The figures that thresholds compare."""

    WAITING = "waiting"
    LONGEST_WAIT = "longest_wait"
    OVERDUE = "overdue"
    SERVICE_LEVEL = "service_level"
    ABANDONMENT = "abandonment"
    AVAILABLE = "available"
    FREE = "free"
    OLDEST_WRAP_UP = "oldest_wrap_up"
    MISSED_OFFERS = "missed_offers"
    NO_DESK = "no_desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a threshold.

    Arguments:
        watch, act: the limit of each level, in the figure's unit; None for none.
        hold: seconds for which a figure must stay beyond a limit, or better than it.
        margin: percent of a limit by which a figure must be better.
    """

    figure: AlertFigure
    watch: int | None
    act: int | None
    hold: int = 0
    margin: int = 10


class Switch(NamedTuple):
    """Whether a limit counts as passed, and since when the figure says the opposite."""

    on: bool = False
    pending_us: int | None = None


class PlaceState(NamedTuple):
    """The switches of a threshold for one queue, or for the whole workspace."""

    watch: Switch = Switch()
    act: Switch = Switch()

    @property
    def level(self) -> AlertLevel | None:
        """Return the level that is on."""
        if self.act.on:
            return AlertLevel.ACT
        return AlertLevel.WATCH if self.watch.on else None


def judge_figure(
    limits: Limits, state: PlaceState, value: float | None, *, now_us: int
) -> PlaceState:
    """Return the state after a figure was read.

    Arguments:
        value: the figure; None if there is none, such as a service level without tasks.
        now_us: the moment at which it was read, in microseconds.
    """
    return PlaceState(
        _turn(limits, limits.watch, state.watch, value, now_us),
        _turn(limits, limits.act, state.act, value, now_us),
    )


def _turn(
    limits: Limits, limit: int | None, switch: Switch, value: float | None, now_us: int
) -> Switch:
    if limit is None:
        return Switch()
    contradicts = (
        _is_better(limits, limit, value) if switch.on else limits.figure.is_beyond(limit, value)
    )
    if not contradicts:
        return Switch(switch.on)
    since = now_us if switch.pending_us is None else switch.pending_us
    if now_us - since >= limits.hold * MICROSECONDS:
        return Switch(not switch.on)
    return Switch(switch.on, since)


def _is_better(limits: Limits, limit: int, value: float | None) -> bool:
    """Return whether a figure is better than a limit by the margin."""
    if value is None:
        return True
    if not limits.figure.is_low_bad:
        return value < limit * (100 - limits.margin) / 100
    needed = limit * (100 + limits.margin) / 100
    if limits.figure.unit is FigureUnit.PERCENT:
        # No share is above 100 %: half of what lies between suffices.
        needed = min(needed, (limit + 100) / 2)
    return value > needed
