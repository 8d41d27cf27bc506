"""Read the figures of tiles from a picture and the books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
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
from supervisors import floor_values
from supervisors.floor_values import FloorScope
from supervisors.picture import Picture

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
        ids = tuple(queue.id for queue in self.queues) if tile.queues else None
        self.floor = FloorScope(picture, ids, self.channels, microseconds(now))

    @property
    def words(self) -> str:
        """Return what the figure is about, with its window."""
        names = [queue.name for queue in self.queues]
        names += [self.picture.setup.channels[pk].name for pk in self.channels]
        if self.tile.figure in WINDOWED:
            names.append(str(WINDOWS[self.tile.window]))
        return " · ".join(names)

    @property
    def since_ms(self) -> int | None:
        """Return the creation of the oldest pending task, in milliseconds."""
        since = self.floor.since_us
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


def read_value(scope: TileScope) -> float | None:
    """Return the value of a tile's figure."""
    read = _READ.get(scope.tile.figure)
    return floor_values.READ[scope.tile.figure](scope.floor) if read is None else read(scope)


def _read_count(read: Callable[[QueueFigures], int]) -> Callable[[TileScope], float]:
    return lambda scope: sum(read(each) for each, _target in scope.books())


def _read_level(scope: TileScope) -> float | None:
    if scope.tile.window is TileWindow.HALF_HOUR:  # with what is overdue
        return floor_values.READ[TileFigure.SERVICE_LEVEL](scope.floor)
    return sum((figures.service_level(*pair) for pair in scope.books()), Ratio()).percent


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


_READ: Final[Mapping[TileFigure, Callable[[TileScope], float | None]]] = {
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
"""The figures that the books have; the others are read from the picture."""
