"""What agents did lately and today, from the books; read once for all who look."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cachetools import TTLCache

from routing import models, sids
from routing.core.clock import microseconds
from routing.core.rates import Ratio
from routing.statistics import figures, occupancy
from routing.statistics.bookkeeper import floor_minute
from routing.statistics.figures import WorkerFigures
from routing.statistics.occupancy import WorkerTime
from routing.statistics.windows import Span

SECONDS: Final = 5.0
"""Seconds for which figures are used before they are read again."""
MOST_WORKSPACES: Final = 50

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """What one agent did on the channels of a view.

    Arguments:
        recent: of the last 30 minutes.
        today: of the workspace's day so far.
        time: of the day's quarters that are over.
    """

    recent: WorkerFigures = field(default_factory=WorkerFigures)
    today: WorkerFigures = field(default_factory=WorkerFigures)
    time: WorkerTime = field(default_factory=WorkerTime)

    @property
    def busy_share(self) -> Ratio:
        """Return the share of time with a task in hand, of that and of idle time."""
        return self.time.busy_share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """The figures of all agents of a workspace, by the keys of worker and channel."""

    recent: Mapping[Pair, WorkerFigures]
    today: Mapping[Pair, WorkerFigures]
    times: Mapping[int, WorkerTime]
    until_us: int | None


_lock: Final = threading.Lock()
_books: Final[TTLCache[str, _Books]] = TTLCache(maxsize=MOST_WORKSPACES, ttl=SECONDS)


class FloorFigures:
    """The figures of the agents of a workspace, on some channels or on all.

    Arguments:
        channels: the sids of the channels that count; none for all.
    """

    def __init__(
        self, workspace: models.Workspace, *, now: datetime, channels: Collection[str] = ()
    ) -> None:
        self._books = _find_books(workspace, now=now)
        self._channels = {sids.index_key(sid) for sid in channels}
        self._recent = self._by_worker(self._books.recent)
        self._today = self._by_worker(self._books.today)

    def of(self, worker_sid: str) -> AgentFigures:
        """Return the figures of one agent."""
        key = sids.index_key(worker_sid)
        return AgentFigures(
            recent=self._recent.get(key, WorkerFigures()),
            today=self._today.get(key, WorkerFigures()),
            time=self._limit(self._books.times.get(key, WorkerTime())),
        )

    @property
    def until_us(self) -> int | None:
        """Return the end of the last quarter whose slot times are known."""
        return self._books.until_us

    def _by_worker(self, found: Mapping[Pair, WorkerFigures]) -> dict[int, WorkerFigures]:
        summed: dict[int, WorkerFigures] = defaultdict(WorkerFigures)
        for (worker, channel), each in found.items():
            if not self._channels or channel in self._channels:
                summed[worker].add(each)
        return dict(summed)

    def _limit(self, time: WorkerTime) -> WorkerTime:
        """Return the time on the chosen channels; busy and idle time are of the whole agent."""
        if not self._channels:
            return time
        chosen = {key: each for key, each in time.channels.items() if key in self._channels}
        return WorkerTime(time.in_hand_ms, time.idle_ms, chosen)


def _find_books(workspace: models.Workspace, *, now: datetime) -> _Books:
    with _lock:
        found = _books.get(workspace.sid)
    if found is None:
        found = _read_books(workspace, now=now)
        with _lock:
            _books[workspace.sid] = found
    return found


def _read_books(workspace: models.Workspace, *, now: datetime) -> _Books:
    day = figures.today(workspace, now=now)
    until = occupancy.find_known_until(workspace)
    return _Books(
        recent=figures.load_worker_figures(workspace, figures.last_minutes(now)),
        today=figures.load_worker_figures(workspace, day),
        times=occupancy.load_slot_times(workspace, Span(day.start, floor_minute(now))),
        until_us=None if until is None else microseconds(until),
    )


def forget_books() -> None:
    """Forget the figures."""
    with _lock:
        _books.clear()
