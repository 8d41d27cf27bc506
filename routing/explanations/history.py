"""Reconstruct which steps of its workflow a task has been in, from its events.

The position in a configuration shows where a task is, but not its history. A step before may have
timed out, been skipped, or belonged to another revision. Only the events have that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from routing import models, sids
from routing.core.event_catalog import EventType

MOST_EVENTS: Final = 400
"""Newest events to load of one task: enough for more than a hundred steps."""


class Outcome(StrEnum):
    """How a task left a step."""

    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    REROUTED = "rerouted"
    CANCELED = "canceled"

    @property
    def words(self) -> str:
        """Return the outcome as text for people."""
        return _OUTCOME_WORDS[self]


_OUTCOME_WORDS: Final = {
    Outcome.TIMED_OUT: "no worker took the task before the step's timeout",
    Outcome.SKIPPED: "no worker could take the task at once, and the step's skip_if was true",
    Outcome.REROUTED: "the task was changed and routed again",
    Outcome.CANCELED: "the task was canceled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay in a target of a workflow; `left` and `outcome` are None for the present one.

    `entered` is None when its event has been deleted.
    """

    filter_name: str | None
    task_queue_sid: str | None
    task_queue_name: str | None
    entered: datetime | None
    left: datetime | None = None
    outcome: Outcome | None = None


_CAUSES: Final = {
    EventType.TASK_UPDATED: Outcome.REROUTED,
    EventType.TASK_QUEUE_TIMEOUT: Outcome.TIMED_OUT,
    EventType.WORKFLOW_SKIPPED: Outcome.SKIPPED,
}
"""Events that come before a task's next step, and how they ended its last one."""


def list_stays(row: models.Task, *, workspace_sid: str) -> Sequence[Stay]:
    """Return the steps of a task, oldest first; the last may be the present one."""
    events = models.Event.objects.filter(
        task_key=sids.index_key(row.sid),
        workspace_sid=workspace_sid,
        resource_sid=row.sid,
        event_type__in=(EventType.WORKFLOW_TARGET_MATCHED, EventType.TASK_CANCELED, *_CAUSES),
    ).order_by("-pk")[:MOST_EVENTS]
    return _steps(reversed(list(events)))


def _steps(events: Iterable[models.Event]) -> list[Stay]:
    steps: list[Stay] = []
    cause: tuple[Outcome, datetime] | None = None
    for event in events:
        kind, date = EventType(event.event_type), event.event_date
        if kind == EventType.WORKFLOW_TARGET_MATCHED:
            # A cause counts only for a step entered at the same moment: a change of priority also
            # updates a task, but leaves it in its step.
            why = cause[0] if cause is not None and cause[1] == date else Outcome.SKIPPED
            _leave(steps, why, date)
            data = event.event_data
            steps.append(
                Stay(
                    filter_name=data.get("workflow_filter_name"),
                    task_queue_sid=data.get("task_queue_sid"),
                    task_queue_name=data.get("task_queue_name"),
                    entered=date,
                )
            )
            cause = None
        elif kind == EventType.TASK_CANCELED:
            why = Outcome.CANCELED
            if cause is not None and cause[1] == date and cause[0] != Outcome.REROUTED:
                why = cause[0]
            _leave(steps, why, date)
        else:
            cause = (_CAUSES[kind], date)
    return steps


def _leave(steps: list[Stay], outcome: Outcome, date: datetime) -> None:
    if steps:
        steps[-1] = replace(steps[-1], left=date, outcome=outcome)
