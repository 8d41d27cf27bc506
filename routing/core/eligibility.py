"""Decide which workers may take a task, and rank them.

The router, the grab and the text under a disabled button call the same functions with the same
values, so that they cannot disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routing.core.clock import SECOND
from routing.core.snapshot import (
    READABLE,
    Lane,
    Rejection,
    TaskQueue,
    Worker,
    WorkerChannel,
    busy_percentage,
    free_percentage,
)
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, Refusal
from workflows.expressions import NOTHING, Expression, View


class Candidate:
    """A worker during one matching pass: the snapshot, plus the slots that the pass assigned.

    `assigned_slots` counts these slots. It also serves as a version: a lane compares it to see
    whether its cached rank of this worker is out of date.
    """

    __slots__ = (
        "_consumed",
        "_reserved_by_channel",
        "_reserved_us",
        "_view",
        "assigned_slots",
        "worker",
    )

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.assigned_slots = 0
        self._consumed: dict[int, int] = {}
        self._reserved_by_channel: dict[int, int] = {}
        self._reserved_us = worker.last_reserved_us
        self._view: View | None = None

    def consumed(self, channel: WorkerChannel) -> int:
        """Return the slots in use on a channel, including those assigned in this pass."""
        return channel.consumed + self._consumed.get(channel.task_channel_id, 0)

    def idle_since(self, channel_id: int, *, optimized: bool) -> int:
        """Return when the worker last got a task, on any channel or (optimized) on this one."""
        worker = self.worker
        if not optimized:
            return self._reserved_us
        channel = worker.channels.get(channel_id)
        seen = -1 if channel is None else channel.last_reserved_us
        return self._reserved_by_channel.get(channel_id, seen)

    def assign(self, channel_id: int, *, at: int) -> int:
        """Assign one slot of a channel to the worker; return how many this pass has assigned there.

        Arguments:
            at: the moment, in microseconds. Each slot that a pass assigns gets a later one, so that
                the worker who got a slot first ranks first again.
        """
        self.assigned_slots += 1
        self._consumed[channel_id] = count = self._consumed.get(channel_id, 0) + 1
        self._reserved_by_channel[channel_id] = self._reserved_us = at
        self._view = None
        return count

    def view(self) -> View:
        """Return the worker's current values as expressions read them."""
        if self._view is None:
            self._view = build_worker_view(self.worker, self._consumed)
        return self._view


CHANNEL_FIGURES: Final[Mapping[str, Callable[[WorkerChannel, int], int | bool]]] = {
    "configured_capacity": lambda channel, _: channel.configured_capacity,
    "assigned_tasks": lambda channel, _: channel.assigned,
    "available_capacity_percentage": lambda channel, used: free_percentage(
        channel.configured_capacity, used
    ),
    "busy_capacity_percentage": lambda channel, used: busy_percentage(
        channel.configured_capacity, used
    ),
    "available": lambda channel, _: channel.available,
}
"""Channel figures that expressions can read, computed from the number of slots in use."""

LOAD_FIGURES: Final = frozenset({"available_capacity_percentage", "busy_capacity_percentage"})
"""The channel figures that change with the number of slots in use."""


def build_worker_view(worker: Worker, extra: Mapping[int, int] | None = None) -> View:
    """Return a worker as expressions read them: attributes first, then built-in fields.

    Arguments:
        extra: slots in use beyond those in the snapshot, by task channel id.
    """
    extra = extra or {}
    channels: dict[str, Any] = {
        channel.unique_name: {
            name: figure(channel, channel.consumed + extra.get(channel_id, 0))
            for name, figure in CHANNEL_FIGURES.items()
        }
        for channel_id, channel in worker.channels.items()
    }
    return View(
        worker.attributes,
        {**{name: getattr(worker, name) for name in READABLE}, "channel": channels},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrabTerms:
    """What decides, beside lane and worker, whether a waiting task may be grabbed.

    Arguments:
        rank: how many tasks of the queue are older, as far as the policy needs to know.
        waited: how long the task has been in the queue, in whole seconds.
        expression: the target's condition for grabbing (`grab_expression`).
        task: the task as this condition reads it.
    """

    rank: int = 0
    waited: int = 0
    expression: Expression | None = None
    task: View = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequirements:
    """What a task requires of a worker; every refusal is computed from this and a `Candidate`.

    Arguments:
        lane: where the task waits; for a task that no longer waits, its queue is enough.
        multi_task: whether workers may have several tasks at once.
        clock: the values of `taskrouter.…` now.
        task: the values of the task that the lane's expression still reads.
        reserved_for: ids of the workers with an open reservation of the task.
        grab: the terms for grabbing it; None for a task that cannot be grabbed.
        rejections: by worker id, the rejections for which workers are passed over now.
    """

    lane: Lane
    multi_task: bool
    clock: View
    task: View = NOTHING
    status: AssignmentStatus = AssignmentStatus.PENDING
    reserved_for: Collection[int] = ()
    grab: GrabTerms | None = None
    rejections: Mapping[int, Rejection] = field(default_factory=dict)


def router_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    """Return why the router may not offer the task to this worker, or None."""
    lane = task.lane
    return (
        _status_refusal(candidate, task)
        or _attributes_refusal(candidate)
        or membership_refusal(candidate, lane.task_queue)
        or (
            None
            if lane.ignore_capacity
            else room_refusal(candidate, lane, multi_task=task.multi_task)
        )
        or expression_refusal(candidate, task)
        or (
            None
            if lane.ignore_capacity
            else manual_refusal(candidate, lane, multi_task=task.multi_task)
        )
        or _rejection_refusal(candidate, task)
    )


def grab_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    """Return why this worker may not grab the task, or None.

    The target's own expression is for the router and is not evaluated here. A worker may also grab
    a task that they rejected a moment ago.
    """
    queue = task.lane.task_queue
    return (
        _status_refusal(candidate, task)
        or _attributes_refusal(candidate)
        or (Refusal.NOT_IN_QUEUE if queue is None else membership_refusal(candidate, queue))
        or room_refusal(candidate, task.lane, multi_task=task.multi_task)
        or _policy_refusal(queue, task.grab)
        or _grab_expression_refusal(candidate, task)
    )


def assign_refusal(
    candidate: Candidate,
    task: TaskRequirements,
    *,
    ignore_capacity: bool = False,
    ignore_expressions: bool = False,
) -> Refusal | None:
    """Return why a supervisor may not give the task to this worker, or None.

    An absent worker, or one whose channel is off, is refused whatever is ignored. Slots kept for
    grabbing may be used, and a worker who rejected the task a moment ago may be asked again.

    Arguments:
        ignore_capacity: whether the worker may get the task without a free slot.
        ignore_expressions: whether the worker need not meet what the queue and the task ask for.
    """
    lane = task.lane
    if refusal := _status_refusal(candidate, task):
        return refusal
    if not ignore_expressions and (
        refusal := _attributes_refusal(candidate) or membership_refusal(candidate, lane.task_queue)
    ):
        return refusal
    room = room_refusal(candidate, lane, multi_task=task.multi_task)
    if room is not None and not (ignore_capacity and room == Refusal.NO_CAPACITY):
        return room
    return None if ignore_expressions else expression_refusal(candidate, task)


def build_age_view(created_us: int, *, now: int) -> View:
    """Return the only task value that a lane's expression can still read: the age."""
    return View({}, {"age": (now - created_us) // SECOND})


def _status_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    """Refuse a task that no longer waits."""
    if task.status == AssignmentStatus.PENDING:
        return None
    if task.status == AssignmentStatus.RESERVED and candidate.worker.id in task.reserved_for:
        return Refusal.ALREADY_OFFERED
    return Refusal.TASK_NOT_PENDING


def _attributes_refusal(candidate: Candidate) -> Refusal | None:
    """Refuse a worker whose attributes cannot be parsed."""
    return None if candidate.worker.readable else Refusal.ATTRIBUTES_UNREADABLE


def membership_refusal(candidate: Candidate, queue: TaskQueue | None) -> Refusal | None:
    """Refuse a worker that the queue's expression does not admit; no queue admits all workers."""
    if queue is None:
        return None
    if queue.target_workers is not None and queue.target_workers.matches(worker=candidate.view()):
        return None
    return Refusal.NOT_IN_QUEUE


def count_workers(
    queue: TaskQueue, workers: Iterable[Worker], *, activity_sids: Iterable[str]
) -> Mapping[str, int]:
    """Return the values of `workers.…` for a queue: its workers by availability and activity.

    Arguments:
        workers: all workers of the workspace.
        activity_sids: all activities of the workspace.
    """
    counts = Counter({"available": 0, "unavailable": 0, **dict.fromkeys(activity_sids, 0)})
    for worker in workers:
        if membership_refusal(Candidate(worker), queue) is None:
            counts["available" if worker.available else "unavailable"] += 1
            counts[worker.activity_sid] += 1
    return counts


def room_refusal(candidate: Candidate, lane: Lane, *, multi_task: bool) -> Refusal | None:
    """Refuse a worker who is away, whose channel is off, or who has no slot left."""
    worker = candidate.worker
    if not worker.available:
        return Refusal.WORKER_UNAVAILABLE
    if not multi_task:
        busy = any(candidate.consumed(channel) for channel in worker.channels.values())
        return Refusal.NO_CAPACITY if busy else None
    channel = worker.channels.get(lane.task_channel_id)
    if channel is None or not channel.available:
        return Refusal.CHANNEL_UNAVAILABLE
    if candidate.consumed(channel) >= channel.configured_capacity:
        return Refusal.NO_CAPACITY
    return None


def expression_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    """Refuse a worker who does not meet what the target asks of them."""
    lane, worker = task.lane, candidate.worker
    if lane.known_worker_sid is not None and lane.known_worker_sid != worker.sid:
        return Refusal.EXPRESSION_NOT_MET
    name = lane.known_worker_name
    if name is not None and name != worker.friendly_name.casefold():
        return Refusal.EXPRESSION_NOT_MET
    if lane.expression is None or lane.expression.matches(
        worker=candidate.view(), task=task.task, taskrouter=task.clock
    ):
        return None
    return Refusal.EXPRESSION_NOT_MET


def manual_refusal(candidate: Candidate, lane: Lane, *, multi_task: bool) -> Refusal | None:
    """Refuse a worker whose free slots are all reserved for grabbing."""
    channel = candidate.worker.channels.get(lane.task_channel_id)
    if channel is None or not multi_task:
        return None
    if has_slot_for_router(channel, candidate.consumed(channel)):
        return None
    return Refusal.KEPT_FOR_MANUAL


def has_slot_for_router(channel: WorkerChannel, used: int) -> bool:
    """Return whether the router may use one slot more of a channel that is on.

    Arguments:
        used: the slots in use.
    """
    return used < channel.configured_capacity - channel.reserved_for_manual


def _rejection_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    """Refuse a worker who is passed over because they have rejected the task."""
    return Refusal.RECENTLY_REJECTED if candidate.worker.id in task.rejections else None


def _policy_refusal(queue: TaskQueue | None, grab: GrabTerms | None) -> Refusal | None:
    """Refuse what the queue's policy does not let workers grab."""
    assert queue is not None
    assert grab is not None, "a waiting task has terms for grabbing"
    allowed = {
        GrabPolicy.OFF: False,
        GrabPolicy.ANYTHING: True,
        GrabPolicy.OLDEST: grab.rank < queue.grab_limit,
        GrabPolicy.WAITED: grab.waited >= queue.grab_after,
    }[queue.grab_policy]
    return None if allowed else Refusal.GRAB_NOT_ALLOWED


def _grab_expression_refusal(candidate: Candidate, task: TaskRequirements) -> Refusal | None:
    grab = task.grab
    if grab is None or grab.expression is None:
        return None
    if grab.expression.matches(worker=candidate.view(), task=grab.task, taskrouter=task.clock):
        return None
    return Refusal.EXPRESSION_NOT_MET


def rank_key(candidate: Candidate, lane: Lane) -> tuple[Any, ...]:
    """Return a worker's place among the eligible workers of this lane: smallest first."""
    idle = candidate.idle_since(lane.task_channel_id, optimized=lane.optimized)
    if lane.order_by is None:
        return (idle, candidate.worker.id)
    return (lane.order_by.key(candidate.view()), idle, candidate.worker.id)
