"""The picture of a floor: its counts, longest waits and workers at one moment, as plain values.

A picture is never changed. A newer one shares with it what stayed the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from routing.core.rates import Ratio, Target, average_ms
from supervisors.staff import NO_STAFF, Staff

NO_QUEUE: Final = 0
"""The id under which tasks are counted that are routed directly to a worker."""
USUAL_TARGET: Final = Target()

Place = tuple[int, int]
"""The ids of a queue and a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue, as far as its configuration decides what the cockpit shows."""

    id: int
    sid: str
    name: str
    order: str
    grab_policy: str
    target_workers: str
    # When it was last configured, which is its version in commands.
    changed_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A task channel."""

    id: int
    sid: str
    name: str
    unique_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An activity; an available one takes work."""

    id: int
    sid: str
    name: str
    available: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The configuration of a workspace; queues are in the order of their names.

    Arguments:
        targets: those of queues and channels that are not the usual one.
    """

    multi_task: bool
    queues: Mapping[int, Queue]
    channels: Mapping[int, Channel]
    activities: Mapping[int, Activity]
    targets: Mapping[Place, Target] = field(default_factory=dict)

    def target_of(self, place: Place) -> Target:
        """Return what a queue promises on a channel."""
        return self.targets.get(place, USUAL_TARGET)


class Tasks(NamedTuple):
    """Numbers of tasks by status; *offered* leaves out those that are being transferred."""

    waiting: int = 0
    offered: int = 0
    in_work: int = 0
    wrapping: int = 0

    def plus(self, other: Tasks) -> Tasks:
        """Return the sums of two sets of numbers."""
        return Tasks(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def total(self) -> int:
        """Return the number of tasks."""
        return sum(self)


class Longest(NamedTuple):
    """The oldest pending task since its creation, and the one that is longest in its queue."""

    since_us: int
    task_sid: str
    entered_us: int


class Recent(NamedTuple):
    """What happened lately in a queue on a channel, or on several.

    Arguments:
        offers: made in the last ten minutes, of which `missed` expired.
        missed_by: the names and sids of the workers who let most of them expire.
        answered: tasks answered in the last five minutes.
        overdue: tasks that wait for longer than their target, counted up to a limit.
        wait_ms_30m: the waits of the tasks that were answered in 30 minutes, added up.
        level: the live service level of 30 minutes.
        gave_up: the share of abandoned tasks of 30 minutes.
    """

    offers: int = 0
    missed: int = 0
    missed_by: tuple[tuple[str, str], ...] = ()
    answered: int = 0
    overdue: int = 0
    has_more_overdue: bool = False
    answered_30m: int = 0
    abandoned_30m: int = 0
    wait_ms_30m: int = 0
    level: Ratio = Ratio()
    entered_today: int = 0
    gave_up: Ratio = Ratio()

    def plus(self, other: Recent) -> Recent:
        """Return the figures of both together."""
        return Recent(
            self.offers + other.offers,
            self.missed + other.missed,
            tuple(dict.fromkeys((*self.missed_by, *other.missed_by))),
            self.answered + other.answered,
            self.overdue + other.overdue,
            self.has_more_overdue or other.has_more_overdue,
            self.answered_30m + other.answered_30m,
            self.abandoned_30m + other.abandoned_30m,
            self.wait_ms_30m + other.wait_ms_30m,
            self.level + other.level,
            self.entered_today + other.entered_today,
            self.gave_up + other.gave_up,
        )

    @property
    def average_speed_ms(self) -> int | None:
        """Return the average speed of answer of 30 minutes."""
        return average_ms(self.wait_ms_30m, self.answered_30m)


class State(StrEnum):
    """What a worker can do now; the first that holds, in this order."""

    AWAY = "away"
    FINISHING = "finishing"
    FULL = "full"
    WORKING = "working"
    IDLE = "idle"


class Load(NamedTuple):
    """A worker's slots on one channel; `busy` are accepted and wrapping reservations."""

    channel: int
    capacity: int
    on: bool
    kept: int
    busy: int
    offered: int


class Slots(NamedTuple):
    """The slots of a worker channel by what they are used for."""

    busy: int
    offered: int
    free: int
    kept: int
    closed: int
    over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker at one moment, with the ids of the queues that they serve."""

    id: int
    sid: str
    name: str
    activity: int
    available: bool
    since_us: int
    loads: tuple[Load, ...]
    serves: frozenset[int]
    readable: bool = True
    version: int = 0

    @property
    def in_hand(self) -> int:
        """Return the number of tasks that they have accepted and not completed."""
        return sum(load.busy for load in self.loads)

    @property
    def on_offer(self) -> int:
        """Return the number of their open offers."""
        return sum(load.offered for load in self.loads)


def count_slots(load: Load, *, available: bool) -> Slots:
    """Return the slots of a worker channel.

    Arguments:
        available: whether the worker's activity takes work.
    """
    used = load.busy + load.offered
    unused = max(load.capacity - used, 0)
    is_open = available and load.on
    free = unused if is_open else 0
    return Slots(
        busy=load.busy,
        offered=load.offered,
        free=free,
        kept=min(free, load.kept),
        closed=0 if is_open else unused,
        over=max(used - load.capacity, 0),
    )


def free_channels(worker: Worker, *, multi_task: bool) -> frozenset[int]:
    """Return the channels on which the router finds a slot of this worker."""
    if not worker.available:
        return frozenset()
    if not multi_task:
        busy = worker.in_hand or worker.on_offer
        return frozenset() if busy else frozenset(load.channel for load in worker.loads)
    found = []
    for load in worker.loads:
        slots = count_slots(load, available=True)
        if slots.free > slots.kept:
            found.append(load.channel)
    return frozenset(found)


def find_state(worker: Worker, *, multi_task: bool) -> State:
    """Return the state of a worker."""
    in_hand = worker.in_hand
    if not worker.available:
        return State.FINISHING if in_hand else State.AWAY
    if multi_task:
        is_full = not any(count_slots(load, available=True).free for load in worker.loads)
    else:
        is_full = bool(in_hand or worker.on_offer)
    if is_full:
        return State.FULL
    return State.WORKING if in_hand else State.IDLE


class OpenAlert(NamedTuple):
    """An alert that is not cleared.

    Arguments:
        queue: the id of its queue; 0 for the whole workspace.
        value: the figure when its level was last changed.
        acknowledged_by: who takes care of it; empty for none.
        muted_until_us: until when its threshold is muted; 0 if it never was.
    """

    sid: str
    threshold_sid: str
    queue: int
    queue_sid: str
    queue_name: str
    channel_name: str
    figure: str
    level: str
    limit: int
    value: float | None
    raised_us: int
    acknowledged_by: str
    note: str
    muted_until_us: int

    def is_muted(self, now_us: int) -> bool:
        """Return whether it neither sounds nor counts."""
        return self.muted_until_us > now_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A floor at one moment.

    Arguments:
        number: counts the pictures of a process, so that a newer one has a larger number.
        at_us: the moment from which on it is read.
        tasks: the numbers of tasks by queue and channel; see `NO_QUEUE`.
        longest: the longest waits, where a task is pending.
        workers: by id.
        staff: by queue id, the sums over the workers who serve it; `everyone` over all workers.
        recent: what happened lately, and what is overdue, by queue and channel.
        unreachable: the ids of available workers who have no desk and no session open.
        knows_desks: whether that is known; Redis, which has it, may be away.
        alerts: the open alerts, the worst and oldest first.
        counted_until_us: up to when figures are counted, if the bookkeeper is behind.
    """

    number: int
    at_us: int
    setup: Setup
    tasks: Mapping[Place, Tasks]
    longest: Mapping[Place, Longest]
    workers: Mapping[int, Worker]
    staff: Mapping[int, Staff] = field(repr=False)
    everyone: Staff = field(repr=False)
    recent: Mapping[Place, Recent] = field(default_factory=dict)
    unreachable: frozenset[int] = frozenset()
    knows_desks: bool = True
    alerts: tuple[OpenAlert, ...] = ()
    counted_until_us: int | None = None

    def recent_of(self, queue: int | None, channels: Collection[int] = ()) -> Recent:
        """Return what happened lately in a queue, or in all, on some channels or on all."""
        found = Recent()
        for (of_queue, channel), each in self.recent.items():
            if queue in (None, of_queue) and (not channels or channel in channels):
                found = found.plus(each)
        return found

    def staff_of(self, queue: int) -> Staff:
        """Return the sums over the workers who serve a queue."""
        return self.staff.get(queue, NO_STAFF)

    def tasks_of(self, queue: int | None, channels: Collection[int] = ()) -> Tasks:
        """Return the numbers of a queue's tasks, or of all tasks, on some channels or on all."""
        found = Tasks()
        for (of_queue, channel), numbers in self.tasks.items():
            if queue in (None, of_queue) and (not channels or channel in channels):
                found = found.plus(numbers)
        return found

    def longest_of(self, queue: int | None, channels: Collection[int] = ()) -> Longest | None:
        """Return the longest waits of a queue, or of all tasks, on some channels or on all."""
        found = [
            longest
            for (of_queue, channel), longest in self.longest.items()
            if queue in (None, of_queue) and (not channels or channel in channels)
        ]
        if not found:
            return None
        oldest = min(found)
        return oldest._replace(entered_us=min(each.entered_us for each in found))
