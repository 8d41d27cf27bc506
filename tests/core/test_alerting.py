"""Thresholds: when an alert is raised and cleared, with hysteresis."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from routing.core.alerting import (
    AlertFigure,
    AlertLevel,
    Limits,
    PlaceState,
    judge_figure,
)

SECOND = 1_000_000


def run(limits: Limits, readings: Sequence[tuple[int, float | None]]) -> list[AlertLevel | None]:
    """Return the level after each reading, given as a second and a value."""
    state, levels = PlaceState(), []
    for second, value in readings:
        state = judge_figure(limits, state, value, now_us=second * SECOND)
        levels.append(state.level)
    return levels


def make(figure: AlertFigure = AlertFigure.WAITING, **values: int | None) -> Limits:
    return Limits(figure=figure, **({"watch": None, "act": None} | values))  # type: ignore[arg-type]


def test_an_alert_is_raised_at_the_limit_and_cleared_below_the_margin() -> None:
    limits = make(watch=10)
    assert run(limits, [(0, 9), (1, 10), (2, 9.5), (3, 9), (4, 8), (5, 10)]) == [
        *(None, "watch", "watch", "watch", None, "watch"),
    ]


def test_a_figure_must_stay_beyond_the_limit_for_the_hold_time() -> None:
    limits = make(act=5, hold=10)
    assert run(limits, [(0, 5), (9, 6), (10, 5)]) == [None, None, "act"]
    assert run(limits, [(0, 5), (9, 4), (10, 5), (19, 5), (20, 5)]) == [*[None] * 4, "act"]


def test_a_figure_around_the_limit_neither_raises_nor_clears_again_and_again() -> None:
    limits = make(watch=5, hold=10)
    around = [(second, 5 - second % 2) for second in range(11, 60)]
    levels = run(limits, [(second, 5) for second in range(11)] + around)
    assert levels[10] == "watch"
    assert set(levels[11:]) == {"watch"}


def test_it_is_cleared_after_the_hold_time_of_better_figures() -> None:
    limits = make(watch=5, hold=10)
    assert run(limits, [(0, 7), (10, 7), (11, 2), (20, 2), (21, 2)]) == [
        *(None, "watch", "watch", "watch", None),
    ]


def test_each_level_has_a_limit_of_its_own() -> None:
    limits = make(watch=5, act=20)
    assert run(limits, [(0, 6), (1, 25), (2, 19), (3, 17), (4, 4)]) == [
        *("watch", "act", "act", "watch", None),
    ]


@pytest.mark.parametrize("figure", [AlertFigure.AVAILABLE, AlertFigure.FREE])
def test_few_agents_are_bad_at_the_limit_and_below(figure: AlertFigure) -> None:
    limits = make(figure, watch=5, act=0)
    assert run(limits, [(0, 6), (1, 5), (2, 0), (3, 1), (4, 6)]) == [
        *(None, "watch", "act", "watch", None),
    ]


def test_a_service_level_near_100_percent_can_be_cleared() -> None:
    limits = make(AlertFigure.SERVICE_LEVEL, watch=95)
    assert run(limits, [(0, 94.0), (1, 97.0), (2, 98.0)]) == ["watch", "watch", None]


def test_a_figure_that_is_missing_raises_nothing_and_clears() -> None:
    limits = make(AlertFigure.SERVICE_LEVEL, act=80)
    assert run(limits, [(0, None), (1, 50.0), (2, None)]) == [None, "act", None]
