"""Judge the queues of a picture: how severe a state is, and the one sentence that says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from routing.core.rates import WaitClock
from supervisors.picture import Longest, Picture, Queue, Recent, Tasks
from supervisors.staff import ChannelStaff, Staff

GRAVE_POINTS: Final = 20
"""Percentage points below its goal from which a service level needs an act."""
MANY_MISSED: Final = 3
"""Missed offers from which, if they are half of all, offers fail."""


class Severity(IntEnum):
    """How urgent something is; a larger one is worse."""

    OK = 0
    WATCH = 1
    ACT = 2

    @property
    def key(self) -> str:
        """Return the name in style sheets."""
        return self.name.lower()


class Reason(StrEnum):
    """Why tasks wait in a queue; the first that holds, in this order."""

    NOT_SERVED = "not_served"
    NONE_AVAILABLE = "none_available"
    CHANNEL_OFF = "channel_off"
    NO_CAPACITY = "no_capacity"
    ALL_TAKEN = "all_taken"
    ALL_KEPT = "all_kept"
    OFFERS_FAIL = "offers_fail"
    MOVES = "moves"
    OTHER_DEMANDS = "other_demands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why tasks wait in a queue, with the values of its sentence.

    Arguments:
        channels: the ids of the channels on which tasks wait.
        activities: how many of those who serve it are in each activity, by its id.
    """

    reason: Reason
    channels: tuple[int, ...] = ()
    workers: int = 0
    slots: int = 0
    activities: Mapping[int, int] = field(default_factory=dict)
    offers: int = 0
    missed: int = 0
    missed_by: Sequence[str] = ()
    answered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A queue as a picture has it on some channels, with its severity.

    Arguments:
        free: workers with a slot for the router on a channel on which tasks wait.
        channels: the channels of the view on which the queue has tasks or figures.
        goal: the service level that is promised, if all of these channels promise the same.
        since_creation: the seconds since its creation after which a waiting task is overdue; None
            where no channel on which tasks wait measures by this clock.
        in_queue: the same since entering the queue.
        formula: the letter of the service level's formula, if all of these channels have the same.
        is_alerted: whether an alert of the queue is open that is not muted.
    """

    queue: Queue
    tasks: Tasks
    longest: Longest | None
    staff: Staff
    channels: tuple[int, ...]
    waiting_on: tuple[int, ...]
    free: int
    severity: Severity
    why: Why | None
    recent: Recent
    goal: int | None
    since_creation: int | None = None
    in_queue: int | None = None
    formula: str = ""
    is_alerted: bool = False

    @property
    def order(self) -> tuple[Any, ...]:
        """Return the place among others: worst first, then by the longest wait."""
        since = self.longest.since_us if self.longest else 2**63
        return (-self.severity, since, -self.tasks.waiting, self.queue.name.casefold())

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing is in the queue, and nothing is wrong with it."""
        is_empty = not any(self.tasks) and not self.recent.entered_today
        return is_empty and self.severity is Severity.OK

    @property
    def is_below_goal(self) -> bool:
        """Return whether the service level is below its goal, if all channels have the same."""
        level = self.recent.level.percent
        return level is not None and self.goal is not None and level < self.goal

    @property
    def minutes_to_clear(self) -> float | None:
        """Return in how many minutes the queue would be empty; infinite if none is answered."""
        if not self.tasks.waiting:
            return None
        answered = self.recent.answered_30m
        return self.tasks.waiting * 30 / answered if answered else float("inf")


def judge_queues(picture: Picture, channels: Collection[int] = ()) -> list[Judged]:
    """Return all queues, worst first.

    Arguments:
        channels: the ids of the channels that count; none for all.
    """
    by_queue: dict[int, list[int]] = {}
    for queue, channel in {**picture.tasks, **picture.recent}:
        if not channels or channel in channels:
            by_queue.setdefault(queue, []).append(channel)
    queues = picture.setup.queues.values()
    judged = [judge_queue(picture, queue, by_queue.get(queue.id, ())) for queue in queues]
    return sorted(judged, key=lambda each: each.order)


def judge_queue(picture: Picture, queue: Queue, channels: Collection[int]) -> Judged:
    """Return a queue with its severity.

    Arguments:
        channels: those of the view on which it has tasks or figures.
    """
    numbers = {channel: picture.tasks.get((queue.id, channel), Tasks()) for channel in channels}
    tasks = Tasks()
    for each in numbers.values():
        tasks = tasks.plus(each)
    waiting_on = tuple(sorted(pk for pk, each in numbers.items() if each.waiting))
    staff = picture.staff_of(queue.id)
    return Judged(
        queue=queue,
        tasks=tasks,
        longest=picture.longest_of(queue.id, waiting_on) if waiting_on else None,
        staff=staff,
        channels=tuple(sorted(channels)),
        waiting_on=waiting_on,
        free=staff.free_for(waiting_on) if waiting_on else staff.free,
        severity=_find_severity(picture, queue, staff, channels, waiting=tasks.waiting),
        why=_find_why(picture, queue, staff, waiting_on) if tasks.waiting else None,
        recent=picture.recent_of(queue.id, channels) if channels else Recent(),
        goal=_find_goal(picture, queue, channels),
        since_creation=_find_limit(picture, queue, waiting_on, WaitClock.CREATION),
        in_queue=_find_limit(picture, queue, waiting_on, WaitClock.QUEUE),
        formula=_find_formula(picture, queue, channels),
        is_alerted=_find_alerted(picture, queue) is not Severity.OK,
    )


def _find_severity(
    picture: Picture, queue: Queue, staff: Staff, channels: Collection[int], *, waiting: int
) -> Severity:
    """Return the worst of the rules that hold on any of these channels."""
    if waiting and not staff.available:
        return Severity.ACT
    found = _find_alerted(picture, queue)
    for channel in channels:
        recent = picture.recent.get((queue.id, channel), Recent())
        goal = picture.setup.target_of((queue.id, channel)).goal
        level = recent.level.percent
        if level is not None and level < goal - GRAVE_POINTS:
            return Severity.ACT
        if recent.overdue or (level is not None and level < goal):
            found = max(found, Severity.WATCH)
    return found


def _find_alerted(picture: Picture, queue: Queue) -> Severity:
    """Return the worst level of the queue's alerts that are not muted."""
    levels = [
        Severity[alert.level.upper()]
        for alert in picture.alerts
        if alert.queue == queue.id and not alert.is_muted(picture.at_us)
    ]
    return max(levels, default=Severity.OK)


def _find_goal(picture: Picture, queue: Queue, channels: Collection[int]) -> int | None:
    goals = {picture.setup.target_of((queue.id, channel)).goal for channel in channels}
    return goals.pop() if len(goals) == 1 else None


def _find_formula(picture: Picture, queue: Queue, channels: Collection[int]) -> str:
    found = {picture.setup.target_of((queue.id, channel)).formula for channel in channels}
    return found.pop().value.upper() if len(found) == 1 else ""


def _find_limit(
    picture: Picture, queue: Queue, channels: Collection[int], clock: WaitClock
) -> int | None:
    targets = [picture.setup.target_of((queue.id, channel)) for channel in channels]
    return min((each.threshold for each in targets if each.clock is clock), default=None)


def _find_why(picture: Picture, queue: Queue, staff: Staff, channels: tuple[int, ...]) -> Why:
    multi_task = picture.setup.multi_task
    recent = picture.recent_of(queue.id, channels)
    here = [staff.channel(pk) for pk in channels]
    available = staff.available
    if not staff.workers:
        return Why(reason=Reason.NOT_SERVED, channels=channels)
    if not available:
        return Why(
            reason=Reason.NONE_AVAILABLE,
            channels=channels,
            workers=staff.workers,
            activities=dict(staff.by_activity),
        )
    blocked = _find_block(here) if multi_task else _find_block_of_one(staff)
    if blocked is not None:
        reason, slots = blocked
        return Why(reason=reason, channels=channels, workers=available, slots=slots)
    if recent.missed >= MANY_MISSED and recent.missed * 2 >= recent.offers:
        return Why(
            reason=Reason.OFFERS_FAIL,
            channels=channels,
            offers=recent.offers,
            missed=recent.missed,
            missed_by=[name for name, _ in recent.missed_by],
        )
    if recent.answered:
        return Why(reason=Reason.MOVES, channels=channels, answered=recent.answered)
    free = staff.free_for(channels)
    return Why(reason=Reason.OTHER_DEMANDS, channels=channels, workers=free)


def _find_block(here: Sequence[ChannelStaff]) -> tuple[Reason, int] | None:
    """Return why none of the available workers has a slot for the router, with a number of slots.

    Arguments:
        here: the sums of the channels on which tasks wait.
    """
    if not any(each.on for each in here):
        return Reason.CHANNEL_OFF, 0
    capacity = sum(each.capacity for each in here)
    free = sum(each.free for each in here)
    if not capacity:
        return Reason.NO_CAPACITY, 0
    if not free:
        return Reason.ALL_TAKEN, capacity
    if not sum(each.for_router for each in here):
        return Reason.ALL_KEPT, free
    return None


def _find_block_of_one(staff: Staff) -> tuple[Reason, int] | None:
    """Return the same where a worker takes one task at a time, over all channels."""
    return None if staff.free else (Reason.ALL_TAKEN, staff.available)
