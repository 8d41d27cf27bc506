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
_RECENT_SIDS: Final = 100
_RECENT_TASKS: Final = 20
MAX_EARLY: Final = 200


class OutOfOrder(Exception):
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
        self._sent_sids: dict[str, None] = {}
        self._early: dict[str, dict[int, Frame]] = {}
        self._read_version: int | None = None
        self._worker_version = -1
        self._seen_version = -1
        self._worker: Frame | None = None
        self._tasks: dict[str, Frame] = {}

    def record_list(self, reservations: Mapping[str, int], *, worker_version: int | None) -> None:
        """Record the reservations of a list with their versions.

        After a second list it is unknown which of them is this session's. Then events that are new
        to either list are sent, except those that would break the SDK with either.

        Arguments:
            worker_version: the worker's version that the session read before, if known.
        """
        if self.has_lists:
            self._merge_list(reservations)
            if self._read_version is not None and worker_version is not None:
                self._read_version = min(self._read_version, worker_version)
            else:
                self._read_version = None
            return
        self.has_lists = True
        # Events sent before it had lists may have been ignored.
        self._sent_sids.clear()
        self._tasks.clear()
        self._worker, self._worker_version = None, -1
        self._versions = dict(reservations)
        self._listed = set(reservations)
        self._read_version = worker_version

    def _merge_list(self, reservations: Mapping[str, int]) -> None:
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

    def record_page(self, reservations: Mapping[str, int]) -> None:
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
        version = max(self._seen_version, -1 if self._read_version is None else self._read_version)
        return version if self.has_lists and version >= 0 else None

    def add_frame(self, frame: Frame) -> list[Frame]:
        """Return the frames to send now: this one, none, or also held ones that follow it."""
        self._seen_version = max(self._seen_version, frame.worker_version or -1)
        if frame.reservation_sid is not None:
            ready = self._add_reservation_frame(frame, frame.reservation_sid)
        elif frame.event_sid in self._sent_sids:
            return []
        else:
            _add_recent(self._sent_sids, frame.event_sid)
            ready = self._add_other_frame(frame)
        for each in ready:
            self._worker_version = max(self._worker_version, each.worker_version or -1)
        return ready

    def is_waiting(self) -> bool:
        """Return whether an event is held because an earlier one is missing."""
        return bool(self._early)

    def release_ends(self) -> list[Frame]:
        """Return the end events of reservations unknown to the session, which do no harm.

        Raises `OutOfOrder` if any other event is held.
        """
        ends = []
        for sid, frames in list(self._early.items()):
            end = next((f for f in frames.values() if f.event_type in _ENDS), None)
            if sid in self._versions or end is None:
                raise OutOfOrder
            ends.append(end)
            self._record_end(sid)
        return ends

    # --- Reservations ----------------------------------------------------------------------

    def _add_reservation_frame(self, frame: Frame, sid: str) -> list[Frame]:
        if not self.has_lists:
            return [frame]
        if sid in self._ended:
            return []
        if frame.event_type == E.RESERVATION_CREATED:
            if not self._is_new_offer(sid, frame):
                return []
            self._versions[sid] = frame.version
            self._listed.discard(sid)
            return [frame, *self._release_following(sid)]
        if frame.version <= self._versions.get(sid, -1):
            return []
        self._early.setdefault(sid, {})[frame.version] = frame
        if sum(map(len, self._early.values())) > MAX_EARLY:
            raise OutOfOrder
        return self._release_following(sid) if sid in self._versions else []

    def _release_following(self, sid: str) -> list[Frame]:
        """Return the held events of a reservation that directly follow the last one sent."""
        early = self._early.get(sid, {})
        ready = []
        while (frame := early.pop(self._versions[sid] + 1, None)) is not None:
            ready.append(frame)
            self._versions[sid] = frame.version
            self._listed.discard(sid)
            if frame.event_type in _ENDS:
                self._record_end(sid)
                break
        if not early:
            self._early.pop(sid, None)
        return ready

    def _is_new_offer(self, sid: str, frame: Frame) -> bool:
        """Return whether an offer must be sent, also as the SDK counts it for its worker's version.

        An offer in the list is sent again if the worker was read before it was made.
        """
        is_read = self._is_read(frame)
        if sid in self._doubtful:
            self._doubtful.discard(sid)
            return not is_read
        if sid in self._versions:
            return sid in self._listed and self._read_version is not None and not is_read
        if is_read:
            # Made and ended before the lists were read.
            self._record_end(sid)
            return False
        return True

    def _record_end(self, sid: str) -> None:
        self._versions.pop(sid, None)
        self._listed.discard(sid)
        self._doubtful.discard(sid)
        self._early.pop(sid, None)
        _add_recent(self._ended, sid)

    # --- Other events ----------------------------------------------------------------------

    def _add_other_frame(self, frame: Frame) -> list[Frame]:
        if frame.event_type in CHANNELS:
            return [] if self._is_read(frame) else [frame]
        if frame.event_type in WORKERS:
            return [] if self._is_read(frame) else [self._add_worker_frame(frame)]
        if frame.event_type in TASKS and frame.task_sid is not None:
            return [self._add_task_frame(frame, frame.task_sid)]
        return [frame]

    def _is_read(self, frame: Frame) -> bool:
        """Return whether the worker was read after this event, which it then includes."""
        return self._read_version is not None and (frame.worker_version or 0) <= self._read_version

    def _add_worker_frame(self, frame: Frame) -> Frame:
        version = frame.worker_version or 0
        newest = self._worker
        if newest is None or (newest.worker_version or 0) <= version:
            newest = self._worker = frame
        if version >= self._worker_version:
            return frame
        return _with_newest_state(frame, newest, version=self._worker_version)

    def _add_task_frame(self, frame: Frame, sid: str) -> Frame:
        newest = self._tasks.pop(sid, frame)
        if newest.version <= frame.version:
            newest = frame
        self._tasks[sid] = newest
        if len(self._tasks) > _RECENT_TASKS:
            del self._tasks[next(iter(self._tasks))]
        return frame if newest is frame else _with_newest_state(frame, newest)


def _with_newest_state(late: Frame, newest: Frame, **more: Any) -> Frame:
    """Return an overtaken event with the newest state of its resource."""
    payload = json.loads(newest.text)["payload"] | more
    text = json.dumps({"event_type": late.event_type, "payload": payload}, ensure_ascii=False)
    return replace(late, text=text)


def _add_recent(recent: dict[str, None], sid: str) -> None:
    recent[sid] = None
    if len(recent) > _RECENT_SIDS:
        del recent[next(iter(recent))]
