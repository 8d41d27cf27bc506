"""The explanation of a task as values; `explanations.facts` loads it, `wording` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from routing import models
from routing.core import snapshot
from routing.core.verdicts import TaskSide, Verdict, Verdicts
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.explanations import history

DIRECT: Final = "routing_target"
"""The name of the task field that names the worker of a directly routed task."""


class DeadlineKind(StrEnum):
    """The kind of the next deadline of a task."""

    STEP = "step"
    TASK = "task"
    RESERVATION = "reservation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The next moment at which the task changes by time alone."""

    kind: DeadlineKind
    date: datetime


class Problem(StrEnum):
    """Why the one worker that a task names can never be offered it."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    OTHER_WORKSPACE = "other_workspace"
    NOT_IN_QUEUE = "not_in_queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWorker:
    """The one worker that a task names, by sid or by name.

    Arguments:
        attribute: the task's attribute or field with the name.
        named: the name or sid in it, as the router reads it; "" if it cannot name a worker.
    """

    attribute: str
    named: str
    verdict: Verdict | None
    problem: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A worker with a reservation of the task; `until` is when an offer expires."""

    reservation_sid: str
    reservation_status: ReservationStatus
    worker_sid: str
    worker_name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What the router would do now: how many tasks it serves first, and the workers for this one.

    `workers` is empty when the tasks before it take all its eligible workers.
    """

    ahead: int
    workers: tuple[snapshot.Worker, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The state of a task, and why it is in it.

    `step` is None for a canceled task. `foreseen` is None unless the task waits and a worker is
    eligible. `target_expression` is the text of a waiting task's target, and `task_side` its
    evaluation by the task's attributes. `readable` is False if the attributes or the lane cannot
    be parsed.
    """

    task: models.Task
    now: datetime
    passed: Sequence[history.Stay]
    step: history.Stay | None
    deadline: Deadline | None
    holders: Sequence[Holder]
    known_worker: KnownWorker | None
    target_expression: str
    task_side: TaskSide | None
    foreseen: Foreseen | None
    verdicts: Verdicts
    readable: bool

    @property
    def status(self) -> AssignmentStatus:
        """Return the task's status."""
        return AssignmentStatus(self.task.assignment_status)

    @property
    def due(self) -> bool:
        """Return whether the deadline has passed and the router has not acted on it yet."""
        return self.deadline is not None and self.deadline.date <= self.now
