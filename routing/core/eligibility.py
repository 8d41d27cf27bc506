"""Decide which workers may take a task, and rank them.

One function, `refusal`, serves the cycle, grabbing and the text under a disabled button, so that
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

from routing.core.clock import SECOND
from routing.core.snapshot import (
    READABLE,
    Lane,
    Task,
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

    `taken` counts these slots. It also serves as a version: a lane compares it to see whether its
    cached rank of this worker is out of date.
    """

    __slots__ = ("_consumed", "_reserved_us", "_view", "taken", "worker")

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.taken = 0
        self._consumed: dict[int, int] = {}
        self._reserved_us: dict[int | None, int] = {}
        self._view: View | None = None

    def consumed(self, channel: WorkerChannel) -> int:
        """Return the slots in use on a channel, including those assigned in this pass."""
        return channel.consumed + self._consumed.get(channel.task_channel_id, 0)

    def idle_since(self, channel_id: int, *, optimized: bool) -> int:
        """Return when the worker last got a task, on any channel or (optimized) on this one."""
        worker = self.worker
        if not optimized:
            return self._reserved_us.get(None, worker.last_reserved_us)
        channel = worker.channels.get(channel_id)
        seen = -1 if channel is None else channel.last_reserved_us
        return self._reserved_us.get(channel_id, seen)

    def take(self, channel_id: int, *, at: int) -> None:
        """Assign one slot of a channel to the worker.

        Arguments:
            at: the moment, in microseconds. Each slot that a pass assigns gets a later one, so that
                the worker who got a slot first ranks first again.
        """
        self.taken += 1
        self._consumed[channel_id] = self._consumed.get(channel_id, 0) + 1
        self._reserved_us[channel_id] = self._reserved_us[None] = at
        self._view = None

    def view(self) -> View:
        """Return the worker's current values as expressions read them."""
        if self._view is None:
            self._view = worker_view(self.worker, self._consumed)
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


def worker_view(worker: Worker, extra: Mapping[int, int] | None = None) -> View:
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


def router_refusal(
    hand: Candidate,
    lane: Lane,
    *,
    multi_task: bool,
    clock: View,
    task: View = NOTHING,
) -> Refusal | None:
    """Return why the router may not offer this worker a task of this lane, or None.

    Arguments:
        clock: the values of `taskrouter.…` now.
        task: needed only where the lane's expression still reads the task.
    """
    return (
        _unreadable(hand)
        or membership_refusal(hand, lane.task_queue)
        or (None if lane.ignore_capacity else room_refusal(hand, lane, multi_task=multi_task))
        or _expression_refusal(hand, lane, clock, task)
        or (None if lane.ignore_capacity else manual_refusal(hand, lane, multi_task=multi_task))
    )


def waiting_view(task: Task, *, now: int) -> View:
    """Return the only task value that a lane's expression can still read: the age."""
    return View({}, {"age": (now - task.created_us) // SECOND})


def status_refusal(status: AssignmentStatus, *, offered: bool) -> Refusal | None:
    """Refuse a task that no longer waits.

    Arguments:
        offered: whether the worker has an open reservation of the task.
    """
    if status == AssignmentStatus.PENDING:
        return None
    if status == AssignmentStatus.RESERVED and offered:
        return Refusal.ALREADY_OFFERED
    return Refusal.TASK_NOT_PENDING


class GrabTerms(TypedDict):
    """Arguments of `grab_refusal` that depend on the task only, not on the worker."""

    multi_task: bool
    rank: int
    waited: int
    expression: Expression | None
    task: View
    clock: View


def grab_refusal(
    hand: Candidate,
    lane: Lane,
    *,
    multi_task: bool,
    rank: int,
    waited: int,
    expression: Expression | None = None,
    task: View = NOTHING,
    clock: View = NOTHING,
) -> Refusal | None:
    """Return why this worker may not grab a task of this lane, or None.

    The target's own expression is for the router and is not evaluated here.

    Arguments:
        rank: how many tasks of the queue are older, as far as the policy needs to know.
        waited: how long the task has been in the queue, in whole seconds.
        expression: the target's condition for grabbing (`grab_expression`), with `task` and
            `clock` for the values it reads.
    """
    return (
        _unreadable(hand)
        or (Refusal.NOT_IN_QUEUE if lane.task_queue is None else None)
        or membership_refusal(hand, lane.task_queue)
        or room_refusal(hand, lane, multi_task=multi_task)
        or _policy_refusal(lane.task_queue, rank=rank, waited=waited)
        or (
            None
            if expression is None
            or expression.matches(worker=hand.view(), task=task, taskrouter=clock)
            else Refusal.EXPRESSION_NOT_MET
        )
    )


def _unreadable(hand: Candidate) -> Refusal | None:
    """Refuse a worker whose attributes cannot be parsed."""
    return None if hand.worker.readable else Refusal.ATTRIBUTES_UNREADABLE


def membership_refusal(hand: Candidate, queue: TaskQueue | None) -> Refusal | None:
    """Refuse a worker that the queue's expression does not admit; no queue admits all workers."""
    if queue is None:
        return None
    if queue.target_workers is not None and queue.target_workers.matches(worker=hand.view()):
        return None
    return Refusal.NOT_IN_QUEUE


def room_refusal(hand: Candidate, lane: Lane, *, multi_task: bool) -> Refusal | None:
    """Refuse a worker who is away, whose channel is off, or who has no slot left."""
    worker = hand.worker
    if not worker.available:
        return Refusal.WORKER_UNAVAILABLE
    if not multi_task:
        busy = any(hand.consumed(channel) for channel in worker.channels.values())
        return Refusal.NO_CAPACITY if busy else None
    channel = worker.channels.get(lane.task_channel_id)
    if channel is None or not channel.available:
        return Refusal.CHANNEL_UNAVAILABLE
    if hand.consumed(channel) >= channel.configured_capacity:
        return Refusal.NO_CAPACITY
    return None


def _expression_refusal(hand: Candidate, lane: Lane, clock: View, task: View) -> Refusal | None:
    worker = hand.worker
    if lane.known_worker_sid is not None and lane.known_worker_sid != worker.sid:
        return Refusal.EXPRESSION_NOT_MET
    name = lane.known_worker_name
    if name is not None and name != worker.friendly_name.casefold():
        return Refusal.EXPRESSION_NOT_MET
    if lane.expression is None or lane.expression.matches(
        worker=hand.view(), task=task, taskrouter=clock
    ):
        return None
    return Refusal.EXPRESSION_NOT_MET


def manual_refusal(hand: Candidate, lane: Lane, *, multi_task: bool) -> Refusal | None:
    """Refuse a worker whose free slots are all reserved for grabbing."""
    channel = hand.worker.channels.get(lane.task_channel_id)
    if channel is None or not multi_task:
        return None
    kept = channel.reserved_for_manual
    if hand.consumed(channel) >= channel.configured_capacity - kept:
        return Refusal.KEPT_FOR_MANUAL
    return None


def _policy_refusal(queue: TaskQueue | None, *, rank: int, waited: int) -> Refusal | None:
    assert queue is not None
    allowed = {
        GrabPolicy.OFF: False,
        GrabPolicy.ANYTHING: True,
        GrabPolicy.OLDEST: rank < queue.grab_limit,
        GrabPolicy.WAITED: waited >= queue.grab_after,
    }[queue.grab_policy]
    return None if allowed else Refusal.GRAB_NOT_ALLOWED


def rank(hand: Candidate, lane: Lane) -> tuple[Any, ...]:
    """Return a worker's place among the eligible workers of this lane: smallest first."""
    idle = hand.idle_since(lane.task_channel_id, optimized=lane.optimized)
    if lane.order_by is None:
        return (idle, hand.worker.id)
    return (lane.order_by.key(hand.view()), idle, hand.worker.id)
