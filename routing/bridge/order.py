"""Keep what one session is told in order: what its lists show already, what came twice or early.

The SDK breaks when it hears of a reservation that it does not know, or that has ended for it. Each
change of a reservation counts its version by one, so a session sees what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routing.bridge.frames import CHANNELS, Frame
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
MOST_EARLY: Final = 200


class OutOfStep(Exception):
    """Something before what is here is missing: the session must read its lists anew."""


class Order:
    """What one session has been told of."""

    def __init__(self) -> None:
        """Begin with a session that knows nothing, and is told everything until it has lists."""
        self.has_lists = False
        self._versions: dict[str, int] = {}
        self._ended: dict[str, None] = {}
        self._counted: dict[str, None] = {}
        self._early: dict[str, dict[int, Frame]] = {}
        self._baseline: int | None = None

    def read_list(self, reservations: Mapping[str, int], *, worker_version: int | None) -> None:
        """Note which reservations a list showed, in which versions.

        Arguments:
            worker_version: the version of the worker that the session read before, if known.
        """
        self.has_lists = True
        self._versions.update(reservations)
        self._baseline = worker_version

    def read_more(self, reservations: Mapping[str, int]) -> None:
        """Note what a further page of the list showed."""
        for sid, version in reservations.items():
            self._versions.setdefault(sid, version)

    def caught_up(self) -> None:
        """Note that everything from before the lists has been taken."""
        self._baseline = None

    def take(self, frame: Frame) -> list[Frame]:
        """Return what is to be told now that this has come: it, nothing, or more after it."""
        if frame.event_type in CHANNELS:
            return [] if self._is_counted(frame) else [frame]
        sid = frame.reservation_sid
        if sid is None or not self.has_lists:
            return [frame]
        if sid in self._ended:
            return []
        if frame.event_type == E.RESERVATION_CREATED:
            if not self._is_news(sid, frame):
                return []
            self._versions[sid] = frame.version
            return [frame, *self._next(sid)]
        if frame.version <= self._versions.get(sid, -1):
            return []
        self._early.setdefault(sid, {})[frame.version] = frame
        if sum(map(len, self._early.values())) > MOST_EARLY:
            raise OutOfStep
        return self._next(sid) if sid in self._versions else []

    def is_waiting(self) -> bool:
        """Tell whether something came before what must be told first."""
        return bool(self._early)

    def give_up_waiting(self) -> None:
        """Forget what ended before this session knew of it; raises `OutOfStep` for all else."""
        for sid, frames in list(self._early.items()):
            if sid in self._versions or not any(f.event_type in _ENDS for f in frames.values()):
                raise OutOfStep
            self._end(sid)

    def _next(self, sid: str) -> list[Frame]:
        """Return what has come of a reservation and follows on what was told."""
        early = self._early.get(sid, {})
        told = []
        while (frame := early.pop(self._versions[sid] + 1, None)) is not None:
            told.append(frame)
            self._versions[sid] = frame.version
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
        before = self._baseline is not None and (frame.worker_version or 0) <= self._baseline
        if sid in self._versions:
            return self._baseline is not None and not before
        if before:
            # Made and ended before the lists were read.
            self._end(sid)
            return False
        return True

    def _is_counted(self, frame: Frame) -> bool:
        """Tell whether a change of a channel is in what the session has read, or was told."""
        if self._baseline is not None and (frame.worker_version or 0) <= self._baseline:
            return True
        if frame.event_sid in self._counted:
            return True
        _remember(self._counted, frame.event_sid)
        return False

    def _end(self, sid: str) -> None:
        self._versions.pop(sid, None)
        self._early.pop(sid, None)
        _remember(self._ended, sid)


def _remember(memory: dict[str, None], sid: str) -> None:
    memory[sid] = None
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
