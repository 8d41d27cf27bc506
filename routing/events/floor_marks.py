"""Marks for those who watch a floor: what events have made stale, merged per workspace.

A mark names event types, workers and tasks. Who receives it reads again what it names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from routing import floor_watches, groups
from routing.models import Event
from routing.redis import clients

MERGE_SECONDS: Final = 0.2
"""Shortest time between two marks of a floor."""
CHECK_SECONDS: Final = 1.0
"""Seconds for which the list of watched floors is used."""
MOST_SIDS: Final = 200
"""The number of sids that a mark names; beyond it, everything may have changed."""

Message = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Mark:
    """What changed on a floor; a set of None stands for more than `MOST_SIDS`."""

    event_types: set[str] = field(default_factory=set)
    workers: set[str] | None = field(default_factory=set)
    tasks: set[str] | None = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Add what an event changed."""
        data = event.event_data
        self.event_types.add(event.event_type)
        named = [data.get("worker_sid"), *(data.get("holder_sids") or "").split(",")]
        self.workers = _extend(self.workers, named)
        self.tasks = _extend(self.tasks, [data.get("task_sid")])

    def build_message(self) -> dict[str, Any]:
        """Return the message for the floor's group."""
        return {
            "type": "floor.dirty",
            "event_types": sorted(self.event_types),
            "workers": None if self.workers is None else sorted(self.workers),
            "tasks": None if self.tasks is None else sorted(self.tasks),
        }


def _extend(sids: set[str] | None, named: Iterable[str | None]) -> set[str] | None:
    if sids is None:
        return None
    sids.update(sid for sid in named if sid)
    return sids if len(sids) <= MOST_SIDS else None


class FloorMarks:
    """The marks that a courier has not published yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: frozenset[str] = frozenset()
        self._check_at = 0.0
        self._marks: dict[str, Mark] = {}
        self._send_at: dict[str, float] = {}

    @property
    def is_pending(self) -> bool:
        """Return whether a mark waits to be published."""
        return bool(self._marks)

    def add_events(self, events: Iterable[Event]) -> None:
        """Add events; those of floors that are not watched cost a look-up."""
        for event in events:
            if event.workspace_sid in self._list_watched():
                self._marks.setdefault(event.workspace_sid, Mark()).add(event)

    def take_messages(self, *, last: bool = False) -> list[Message]:
        """Return the messages to publish now: at most one every `MERGE_SECONDS` for a floor.

        Arguments:
            last: whether the courier stops, so that nothing is held back.
        """
        if not self._marks:
            return []
        now = self._clock()
        due = [sid for sid in self._marks if last or now >= self._send_at.get(sid, 0.0)]
        self._send_at = {sid: at for sid, at in self._send_at.items() if at > now}
        self._send_at.update(dict.fromkeys(due, now + MERGE_SECONDS))
        return [(groups.floor_group(sid), self._marks.pop(sid).build_message()) for sid in due]

    def _list_watched(self) -> frozenset[str]:
        now = self._clock()
        if now >= self._check_at:
            self._check_at = now + CHECK_SECONDS
            try:
                self._watched = floor_watches.list_watched()
            except clients.BROKEN:
                # Those who watch have noticed it, too, and read everything when Redis is back.
                self._watched = frozenset()
        return self._watched


def build_messages(event: Event) -> list[Message]:
    """Return the message of one event, if its floor is watched; none while Redis is away."""
    try:
        watched = floor_watches.list_watched()
    except clients.BROKEN:
        return []
    if event.workspace_sid not in watched:
        return []
    mark = Mark()
    mark.add(event)
    return [(groups.floor_group(event.workspace_sid), mark.build_message())]
