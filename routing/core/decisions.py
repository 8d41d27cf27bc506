"""Decisions of the router; `routing.router.rounds` maps each kind to the action that applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from routing.core.snapshot import Task, Worker
from routing.core.workflow_position import Step


class ReserveWorkers(NamedTuple):
    """Offer a waiting task to these workers, as the snapshot had them.

    Each worker comes with the number of slots that earlier decisions of the same pass assigned.
    The worker's workload version has advanced by that many when this decision is applied.

    A pass makes hundreds of them: a named tuple takes a third of a frozen dataclass's time.
    """

    task: Task
    workers: tuple[tuple[Worker, int], ...]
    ignore_capacity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOutReservation:
    """End an offer that was not answered in time."""

    reservation_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteWrapUp:
    """Complete a task whose time for wrapping up is over."""

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
    """Record that a step's skip_if was evaluated and was false."""

    task_sid: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTask:
    """Cancel a task at the end of its workflow or lifetime; `why` is a `Reason`."""

    task_sid: str
    version: int
    why: str


class Reason:
    """Why a task ends by itself, as stored in the task's `reason`."""

    EXPIRED = "Task TTL Exceeded or Max assignment count exceeded"
    WORKFLOW_TIMEOUT = "Task canceled on Workflow timeout"
    WORKFLOW_SKIPPED = "Task canceled on Workflow skip"
    NO_FILTER = "Task canceled because no filter of its workflow takes it any more"
    WRAP_UP_OVER = "Task completed on wrap-up timeout"


Decision = (
    ReserveWorkers | TimeOutReservation | CompleteWrapUp | EnterTarget | KeepWaiting | CancelTask
)
