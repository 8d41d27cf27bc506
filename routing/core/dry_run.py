"""Find what would become of a task that does not exist: its filters, its steps and its end.

Each decision is made by the function that makes it for a real task. Moments are microseconds since
1970-01-01 UTC.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from routing.core.clock import SECOND
from routing.core.decisions import CancelTask, EnterTarget, Reason
from routing.core.lanes import Identity, identify_lane
from routing.core.overdue import WaitingTask, decide_overdue_tasks, decide_skip
from routing.core.snapshot import Worker
from routing.core.workflow_position import (
    DEFAULT_FILTER,
    Step,
    build_task_view,
    find_first_step,
    find_target,
    time_of_day,
)
from workflows.configuration import Configuration, Target
from workflows.expressions import FailedComparison, View, find_failures

MOST_FILTERS: Final = 500
"""Filters of a configuration that a dry run lists."""
MOST_STEPS: Final = 500
"""Steps of a task that a dry run follows."""
MOST_FAILURES: Final = 20
"""Failed comparisons of one filter that a dry run lists."""

CountWorkers = Callable[[str], Mapping[str, int]]
"""Return the values of `workers.…` for the queue with a sid."""


class Floor(StrEnum):
    """How a dry run supposes the workers to be."""

    NOW = "now"  # as they are
    READY = "ready"  # all are available, and none has work
    BUSY = "busy"  # all are available, each with the work that they have


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedTask:
    """A task that is tried: what a creation by REST gives, and the moment of it."""

    sid: str
    attributes: Mapping[str, Any]
    channel_unique_name: str
    channel_sid: str
    priority: int
    workflow_sid: str | None
    created_us: int
    expires_us: int

    def build_view(self, *, priority: int, now: int) -> View:
        """Return the task as expressions read it at this moment."""
        return build_task_view(
            self.attributes,
            sid=self.sid,
            channel_unique_name=self.channel_unique_name,
            channel_sid=self.channel_sid,
            priority=priority,
            workflow_sid=self.workflow_sid,
            age=(now - self.created_us) // SECOND,
        )

    def wait(
        self, configuration: Configuration, step: Step, *, priority: int, now: int
    ) -> WaitingTask:
        """Return the task as it waits in a step."""
        return WaitingTask(
            sid=self.sid,
            version=0,
            expires_us=self.expires_us,
            view=self.build_view(priority=priority, now=now),
            configuration=configuration,
            step=step,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterTrial:
    """A filter tried on a task; `because` has the failed comparisons if it does not match."""

    name: str
    expression: str
    matches: bool
    because: tuple[FailedComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStep:
    """A step that a task enters, and leaves if no worker takes it.

    `left_us` is None for the last step of a route that is cut off. `skip_counts` has the values of
    `workers.…` that the step's skip_if reads; None without one.
    """

    step: Step
    target: Target
    identity: Identity
    view: View
    filter_name: str
    priority: int
    entered_us: int
    left_us: int | None = None
    skipped: bool = False
    skip_counts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The steps of a task that no worker takes, and how it ends.

    `reason` is why it is canceled at `ends_us`; "" if the steps are cut off at `MOST_STEPS`. No
    steps: no filter takes the task, and its creation would be refused.
    """

    steps: Sequence[RouteStep]
    ends_us: int | None
    reason: str


def try_filters(configuration: Configuration, task: View, *, now: int) -> list[FilterTrial]:
    """Try the first `MOST_FILTERS` filters of a configuration on a task."""
    clock = time_of_day(now)
    return [
        FilterTrial(
            name=each.name,
            expression=each.expression.source,
            matches=each.expression.matches(task=task, taskrouter=clock),
            because=tuple(
                itertools.islice(
                    find_failures(each.expression, task=task, taskrouter=clock), MOST_FAILURES
                )
            ),
        )
        for each in configuration.filters[:MOST_FILTERS]
    ]


def trace_route(
    configuration: Configuration, task: SupposedTask, *, count_workers: CountWorkers
) -> Route:
    """Follow a task through its workflow until its end, as if no worker took it."""
    now, priority = task.created_us, task.priority
    step = find_first_step(
        configuration, task.build_view(priority=priority, now=now), base=now, now=now
    )
    steps: list[RouteStep] = []
    while step is not None and len(steps) < MOST_STEPS:
        entered = enter_step(configuration, task, step, priority=priority, now=now)
        priority = entered.priority
        if step.skip_unasked:
            counts = count_workers(entered.target.queue)
            entered = replace(entered, skip_counts=_select_counts(entered.target, counts))
            waiting = task.wait(configuration, step, priority=priority, now=now)
            skip = decide_skip(waiting, workers=counts, now=now)
            if isinstance(skip, (EnterTarget, CancelTask)):
                steps.append(replace(entered, left_us=now, skipped=True))
                if isinstance(skip, CancelTask):
                    return Route(steps=steps, ends_us=now, reason=skip.why)
                step = skip.step
                continue
        end = min(task.expires_us, step.deadline_us or task.expires_us)
        now = max(now, end)
        steps.append(replace(entered, left_us=now))
        waiting = task.wait(configuration, step, priority=priority, now=now)
        (decision,) = decide_overdue_tasks([waiting], now=now)
        if not isinstance(decision, EnterTarget):
            reason = decision.why if isinstance(decision, CancelTask) else Reason.EXPIRED
            return Route(steps=steps, ends_us=now, reason=reason)
        step = decision.step
    return Route(steps=steps, ends_us=None, reason="")


def enter_step(
    configuration: Configuration, task: SupposedTask, step: Step, *, priority: int, now: int
) -> RouteStep:
    """Return a step as a task enters it, with the lane in which it waits there.

    Arguments:
        priority: the task's priority before, which the target may replace.
    """
    target = find_target(configuration, step)
    if target.priority is not None:
        priority = target.priority
    view = task.build_view(priority=priority, now=now)
    default = step.filter_index == DEFAULT_FILTER
    return RouteStep(
        step=step,
        target=target,
        identity=identify_lane(target, view, task_channel_sid=task.channel_sid),
        view=view,
        filter_name="default_filter" if default else configuration.filters[step.filter_index].name,
        priority=priority,
        entered_us=now,
    )


def suppose_workers(workers: Iterable[Worker], floor: Floor) -> Iterator[Worker]:
    """Yield the workers as a floor supposes them to be."""
    for worker in workers:
        match floor:
            case Floor.NOW:
                yield worker
            case Floor.BUSY:
                yield replace(worker, available=True)
            case Floor.READY:
                channels = {
                    key: replace(channel, consumed=0, assigned=0)
                    for key, channel in worker.channels.items()
                }
                yield replace(worker, available=True, channels=channels)


def _select_counts(target: Target, counts: Mapping[str, int]) -> Mapping[str, Any]:
    """Return the counts that a target's skip_if reads, each by its name."""
    assert target.skip_if is not None
    names = sorted(".".join(map(str, path)) for path in target.skip_if.paths("workers"))
    return {f"workers.{name}": counts.get(name) for name in names}
