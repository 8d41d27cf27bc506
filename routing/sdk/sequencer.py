"""Order the events of one session: drop what its lists contain or duplicate, hold early ones.

The SDK breaks on an event of a reservation that it does not know, or that has ended for it. Each
change of a reservation raises its version by one, so gaps can be seen. Events may arrive twice, and
those of two processes may overtake each other; no state may go backwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from routing.core.event_catalog import RESERVATION_EVENTS
from routing.core.event_catalog import EventType as E
from routing.core.lifecycle import OPEN_RESERVATION
from routing.sdk.event_payloads import CHANNELS, TASKS, WORKERS
from routing.sdk.frames import Frame

_ENDS: Final = frozenset(
    each for status, each in RESERVATION_EVENTS.items() if status not in OPEN_RESERVATION
)
_REMEMBERED: Final = 100
_REMEMBERED_TASKS: Final = 20
MOST_EARLY: Final = 200


class OutOfStep(Exception):
    """An earlier event is missing: the session must read its lists again."""


class Sequencer:
    """The state of what one session has been sent.

    Recent sids are kept in plain dicts, not in `cachetools.FIFOCache`: a full one takes 12 kB
    instead of 3 kB, and there are thousands of sessions.
    """

    def __init__(self) -> None:
        """Create the state of a session without lists, which gets every event."""
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
        """Record the reservations of a list with their versions.

        After a second list it is unknown which of them is this session's. Then events that are new
        to either list are sent, except those that would break the SDK with either.

        Arguments:
            worker_version: the worker's version that the session read before, if known.
        """
        if self.has_lists:
            self._read_again(reservations)
            if self._read_version is not None and worker_version is not None:
                self._read_version = min(self._read_version, worker_version)
            else:
                self._read_version = None
            return
        self.has_lists = True
        # Events sent before it had lists may have been ignored.
        self._heard.clear()
        self._tasks.clear()
        self._worker, self._worker_version = None, -1
        self._versions = dict(reservations)
        self._listed = set(reservations)
        self._read_version = worker_version

    def _read_again(self, reservations: Mapping[str, int]) -> None:
        for sid in self._listed - reservations.keys():
            # It ended before the later list was read; only its end is sent.
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
        """Record a further page of the list."""
        for sid, version in reservations.items():
            if sid not in self._versions:
                self._versions[sid] = version
                self._listed.add(sid)

    @property
    def worker_version(self) -> int | None:
        """Return the worker's version up to which this session has every event; None if unknown.

        Every event that the SDK counts raises it, so a session that falls behind has missed one.
        """
        known = max(self._came_to, -1 if self._read_version is None else self._read_version)
        return known if self.has_lists and known >= 0 else None

    def take(self, frame: Frame) -> list[Frame]:
        """Return the frames to send now: this one, none, or also held ones that follow it."""
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
        """Return whether an event is held because an earlier one is missing."""
        return bool(self._early)

    def give_up_waiting(self) -> list[Frame]:
        """Return the end events of reservations unknown to the session, which do no harm.

        Raises `OutOfStep` if any other event is held.
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
        """Return the held events of a reservation that directly follow the last one sent."""
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
        """Return whether an offer must be sent, also as the SDK counts it for its worker's version.

        An offer in the list is sent again if the worker was read before it was made.
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

    # --- Other events ----------------------------------------------------------------------

    def _of_other(self, frame: Frame) -> list[Frame]:
        if frame.event_type in CHANNELS:
            return [] if self._is_read(frame) else [frame]
        if frame.event_type in WORKERS:
            return [] if self._is_read(frame) else [self._of_worker(frame)]
        if frame.event_type in TASKS and frame.task_sid is not None:
            return [self._of_task(frame, frame.task_sid)]
        return [frame]

    def _is_read(self, frame: Frame) -> bool:
        """Return whether the worker was read after this event, which it then includes."""
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
    """Return an overtaken event with the newest state of its resource."""
    payload = json.loads(newest.text)["payload"] | more
    text = json.dumps({"event_type": late.event_type, "payload": payload}, ensure_ascii=False)
    return replace(late, text=text)


def _remember(memory: dict[str, None], sid: str) -> None:
    memory[sid] = None
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
