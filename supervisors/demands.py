"""What the waiting tasks of a queue ask for: its lanes, and how many workers meet each.

It costs the same however many tasks wait: lanes are found among the oldest tasks of the queue, and
the tasks of a lane are counted up to a limit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cachetools import TTLCache

from routing import models
from routing.core import eligibility, snapshot
from routing.core.clock import microseconds
from routing.core.eligibility import Candidate, TaskRequirements, build_age_view
from routing.core.matching import conditions
from routing.core.workflow_position import time_of_day
from routing.db.compiled import SEQUENCE, CompiledQuery
from routing.snapshots import lanes
from routing.snapshots.workers import load_workers
from supervisors.picture import Picture, Worker, free_channels
from workflows.expressions import View

MOST_LANES: Final = 20
MOST_TASKS: Final = 1_000
"""The number up to which the tasks of a lane are counted."""
OLDEST: Final = 2_000
"""The number of oldest tasks of a queue among which lanes are found."""
SECONDS: Final = 2.0
"""Shortest time between two computations for one queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A lane of a queue with waiting tasks, and who meets what it asks.

    Arguments:
        waiting: the number of tasks, at most one more than `MOST_TASKS`.
        since_us: when the oldest was created.
        meeting: the workers who meet it, whatever their state.
        capable: the workers who meet it, apart from their load.
        lacking: the workers who serve the queue and do not meet it.
        task: the task as the lane's expression still reads it.
    """

    lane: snapshot.Lane
    channel: int
    text: str
    waiting: int
    since_us: int
    meeting: Sequence[int]
    capable: frozenset[int]
    lacking: Sequence[int]
    available: int
    free: int
    task: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The lanes of a queue by their longest wait, and the workers who serve it, by id."""

    demands: Sequence[Demand]
    candidates: dict[int, Candidate]
    clock: View
    is_complete: bool


_lock: Final = threading.Lock()
_found: Final[TTLCache[tuple[int, int], Demands]] = TTLCache(maxsize=200, ttl=SECONDS)


def find_demands(queue: int, picture: Picture, *, now: datetime) -> Demands:
    """Return what a queue's waiting tasks ask for; computed once every `SECONDS`."""
    key = (queue, id(picture.setup))
    with _lock:
        found = _found.get(key)
    if found is None:
        found = _compute(queue, picture, now=now)
        with _lock:
            _found[key] = found
    return found


def forget_demands() -> None:
    """Forget what was computed."""
    with _lock:
        _found.clear()


def _compute(queue: int, picture: Picture, *, now: datetime) -> Demands:
    rows = _find_lanes(queue)
    loaded = {row.pk: row for row in _LANES([pk for pk, _ in rows[:MOST_LANES]])}
    serving = [worker.id for worker in picture.workers.values() if queue in worker.serves]
    candidates = {each.id: Candidate(each) for each in load_candidates(serving)}
    demands = []
    clock = time_of_day(microseconds(now))
    for pk, created in rows[:MOST_LANES]:
        row = loaded.get(pk)
        lane = None if row is None else lanes.build_lane_or_none(row)
        if row is None or lane is None:
            continue
        task = build_age_view(microseconds(created), now=microseconds(now))
        needed = TaskRequirements(
            lane=lane, multi_task=picture.setup.multi_task, clock=clock, task=task
        )
        meeting = [
            pk
            for pk, candidate in candidates.items()
            if candidate.worker.readable
            and eligibility.expression_refusal(candidate, needed) is None
        ]
        met = set(meeting)
        known = [picture.workers[pk] for pk in meeting if pk in picture.workers]
        demands.append(
            Demand(
                lane=lane,
                channel=row.task_channel_id,
                text=row.expression,
                waiting=_count_tasks(row.pk),
                since_us=microseconds(created),
                meeting=meeting,
                capable=frozenset(met) | _find_capable(lane, candidates, task, clock),
                lacking=[pk for pk in candidates if pk not in met],
                available=sum(worker.available for worker in known),
                free=_count_free(known, row.task_channel_id, picture),
                task=task,
            )
        )
    is_complete = len(rows) <= MOST_LANES
    return Demands(demands=demands, candidates=candidates, clock=clock, is_complete=is_complete)


def _find_capable(
    lane: snapshot.Lane, candidates: Mapping[int, Candidate], task: View, clock: View
) -> frozenset[int]:
    """Return the workers who would meet a lane's expression with another load."""
    if lane.expression is None or lane.known_worker_sid or lane.known_worker_name:
        return frozenset()
    parts = conditions.split_condition(lane.expression)
    lasting = (*parts.fixed, *parts.of_task)
    return frozenset(
        pk
        for pk, candidate in candidates.items()
        if candidate.worker.readable
        and all(conditions.condition_holds(each, candidate.view(), task, clock) for each in lasting)
    )


def _count_free(workers: Iterable[Worker], channel: int, picture: Picture) -> int:
    multi_task = picture.setup.multi_task
    return sum(channel in free_channels(worker, multi_task=multi_task) for worker in workers)


def load_candidates(pks: Sequence[int]) -> list[snapshot.Worker]:
    """Return these workers as the router sees them."""
    found = []
    for start in range(0, len(pks), 500):
        rows = models.Worker.objects.filter(pk__in=pks[start : start + 500])
        found.extend(load_workers(rows))
    return found


def _find_lanes(queue: int) -> list[tuple[int, datetime]]:
    """Return the lanes of the oldest tasks with the creation of their first, oldest first."""
    first: dict[int, datetime] = {}
    for lane, created in _OLDEST(queue):
        if lane is not None:
            first.setdefault(lane, created)
    return list(first.items())


def _count_tasks(lane: int) -> int:
    return len(_OF_LANE(lane))


_PENDING: Final = models.Task.objects.pending()
_OLDEST: Final = CompiledQuery(
    lambda queue: (
        _PENDING.filter(task_queue_id=queue)
        .order_by("date_created", "pk")
        .values_list("lane_id", "date_created")[:OLDEST]
    )
)
_OF_LANE: Final[CompiledQuery[Any]] = CompiledQuery(
    lambda lane: _PENDING.filter(lane_id=lane).values_list("lane_id")[: MOST_TASKS + 1]
)
_LANES: Final = CompiledQuery(
    lambda pks=SEQUENCE: models.Lane.objects.filter(pk__in=pks).select_related(
        "task_queue", "task_channel"
    )
)
