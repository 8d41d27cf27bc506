"""What happened on a floor lately, and what is overdue: the figures of its queues and channels."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from cachetools import TTLCache
from django.db.models import Q, QuerySet, Sum

from routing import models, sids
from routing.core.clock import microseconds
from routing.core.rates import Target, WaitClock
from routing.statistics import bookkeeper, figures
from routing.statistics.figures import Overdue, QueueFigures
from supervisors.picture import Longest, Place, Recent, Setup, Tasks, Worker

MANY_MISSED: Final = 3
"""Missed offers in ten minutes from which the workers are named."""
LATE: Final = timedelta(seconds=5)
"""The age of an event that is not counted from which figures say up to when they are."""
TODAY_SECONDS: Final = 20.0
"""Seconds for which the figures of the day are used."""

_lock: Final = threading.Lock()
_today: Final[TTLCache[str, dict[Place, int]]] = TTLCache(maxsize=200, ttl=TODAY_SECONDS)


def read_targets(workspace: models.Workspace) -> dict[Place, Target]:
    """Return the targets of queues and channels that are not the usual one."""
    rows = models.QueueTarget.objects.filter(task_queue__workspace=workspace)
    return {(row.task_queue_id, row.task_channel_id): row.target for row in rows}


def read_recent(
    workspace: models.Workspace,
    setup: Setup,
    tasks: Mapping[Place, Tasks],
    longest: Mapping[Place, Longest],
    workers: Iterable[Worker],
    *,
    now: datetime,
) -> dict[Place, Recent]:
    """Return the figures of each queue and channel in which something happened or is overdue."""
    places = _Places(setup)
    entered = _read_today(workspace, places, now=now)
    window = places.by_ids(figures.load_queue_figures(workspace, figures.last_minutes(now)))
    attempts = _read_attempts(workspace, places, workers, now=now)
    overdue = _count_overdue(setup, tasks, longest, now=now)
    found = {}
    for place in {*entered, *window, *attempts, *overdue}:
        found[place] = _build(
            window.get(place, QueueFigures()),
            setup.target_of(place),
            overdue.get(place, Overdue()),
            attempts.get(place, Recent()),
            entered.get(place, 0),
        )
    return {place: each for place, each in found.items() if each != Recent()}


def find_counted_until(workspace: models.Workspace, *, now: datetime) -> int | None:
    """Return up to when events are counted, in microseconds, if the bookkeeper is behind.

    It is behind if an event that it could have counted has waited for `LATE`.
    """
    mark = models.Bookmark.objects.filter(workspace=workspace).first()
    if mark is None:
        return None
    unread = bookkeeper.list_unread_events(workspace, mark).order_by("transaction_id", "id")
    oldest = unread.values_list("event_date", flat=True).first()
    if oldest is None or now - oldest < LATE:
        return None
    return microseconds(min(mark.date_counted or oldest, oldest))


def _build(
    of_place: QueueFigures, target: Target, overdue: Overdue, attempts: Recent, entered: int
) -> Recent:
    waits = of_place.answered_in(WaitClock.QUEUE)
    level = figures.live_service_level(of_place, target, overdue)
    return attempts._replace(
        overdue=overdue.tasks,
        has_more_overdue=overdue.has_more,
        answered_30m=of_place.answered,
        abandoned_30m=of_place.abandoned,
        wait_ms_30m=waits.total_ms,
        level=level,
        entered_today=entered,
        gave_up=figures.abandonment(of_place, target),
    )


class _Places:
    """The keys of figures as ids of queues and channels."""

    def __init__(self, setup: Setup) -> None:
        self._queues = {sids.index_key(each.sid): each.id for each in setup.queues.values()}
        self._channels = {sids.index_key(each.sid): each.id for each in setup.channels.values()}

    def find(self, queue: int, channel: int) -> Place | None:
        """Return the ids for two keys; None if there is no such queue or channel any more."""
        if queue not in self._queues or channel not in self._channels:
            return None
        return self._queues[queue], self._channels[channel]

    def by_ids(self, found: Mapping[tuple[int, int], QueueFigures]) -> dict[Place, QueueFigures]:
        """Return figures by ids."""
        return {
            place: each for keys, each in found.items() if (place := self.find(*keys)) is not None
        }


def _read_today(workspace: models.Workspace, places: _Places, *, now: datetime) -> dict[Place, int]:
    """Return how many tasks entered each queue on each channel today."""
    with _lock:
        found = _today.get(workspace.sid)
    if found is None:
        span = figures.today(workspace, now=now)
        rows = _since(workspace, span.start).filter(entered__gt=0)
        grouped = rows.values_list("task_queue_key", "task_channel_key")
        found = {
            place: count
            for queue, channel, count in grouped.annotate(Sum("entered"))
            if (place := places.find(queue, channel)) is not None
        }
        with _lock:
            _today[workspace.sid] = found
    return found


def _read_attempts(
    workspace: models.Workspace, places: _Places, workers: Iterable[Worker], *, now: datetime
) -> dict[Place, Recent]:
    """Return the offers of the last ten minutes, and the answers of the last five."""
    ten, five = figures.last_minutes(now, 10), figures.last_minutes(now, 5)
    rows = _since(workspace, ten.start).values_list(
        "task_queue_key", "task_channel_key", "worker_key"
    )
    grouped = rows.annotate(
        made=Sum("offers"),
        lost=Sum("missed"),
        taken=Sum("answered", filter=Q(minute__gte=five.start), default=0),
    )
    found: dict[Place, Recent] = {}
    missing: dict[Place, dict[int, int]] = {}
    for queue, channel, worker, made, lost, taken in grouped:
        place = places.find(queue, channel)
        if place is None:
            continue
        before = found.get(place, Recent())
        found[place] = before._replace(
            offers=before.offers + made,
            missed=before.missed + lost,
            answered=before.answered + taken,
        )
        if lost:
            missing.setdefault(place, {})[worker] = lost
    _name_missing(found, missing, workers)
    return found


def _name_missing(
    found: dict[Place, Recent],
    missing: Mapping[Place, Mapping[int, int]],
    workers: Iterable[Worker],
) -> None:
    """Name the workers who let offers expire, where they are many."""
    many = [place for place in missing if found[place].missed >= MANY_MISSED]
    if not many:
        return
    names = {sids.index_key(worker.sid): (worker.name, worker.sid) for worker in workers}
    for place in many:
        by_count = sorted(missing[place].items(), key=lambda item: (-item[1], item[0]))
        known = tuple(names[key] for key, _ in by_count if key in names)
        found[place] = found[place]._replace(missed_by=known)


def _since(workspace: models.Workspace, minute: int) -> QuerySet[models.Figure]:
    return models.Figure.objects.filter(workspace=workspace, minute__gte=minute).order_by()


def _count_overdue(
    setup: Setup, tasks: Mapping[Place, Tasks], longest: Mapping[Place, Longest], *, now: datetime
) -> dict[Place, Overdue]:
    """Return how many tasks wait for longer than their target, where any does."""
    found = {}
    us = microseconds(now)
    for place, each in longest.items():
        target = setup.target_of(place)
        since = each.entered_us if target.clock is WaitClock.QUEUE else each.since_us
        queue, channel = place
        # The counts are read before the longest waits, so a task may have come in between.
        counted = tasks.get(place, Tasks())
        if not counted.waiting or us - since <= target.threshold * 1_000_000 or not queue:
            continue
        found[place] = figures.count_overdue(
            models.TaskQueue(pk=queue), models.TaskChannel(pk=channel), target, now=now
        )
    return found


def forget_today() -> None:
    """Forget the figures of the day."""
    with _lock:
        _today.clear()
