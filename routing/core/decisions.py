"""List what the router may want done; `routing.assignment` knows which action does each."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.snapshot import Task, Worker
from routing.core.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveWorkers:
    """Offer a waiting task to these workers, as they were seen.

    Each worker comes with the number of slots that earlier decisions of the same pass give them:
    so many steps their workload has moved on by the time this decision is carried out.
    """

    task: Task
    workers: tuple[tuple[Worker, int], ...]
    ignore_capacity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOutReservation:
    """End an offer that nobody answered in time."""

    reservation_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterTarget:
    """Move a waiting task to another step of its workflow."""

    task_sid: str
    version: int
    step: Step
    timed_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepWaiting:
    """Note that a step's skip_if was asked and said no."""

    task_sid: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTask:
    """End a task that its workflow or its lifetime gives up; `why` is a `Reason`."""

    task_sid: str
    version: int
    why: str


class Reason:
    """Why the router cancels a task by itself, as stored in the task's `reason`."""

    EXPIRED = "Task TTL Exceeded or Max assignment count exceeded"
    WORKFLOW_TIMEOUT = "Task canceled on Workflow timeout"
    WORKFLOW_SKIPPED = "Task canceled on Workflow skip"


Decision = ReserveWorkers | TimeOutReservation | EnterTarget | KeepWaiting | CancelTask
