"""Cache which workers have the values that lanes are keyed by, to query only workers who match.

Of a thousand available workers, thirty may speak the language that a task requires. Who they are
changes when a worker is added or their attributes change, which is rare beside offers. Each process
loads all workers then, and otherwise queries only which of the thirty have free slots.

A change is announced by a new mark in Redis (`note`), before it is published; a process that sees
another mark drops its cache. Correctness does not depend on the mark: the first looks of every
second query all free workers, as do all looks where few workers are free. And every match is
checked again under lock.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Collection, Iterable
from typing import Final

from cachetools import TTLCache

from routing import models
from routing.core import snapshot
from routing.core.matching import lane_keys
from routing.db.compiled import CompiledQuery
from routing.redis import clients
from routing.snapshots import workers
from routing.snapshots.lanes import Kind, Sought, by_value

logger = logging.getLogger(__name__)

LONGEST: Final = 1.0
"""Longest use of a cached directory in seconds: the interval of the sweep."""
WHOLE: Final = 2
"""Looks per second that go without, because loading the directory costs more than one look."""
MANY: Final = 200
"""Number of free workers from which the directory saves time."""
MOST: Final = 500
"""Most keys to look up at once; with more, free workers are queried first."""
_KEPT_SECONDS: Final = 86_400

_EVERYBODY: Final = CompiledQuery(
    lambda workspace: models.Worker.objects.filter(workspace_id=workspace).values_list(
        "pk", "version", "workload_version"
    ),
    0,
)


class SkillIndex:
    """All workers of a workspace, indexed by the values that lanes are keyed by."""

    def __init__(self, mark: str, people: Iterable[snapshot.Worker]) -> None:
        self.mark = mark
        self._people = list(people)
        self._having: dict[str, dict[str, list[snapshot.Worker]]] = {}

    def sought(self, kinds: Iterable[Kind]) -> Collection[Sought] | None:
        """Return the lane keys that match these workers; None when the directory cannot help.

        Lanes without a key are for any free worker, so then all free workers must be loaded.
        """
        found: set[Sought] = set()
        for channel, path in kinds:
            if path in (lane_keys.ANYONE, lane_keys.REGARDLESS):
                return None
            found.update((channel, path, value) for value in self._by_value(path))
            if len(found) > MOST:
                return None
        return found

    def whom(self, asked: Iterable[tuple[str, str]]) -> list[int]:
        """Return the ids of workers who have one of these values at its path."""
        people = (self._by_value(path).get(value, ()) for path, value in asked)
        return list({worker.id for some in people for worker in some})

    def _by_value(self, path: str) -> dict[str, list[snapshot.Worker]]:
        found = self._having.get(path)
        if found is None:
            found = self._having[path] = by_value(self._people, path)
        return found


class _Second:
    """State of a workspace in this process since its last second began."""

    def __init__(self) -> None:
        self.looks = 0
        self.free = 0
        self.directory: SkillIndex | None = None


_lock = threading.Lock()
_seconds: Final[TTLCache[int, _Second]] = TTLCache(maxsize=1_000, ttl=LONGEST)


def load_skill_index(workspace: models.Workspace) -> SkillIndex | None:
    """Return the directory of a workspace for one look of the router.

    None where it would not save time, or where Redis cannot confirm that it is current. The caller
    then loads all free workers and passes their number to `count`.
    """
    with _lock:
        seen = _seconds.get(workspace.pk)
        if seen is None:
            seen = _seconds[workspace.pk] = _Second()
    seen.looks += 1
    if seen.looks <= WHOLE or seen.free < MANY:
        return None
    mark = _mark(workspace.sid)
    if mark is None:
        return None
    if seen.directory is None or seen.directory.mark != mark:
        seen.directory = SkillIndex(mark, workers.load_known(_EVERYBODY(workspace.pk)))
    return seen.directory


def count_free_workers(workspace: models.Workspace, free: int) -> None:
    """Store how many free workers a look has found."""
    with _lock:
        seen = _seconds.get(workspace.pk)
    if seen is not None:
        seen.free = free


def announce_change(workspace_sid: str) -> None:
    """Invalidate the directories of a workspace whose workers change; called before the wake."""
    client = clients.client()
    if client is None:
        return
    try:
        client.set(_key(workspace_sid), secrets.token_hex(8), ex=_KEPT_SECONDS)
    except clients.BROKEN as error:
        logger.debug("directory not invalidated workspace=%s (%s)", workspace_sid, error)


def _mark(workspace_sid: str) -> str | None:
    client = clients.client()
    if client is None:
        return None
    key = _key(workspace_sid)
    try:
        mark = client.get(key)
        if mark is None:
            client.set(key, secrets.token_hex(8), nx=True, ex=_KEPT_SECONDS)
            mark = client.get(key)
    except clients.BROKEN:
        return None
    return mark.decode() if isinstance(mark, bytes) else mark


def _key(workspace_sid: str) -> str:
    return f"cordboard:described:{workspace_sid}"
