"""Keep what one session is told in order: what its lists show already, what came twice or early.

The SDK breaks when it hears of a reservation that it does not know, or that has ended for it. Each
change of a reservation counts its version by one, so a session sees what is missing. Events may be
told twice, and those of two processes may overtake each other: nothing may turn back by that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from routing.bridge.frames import Frame
from routing.bridge.writers import CHANNELS, TASKS, WORKERS
from routing.core.vocabulary import EventType as E

_ENDS: Final = frozenset(
    {
        E.RESERVATION_COMPLETED,
        E.RESERVATION_REJECTED,
        E.RESERVATION_TIMEOUT,
        E.RESERVATION_CANCELED,
        E.RESERVATION_RESCINDED,
    }
)
_REMEMBERED: Final = 100
_REMEMBERED_TASKS: Final = 20
MOST_EARLY: Final = 200


class OutOfStep(Exception):
    """Something before what is here is missing: the session must read its lists anew."""


class Order:
    """What one session has been told of."""

    def __init__(self) -> None:
        """Begin with a session that knows nothing, and is told everything until it has lists."""
        self.has_lists = False
        self._versions: dict[str, int] = {}
        self._listed: set[str] = set()
        self._doubtful: set[str] = set()
        self._ended: dict[str, None] = {}
        self._heard: dict[str, None] = {}
        self._early: dict[str, dict[int, Frame]] = {}
        self._read_version: int | None = None
        self._worker_version = -1
        self._came_to = -1
        self._worker: Frame | None = None
        self._tasks: dict[str, Frame] = {}

    def read_list(self, reservations: Mapping[str, int], *, worker_version: int | None) -> None:
        """Note which reservations a list showed, in which versions.

        A second list means that nobody knows which of the two is this session's: then it is told
        all that is news by either of them, and nothing that would break it by either.

        Arguments:
            worker_version: the version of the worker that the session read before, if known.
        """
        if self.has_lists:
            self._read_again(reservations)
            if self._read_version is not None and worker_version is not None:
                self._read_version = min(self._read_version, worker_version)
            else:
                self._read_version = None
            return
        self.has_lists = True
        # What it was told before it had lists it may not have heard.
        self._heard.clear()
        self._tasks.clear()
        self._worker, self._worker_version = None, -1
        self._versions = dict(reservations)
        self._listed = set(reservations)
        self._read_version = worker_version

    def _read_again(self, reservations: Mapping[str, int]) -> None:
        for sid in self._listed - reservations.keys():
            # Over by the later list: of this one only the end is told.
            del self._versions[sid]
        self._listed &= reservations.keys()
        for sid, version in reservations.items():
            if sid not in self._versions:
                self._versions[sid] = version
                self._listed.add(sid)
                self._doubtful.add(sid)
            elif sid in self._listed:
                self._versions[sid] = min(version, self._versions[sid])

    def read_more(self, reservations: Mapping[str, int]) -> None:
        """Note what a further page of the list showed."""
        for sid, version in reservations.items():
            if sid not in self._versions:
                self._versions[sid] = version
                self._listed.add(sid)

    @property
    def worker_version(self) -> int | None:
        """Return up to which version of the worker this session knows all; None: that is unknown.

        Every event that the SDK counts by raises it, so one that falls behind has missed some.
        """
        known = max(self._came_to, -1 if self._read_version is None else self._read_version)
        return known if self.has_lists and known >= 0 else None

    def take(self, frame: Frame) -> list[Frame]:
        """Return what is to be told now that this has come: it, nothing, or more after it."""
        self._came_to = max(self._came_to, frame.worker_version or -1)
        if frame.reservation_sid is not None:
            told = self._of_reservation(frame, frame.reservation_sid)
        elif frame.event_sid in self._heard:
            return []
        else:
            _remember(self._heard, frame.event_sid)
            told = self._of_other(frame)
        for each in told:
            self._worker_version = max(self._worker_version, each.worker_version or -1)
        return told

    def is_waiting(self) -> bool:
        """Tell whether something came before what must be told first."""
        return bool(self._early)

    def give_up_waiting(self) -> list[Frame]:
        """Return the ends of what ended before this session knew of it, which do it no harm.

        Raises `OutOfStep` for all else that came before what must be told first.
        """
        ends = []
        for sid, frames in list(self._early.items()):
            end = next((f for f in frames.values() if f.event_type in _ENDS), None)
            if sid in self._versions or end is None:
                raise OutOfStep
            ends.append(end)
            self._end(sid)
        return ends

    # --- Reservations ----------------------------------------------------------------------

    def _of_reservation(self, frame: Frame, sid: str) -> list[Frame]:
        if not self.has_lists:
            return [frame]
        if sid in self._ended:
            return []
        if frame.event_type == E.RESERVATION_CREATED:
            if not self._is_news(sid, frame):
                return []
            self._versions[sid] = frame.version
            self._listed.discard(sid)
            return [frame, *self._next(sid)]
        if frame.version <= self._versions.get(sid, -1):
            return []
        self._early.setdefault(sid, {})[frame.version] = frame
        if sum(map(len, self._early.values())) > MOST_EARLY:
            raise OutOfStep
        return self._next(sid) if sid in self._versions else []

    def _next(self, sid: str) -> list[Frame]:
        """Return what has come of a reservation and follows on what was told."""
        early = self._early.get(sid, {})
        told = []
        while (frame := early.pop(self._versions[sid] + 1, None)) is not None:
            told.append(frame)
            self._versions[sid] = frame.version
            self._listed.discard(sid)
            if frame.event_type in _ENDS:
                self._end(sid)
                break
        if not early:
            self._early.pop(sid, None)
        return told

    def _is_news(self, sid: str, frame: Frame) -> bool:
        """Tell whether an offer is to be told, which the SDK also counts for its worker's version.

        One that the list showed is told again if the worker was read before it was made.
        """
        before = self._is_read(frame)
        if sid in self._doubtful:
            self._doubtful.discard(sid)
            return not before
        if sid in self._versions:
            return sid in self._listed and self._read_version is not None and not before
        if before:
            # Made and ended before the lists were read.
            self._end(sid)
            return False
        return True

    def _end(self, sid: str) -> None:
        self._versions.pop(sid, None)
        self._listed.discard(sid)
        self._doubtful.discard(sid)
        self._early.pop(sid, None)
        _remember(self._ended, sid)

    # --- All else --------------------------------------------------------------------------

    def _of_other(self, frame: Frame) -> list[Frame]:
        if frame.event_type in CHANNELS:
            return [] if self._is_read(frame) else [frame]
        if frame.event_type in WORKERS:
            return [] if self._is_read(frame) else [self._of_worker(frame)]
        if frame.event_type in TASKS and frame.task_sid is not None:
            return [self._of_task(frame, frame.task_sid)]
        return [frame]

    def _is_read(self, frame: Frame) -> bool:
        """Tell whether the worker was read, and so counted, after what a frame tells of."""
        return self._read_version is not None and (frame.worker_version or 0) <= self._read_version

    def _of_worker(self, frame: Frame) -> Frame:
        version = frame.worker_version or 0
        newest = self._worker
        if newest is None or (newest.worker_version or 0) <= version:
            newest = self._worker = frame
        if version >= self._worker_version:
            return frame
        return _retold(frame, newest, version=self._worker_version)

    def _of_task(self, frame: Frame, sid: str) -> Frame:
        newest = self._tasks.pop(sid, frame)
        if newest.version <= frame.version:
            newest = frame
        self._tasks[sid] = newest
        if len(self._tasks) > _REMEMBERED_TASKS:
            del self._tasks[next(iter(self._tasks))]
        return frame if newest is frame else _retold(frame, newest)


def _retold(late: Frame, newest: Frame, **more: Any) -> Frame:
    """Return what was overtaken, about its subject as it has become meanwhile."""
    payload = json.loads(newest.text)["payload"] | more
    text = json.dumps({"event_type": late.event_type, "payload": payload}, ensure_ascii=False)
    return replace(late, text=text)


def _remember(memory: dict[str, None], sid: str) -> None:
    memory[sid] = None
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
