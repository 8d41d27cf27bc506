"""Read which steps of its workflow a task has been in, from the events that told of them.

The position in a configuration says where a task is, not how it came there: whether a step before
it timed out or was skipped, or belonged to another revision. Only the events know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from routing import models, sids
from routing.core.vocabulary import EventType

MOST_EVENTS: Final = 400
"""How many events of one task are read, the newest: more than a hundred steps."""


class Outcome(StrEnum):
    """How a task left a step."""

    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    REROUTED = "rerouted"
    CANCELED = "canceled"

    @property
    def words(self) -> str:
        """Say it in words."""
        return _OUTCOME_WORDS[self]


_OUTCOME_WORDS: Final = {
    Outcome.TIMED_OUT: "nobody took the task before the step's timeout",
    Outcome.SKIPPED: "nobody could take the task at once, and the step's skip_if was true",
    Outcome.REROUTED: "the task was changed and routed anew",
    Outcome.CANCELED: "the task was canceled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stay in a target of a workflow; `left` and `outcome` are None for where the task is.

    `entered` is None when the event that told of it is no longer kept.
    """

    filter_name: str | None
    task_queue_sid: str | None
    task_queue_name: str | None
    entered: datetime | None
    left: datetime | None = None
    outcome: Outcome | None = None


_TELLING: Final = {
    EventType.WORKFLOW_TARGET_MATCHED,
    EventType.TASK_UPDATED,
    EventType.TASK_QUEUE_TIMEOUT,
    EventType.WORKFLOW_SKIPPED,
    EventType.TASK_CANCELED,
}


def of_task(row: models.Task, *, workspace_sid: str) -> Sequence[Step]:
    """Return the steps a task has been in, oldest first; the last may be the one it is in."""
    events = models.Event.objects.filter(
        task_key=sids.key(row.sid),
        workspace_sid=workspace_sid,
        resource_sid=row.sid,
        event_type__in=[event_type.value for event_type in _TELLING],
    ).order_by("-pk")[:MOST_EVENTS]
    return _steps(reversed(list(events)))


def _steps(events: Iterable[models.Event]) -> list[Step]:
    steps: list[Step] = []
    cause: tuple[Outcome, datetime] | None = None
    for event in events:
        kind, date = EventType(event.event_type), event.event_date
        if kind == EventType.WORKFLOW_TARGET_MATCHED:
            # A cause counts only for the step entered in the same breath: a change of priority also
            # updates a task, and leaves it where it is.
            why = cause[0] if cause is not None and cause[1] == date else Outcome.SKIPPED
            _leave(steps, why, date)
            data = event.event_data
            steps.append(
                Step(
                    filter_name=data.get("workflow_filter_name"),
                    task_queue_sid=data.get("task_queue_sid"),
                    task_queue_name=data.get("task_queue_name"),
                    entered=date,
                )
            )
            cause = None
        elif kind == EventType.TASK_CANCELED:
            told = cause is not None and cause[1] == date and cause[0] != Outcome.REROUTED
            _leave(steps, cause[0] if told and cause is not None else Outcome.CANCELED, date)
        else:
            cause = (_CAUSES[kind], date)
    return steps


_CAUSES: Final = {
    EventType.TASK_UPDATED: Outcome.REROUTED,
    EventType.TASK_QUEUE_TIMEOUT: Outcome.TIMED_OUT,
    EventType.WORKFLOW_SKIPPED: Outcome.SKIPPED,
}


def _leave(steps: list[Step], outcome: Outcome, date: datetime) -> None:
    if steps:
        steps[-1] = replace(steps[-1], left=date, outcome=outcome)
