"""Find a task's step in its workflow: where it enters, and where it goes at a deadline.

All functions are pure; moments are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from routing.core.clock import SECOND, moment
from workflows import expressions
from workflows.configuration import Configuration, Target
from workflows.expressions import View

DEFAULT_FILTER: Final = -1
"""The filter index of a task that waits under the default filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A place in a configuration: one target of one filter.

    `clock_us` is the moment up to which the timeouts of this filter's entered targets have been
    counted. `deadline_us` is when this step ends; None if it has no timeout.
    """

    filter_index: int
    target_index: int
    clock_us: int
    deadline_us: int | None
    skip_unasked: bool


def time_of_day(now: int) -> View:
    """Return the values of `taskrouter.…` at this moment."""
    return expressions.time_of_day(moment(now))


def build_task_view(
    attributes: Mapping[str, Any],
    *,
    sid: str,
    channel_unique_name: str,
    channel_sid: str,
    priority: int,
    workflow_sid: str | None,
    age: int,
) -> View:
    """Return a task as expressions read it: its attributes first, then built-in fields."""
    return View(
        attributes,
        {
            "sid": sid,
            "task_channel_unique_name": channel_unique_name,
            "task_channel_sid": channel_sid,
            "priority": priority,
            "workflow_sid": workflow_sid,
            "age": age,
        },
    )


def find_target(configuration: Configuration, step: Step) -> Target:
    """Return the target of a step."""
    if step.filter_index == DEFAULT_FILTER:
        assert configuration.default is not None
        return configuration.default
    return configuration.filters[step.filter_index].targets[step.target_index]


def find_first_step(
    configuration: Configuration, task: View, *, base: int, now: int
) -> Step | None:
    """Find where a task enters its workflow (behaviour.md §6.3).

    Arguments:
        base: the moment from which the first filter's timeouts count.

    Returns None when no filter matches and there is no default filter.
    """
    step = _first_match(configuration, task, start=0, base=base, now=now)
    return step or _default(configuration, clock=base)


def advance_past_deadlines(
    configuration: Configuration, task: View, step: Step, *, now: int
) -> Step | None:
    """Advance past every deadline that has passed; None when the workflow is exhausted.

    The default filter never rescues a task from a timeout: only later filters do.
    """
    current: Step | None = step
    while current is not None and current.deadline_us is not None and current.deadline_us <= now:
        current = _next_target(configuration, current) or _first_match(
            configuration, task, start=current.filter_index + 1, base=now, now=now
        )
    return current


def skip_step(configuration: Configuration, task: View, step: Step, *, now: int) -> Step | None:
    """Leave a step whose skip_if is true; None when no target is left, not even the default.

    A skipped target's timeout does not count towards the deadlines of those after it.
    """
    timeout = find_target(configuration, step).timeout
    unspent = replace(step, clock_us=step.clock_us - (timeout or 0) * SECOND)
    return (
        _next_target(configuration, unspent)
        or _first_match(configuration, task, start=step.filter_index + 1, base=now, now=now)
        or _default(configuration, clock=now)
    )


def restart_step(configuration: Configuration, step: Step, *, now: int) -> Step:
    """Return a step with its whole time ahead, as when it was entered."""
    if step.filter_index == DEFAULT_FILTER:
        return replace(step, clock_us=now)
    entered = _enter(configuration, step.filter_index, step.target_index, clock=now)
    return replace(entered, skip_unasked=step.skip_unasked)


def _first_match(
    configuration: Configuration, task: View, *, start: int, base: int, now: int
) -> Step | None:
    clock = time_of_day(now)
    for index, filter_ in enumerate(configuration.filters[start:], start):
        if filter_.expression.matches(task=task, taskrouter=clock):
            return _enter(configuration, index, 0, clock=base)
    return None


def _next_target(configuration: Configuration, step: Step) -> Step | None:
    if step.filter_index == DEFAULT_FILTER:
        return None
    following = step.target_index + 1
    if following == len(configuration.filters[step.filter_index].targets):
        return None
    return _enter(configuration, step.filter_index, following, clock=step.clock_us)


def _enter(configuration: Configuration, filter_: int, target: int, *, clock: int) -> Step:
    entered = configuration.filters[filter_].targets[target]
    deadline = None if entered.timeout is None else clock + entered.timeout * SECOND
    return Step(
        filter_index=filter_,
        target_index=target,
        clock_us=clock if deadline is None else deadline,
        deadline_us=deadline,
        skip_unasked=entered.skip_if is not None,
    )


def _default(configuration: Configuration, *, clock: int) -> Step | None:
    if configuration.default is None:
        return None
    return Step(
        filter_index=DEFAULT_FILTER,
        target_index=0,
        clock_us=clock,
        deadline_us=None,
        skip_unasked=False,
    )
