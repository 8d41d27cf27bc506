"""Snapshot of a workspace for the router: plain frozen values, no rows.

Moments are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routing.core.vocabulary import AssignmentStatus, GrabPolicy, QueueOrder
from workflows.expressions import Expression, Ordering


def free_percentage(capacity: int, consumed: int) -> int:
    """Return the free part of a capacity in whole percent: exact, floored, never below 0."""
    if capacity <= 0 or consumed >= capacity:
        return 0
    return (capacity - consumed) * 100 // capacity


def busy_percentage(capacity: int, consumed: int) -> int:
    """Return the used part of a capacity in whole percent: exact, floored, never above 100."""
    if capacity <= 0 or consumed >= capacity:
        return 100
    return consumed * 100 // capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQueue:
    """A queue: which workers it admits, in which order it is served, what may be grabbed.

    `target_workers` is None when the queue admits no worker.
    """

    id: int
    sid: str
    target_workers: Expression | None
    task_order: QueueOrder = QueueOrder.FIFO
    max_reserved_workers: int = 1
    grab_policy: GrabPolicy = GrabPolicy.ANYTHING
    grab_limit: int = 0
    grab_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerChannel:
    """A worker's capacity and load on one channel."""

    task_channel_id: int
    unique_name: str
    configured_capacity: int = 1
    available: bool = True
    reserved_for_manual: int = 0
    consumed: int = 0
    assigned: int = 0
    last_reserved_us: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker as a cycle loads them; `channels` is keyed by task channel id."""

    id: int
    sid: str
    friendly_name: str
    activity_sid: str
    activity_name: str
    available: bool
    attributes: Mapping[str, Any]
    channels: Mapping[int, WorkerChannel]
    last_reserved_us: int = -1
    version: int = 0
    workload_version: int = 0
    # Whether the attributes are a JSON object; a worker without is never offered a task.
    readable: bool = True
    # Cached values at paths of this worker (`matching.value_index`): `values` at paths of
    # attributes and fields, `load_values` at paths of channel figures, which every offer changes.
    values: dict[tuple[str | int, ...], tuple[Hashable, Any]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    lane_key_values: dict[str, frozenset[str]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    load_values: dict[tuple[str | int, ...], tuple[Hashable, Any]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )


READABLE: Final = ("sid", "friendly_name", "activity_sid", "activity_name")
"""The fields of a worker that expressions read, beside the attributes and the channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Requirements on a worker that all pending tasks of the lane share.

    `task_queue` is None for a task routed directly to a worker. `optimized` means that idle time
    is counted on the channel alone.
    """

    id: int
    task_queue: TaskQueue | None
    task_channel_id: int
    optimized: bool = False
    expression: Expression | None = None
    order_by: Ordering | None = None
    known_worker_sid: str | None = None
    known_worker_name: str | None = None
    ignore_capacity: bool = False
    # Whether the stored expressions can be parsed; a lane that cannot be read matches no worker.
    readable: bool = True

    @property
    def order(self) -> QueueOrder:
        """Return the order in which the lane's tasks are served."""
        return QueueOrder.FIFO if self.task_queue is None else self.task_queue.task_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as a cycle loads it: its place in the order, its lane, and its version."""

    id: int
    sid: str
    lane_id: int
    version: int
    priority: int
    virtual_start_us: int
    created_us: int
    status: AssignmentStatus = AssignmentStatus.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A worker's rejection of a task, which is not offered to them again until `until_us`."""

    worker_id: int
    rejected_us: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The workers of one matching pass, and its lanes by id; the pass requests tasks as it goes.

    `passed_over` has, by task id, the ids of workers who have rejected the task and are not offered
    it for now.
    """

    id: int
    sid: str
    multi_task_enabled: bool = True
    prioritize_queue_order: QueueOrder = QueueOrder.FIFO
    workers: Sequence[Worker] = ()
    lanes: Mapping[int, Lane] = field(default_factory=dict)
    passed_over: Mapping[int, Collection[int]] = field(default_factory=dict)
