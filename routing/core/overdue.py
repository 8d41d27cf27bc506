"""Decide what becomes of offers and waiting tasks whose time is up, and of steps with a skip_if."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.core.decisions import (
    CancelTask,
    CompleteWrapUp,
    Decision,
    EnterTarget,
    KeepWaiting,
    Reason,
    TimeOutReservation,
)
from routing.core.workflow_position import Step, advance_past_deadlines, find_target, skip_step
from workflows.configuration import Configuration
from workflows.expressions import View


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A task whose deadline or step must be decided, with the values the decision needs.

    A task whose lifetime is over needs only `sid`, `version` and `expires_us`.
    """

    sid: str
    version: int
    expires_us: int
    view: View = field(default_factory=lambda: View({}, {}))
    configuration: Configuration | None = None
    step: Step | None = None


def decide_overdue_offers(reservation_sids: Iterable[str]) -> list[Decision]:
    """Return the decisions that end pending reservations past their deadline."""
    return [TimeOutReservation(reservation_sid=sid) for sid in reservation_sids]


def decide_overdue_wrap_ups(reservation_sids: Iterable[str]) -> list[Decision]:
    """Return the decisions that complete tasks whose time for wrapping up is over."""
    return [CompleteWrapUp(reservation_sid=sid) for sid in reservation_sids]


def decide_overdue_tasks(tasks: Iterable[WaitingTask], *, now: int) -> list[Decision]:
    """Return for each task past a deadline its next step, or its end."""
    return [_decide_overdue_task(task, now) for task in tasks]


def _decide_overdue_task(task: WaitingTask, now: int) -> Decision:
    if task.expires_us <= now or task.configuration is None or task.step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.EXPIRED)
    step = advance_past_deadlines(task.configuration, task.view, task.step, now=now)
    if step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.WORKFLOW_TIMEOUT)
    return EnterTarget(task_sid=task.sid, version=task.version, step=step, timed_out=True)


def decide_skip(task: WaitingTask, *, workers: Mapping[str, Any], now: int) -> Decision:
    """Decide whether a task that got no offer on entering a step waits there or skips the step.

    Arguments:
        workers: the values of `workers.…`: how many workers of the step's queue are available,
            unavailable, and in each activity by sid (behaviour.md §6.4).
    """
    assert task.configuration is not None
    assert task.step is not None
    skip_if = find_target(task.configuration, task.step).skip_if
    if skip_if is None or not skip_if.matches(workers=View(workers, {})):
        return KeepWaiting(task_sid=task.sid, version=task.version)
    step = skip_step(task.configuration, task.view, task.step, now=now)
    if step is None:
        return CancelTask(task_sid=task.sid, version=task.version, why=Reason.WORKFLOW_SKIPPED)
    return EnterTarget(task_sid=task.sid, version=task.version, step=step, timed_out=False)
