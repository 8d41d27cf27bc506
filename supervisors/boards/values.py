"""Read the figures of tiles from a picture and the books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from cachetools import TTLCache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from routing import models, sids
from routing.core.clock import microseconds
from routing.core.rates import Ratio, Target, WaitClock, average_ms
from routing.core.tiles import WINDOWED, Tile, TileFigure, TileWindow
from routing.statistics import figures
from routing.statistics.figures import Pair, QueueFigures
from supervisors.picture import Picture, free_channels

BOOKS_SECONDS: Final = 2.0
"""Seconds for which the figures of a window are used by all tiles and viewers."""

WINDOWS: Final[Mapping[TileWindow, Promise]] = {
    TileWindow.HALF_HOUR: gettext_lazy("30 min"),
    TileWindow.TODAY: gettext_lazy("today"),
}

Books = dict[Pair, QueueFigures]
_lock: Final = threading.Lock()
_books: Final[TTLCache[tuple[str, TileWindow], Books]] = TTLCache(maxsize=400, ttl=BOOKS_SECONDS)


class TileScope:
    """A picture and the books, seen through a tile's queues and channel."""

    def __init__(
        self, workspace: models.Workspace, picture: Picture, tile: Tile, now: datetime
    ) -> None:
        self.workspace, self.picture, self.tile, self.now = workspace, picture, tile, now
        setup = picture.setup
        wanted = set(tile.queues)
        self.queues = [each for each in setup.queues.values() if each.sid in wanted]
        self.channels = tuple(
            each.id for each in setup.channels.values() if each.unique_name == tile.channel
        )

    @property
    def words(self) -> str:
        """Return what the figure is about, with its window."""
        names = [queue.name for queue in self.queues]
        names += [self.picture.setup.channels[pk].name for pk in self.channels]
        if self.tile.figure in WINDOWED:
            names.append(str(WINDOWS[self.tile.window]))
        return " · ".join(names)

    def sum_over(self, read: Callable[[int | None], float]) -> float:
        """Return the sum of a figure over the queues, or that of the workspace."""
        if not self.tile.queues:
            return read(None)
        return sum(read(queue.id) for queue in self.queues)

    @property
    def since_us(self) -> int | None:
        """Return the creation of the oldest pending task."""
        places: Sequence[int | None] = [queue.id for queue in self.queues]
        found = [
            longest.since_us
            for place in (places if self.tile.queues else [None])
            if (longest := self.picture.longest_of(place, self.channels)) is not None
        ]
        return min(found, default=None)

    @property
    def since_ms(self) -> int | None:
        """Return the same in milliseconds."""
        since = self.since_us
        return None if since is None else since // 1000

    def books(self) -> list[tuple[QueueFigures, Target]]:
        """Return the figures of the window, each queue and channel with its target."""
        found = load_books(self.workspace, self.tile.window, now=self.now)
        setup = self.picture.setup
        queues = {sids.index_key(each.sid): each for each in setup.queues.values()}
        channels = {sids.index_key(each.sid): each for each in setup.channels.values()}
        own = {queue.id for queue in self.queues}
        chosen = []
        for (queue_key, channel_key), each in found.items():
            queue, channel = queues.get(queue_key), channels.get(channel_key)
            if channel is None or (self.channels and channel.id not in self.channels):
                continue
            if self.tile.queues and (queue is None or queue.id not in own):
                continue
            place = (0 if queue is None else queue.id, channel.id)
            chosen.append((each, setup.target_of(place)))
        return chosen


def load_books(workspace: models.Workspace, window: TileWindow, *, now: datetime) -> Books:
    """Return the figures of every queue and channel in a window, cached for `BOOKS_SECONDS`."""
    key = (workspace.sid, window)
    with _lock:
        found = _books.get(key)
    if found is None:
        is_today = window is TileWindow.TODAY
        span = figures.today(workspace, now=now) if is_today else figures.last_minutes(now)
        found = figures.load_queue_figures(workspace, span)
        with _lock:
            _books[key] = found
    return found


def forget_books() -> None:
    """Forget the figures of all windows."""
    with _lock:
        _books.clear()


def _read_tasks(name: str) -> Callable[[TileScope], float]:
    return lambda scope: scope.sum_over(
        lambda queue: getattr(scope.picture.tasks_of(queue, scope.channels), name)
    )


def _read_longest(scope: TileScope) -> float:
    since = scope.since_us
    return 0 if since is None else max(microseconds(scope.now) - since, 0) / 1_000_000


def _read_overdue(scope: TileScope) -> float:
    return scope.sum_over(lambda queue: scope.picture.recent_of(queue, scope.channels).overdue)


def _list_staff(scope: TileScope) -> set[int]:
    """Return the ids of the workers who serve one of the queues, each once."""
    own = {queue.id for queue in scope.queues}
    return {pk for pk, worker in scope.picture.workers.items() if worker.serves & own}


def _read_available(scope: TileScope) -> float:
    if not scope.tile.queues:
        everyone = scope.picture.everyone
        return everyone.channel(scope.channels[0]).on if scope.channels else everyone.available
    if len(scope.queues) == 1:
        staff = scope.picture.staff_of(scope.queues[0].id)
        return staff.channel(scope.channels[0]).on if scope.channels else staff.available
    return sum(scope.picture.workers[pk].available for pk in _list_staff(scope))


def _read_free(scope: TileScope) -> float:
    picture, wanted = scope.picture, frozenset(scope.channels)
    if len(scope.queues) > 1:
        multi_task = picture.setup.multi_task
        free = (
            free_channels(picture.workers[pk], multi_task=multi_task) for pk in _list_staff(scope)
        )
        return sum(bool(found & wanted if wanted else found) for found in free)
    if scope.tile.queues and not scope.queues:
        return 0
    staff = picture.staff_of(scope.queues[0].id) if scope.queues else picture.everyone
    return staff.free_for(wanted) if wanted else staff.free


def _read_slots(scope: TileScope) -> float | None:
    if not scope.picture.setup.multi_task or len(scope.queues) > 1:
        return None
    queue = scope.queues[0].id if scope.queues else None
    staff = scope.picture.everyone if queue is None else scope.picture.staff_of(queue)
    channels = scope.channels or tuple(staff.channels)
    return sum(staff.channel(pk).for_router for pk in channels)


def _read_no_desk(scope: TileScope) -> float:
    if not scope.tile.queues:
        return len(scope.picture.unreachable)
    return len(scope.picture.unreachable & _list_staff(scope))


def _read_alerts(scope: TileScope) -> float:
    own = {queue.id for queue in scope.queues}
    alerts = scope.picture.alerts
    return sum(not scope.tile.queues or alert.queue in own for alert in alerts)


def _read_count(read: Callable[[QueueFigures], int]) -> Callable[[TileScope], float]:
    return lambda scope: sum(read(each) for each, _target in scope.books())


def _read_level(scope: TileScope) -> float | None:
    if scope.tile.window is TileWindow.HALF_HOUR:
        places: list[int | None] = [queue.id for queue in scope.queues]
        found = [
            scope.picture.recent_of(place, scope.channels).level
            for place in (places if scope.tile.queues else [None])
        ]
    else:
        found = [figures.service_level(each, target) for each, target in scope.books()]
    return sum(found, Ratio()).percent


def _read_abandonment(scope: TileScope) -> float | None:
    return sum((figures.abandonment(*pair) for pair in scope.books()), Ratio()).percent


def _read_speed(scope: TileScope) -> float | None:
    waits = [each.answered_in(WaitClock.QUEUE) for each, _target in scope.books()]
    found = average_ms(sum(each.total_ms for each in waits), sum(each.count for each in waits))
    return None if found is None else found / 1000


def _read_handle_time(scope: TileScope) -> float | None:
    books = [each for each, _target in scope.books()]
    handled = sum(each.count("handled") for each in books)
    found = average_ms(sum(each.count("handled_ms") for each in books), handled)
    return None if found is None else found / 1000


READ: Final[Mapping[TileFigure, Callable[[TileScope], float | None]]] = {
    TileFigure.WAITING: _read_tasks("waiting"),
    TileFigure.ON_OFFER: _read_tasks("offered"),
    TileFigure.IN_WORK: _read_tasks("in_work"),
    TileFigure.WRAPPING: _read_tasks("wrapping"),
    TileFigure.LONGEST_WAIT: _read_longest,
    TileFigure.OVERDUE: _read_overdue,
    TileFigure.AVAILABLE: _read_available,
    TileFigure.FREE: _read_free,
    TileFigure.SLOTS_FREE: _read_slots,
    TileFigure.NO_DESK: _read_no_desk,
    TileFigure.ALERTS: _read_alerts,
    TileFigure.ENTERED: _read_count(lambda each: each.entered),
    TileFigure.ANSWERED: _read_count(lambda each: each.answered),
    TileFigure.ABANDONED: _read_count(lambda each: each.abandoned),
    TileFigure.MISSED: _read_count(lambda each: each.count("missed")),
    TileFigure.HANDLED: _read_count(lambda each: each.count("handled")),
    TileFigure.SERVICE_LEVEL: _read_level,
    TileFigure.ABANDONMENT: _read_abandonment,
    TileFigure.SPEED: _read_speed,
    TileFigure.HANDLE_TIME: _read_handle_time,
}
