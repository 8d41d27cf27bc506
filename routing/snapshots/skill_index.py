"""Cache which workers have the values that lanes are keyed by, to query only workers who match.

Of a thousand available workers, thirty may speak the language that a task requires. Who they are
changes when a worker is added or their attributes change, which is rare beside offers. Each process
loads all workers then, and otherwise queries only which of the thirty have free slots.

A change is announced by a new mark in Redis (`announce_change`), before it is published. A process
that sees another mark drops its cache. Correctness does not depend on the mark: the first passes of
every second query all free workers, as do all passes where few workers are free. And every match is
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
from routing.snapshots.lanes import ChannelKey, KeyPath, index_workers

logger = logging.getLogger(__name__)

CACHE_SECONDS: Final = 1.0
"""Longest use of a cached index: the interval of the sweep."""
FULL_LOADS: Final = 2
"""Passes per second that load all free workers, as loading the index costs more than one pass."""
MIN_FREE_WORKERS: Final = 200
"""Number of free workers from which the index saves time."""
MAX_KEYS: Final = 500
"""Most keys to look up at once; with more, free workers are queried first."""
_KEPT_SECONDS: Final = 86_400

_VERSIONS: Final = CompiledQuery(
    lambda workspace: models.Worker.objects.filter(workspace_id=workspace).values_list(
        "pk", "version", "workload_version"
    )
)


class SkillIndex:
    """All workers of a workspace, indexed by the values that lanes are keyed by."""

    def __init__(self, mark: str, all_workers: Iterable[snapshot.Worker]) -> None:
        self.mark = mark
        self._workers = list(all_workers)
        self._indexes: dict[str, dict[str, list[snapshot.Worker]]] = {}

    @property
    def size(self) -> int:
        """Return the number of workers."""
        return len(self._workers)

    def find_lane_keys(self, key_paths: Iterable[KeyPath]) -> Collection[ChannelKey] | None:
        """Return the lane keys that match these workers; None when the index cannot help.

        Lanes without a key are for any free worker, so then all free workers must be loaded.
        """
        keys: set[ChannelKey] = set()
        for channel, path in key_paths:
            if path in (lane_keys.ANYONE, lane_keys.REGARDLESS):
                return None
            keys.update((channel, path, value) for value in self._by_value(path))
            if len(keys) > MAX_KEYS:
                return None
        return keys

    def find_workers(self, keys: Iterable[tuple[str, str]]) -> list[int]:
        """Return the ids of workers who have one of these values at its path."""
        groups = (self._by_value(path).get(value, ()) for path, value in keys)
        return list({worker.id for group in groups for worker in group})

    def _by_value(self, path: str) -> dict[str, list[snapshot.Worker]]:
        index = self._indexes.get(path)
        if index is None:
            index = self._indexes[path] = index_workers(self._workers, path)
        return index


class _Use:
    """How a workspace used the index since its last second began."""

    def __init__(self) -> None:
        self.passes = 0
        self.free = 0
        self.index: SkillIndex | None = None


_lock = threading.Lock()
_uses: Final[TTLCache[int, _Use]] = TTLCache(maxsize=1_000, ttl=CACHE_SECONDS)


def load_skill_index(workspace: models.Workspace) -> SkillIndex | None:
    """Return the index of a workspace for one pass of the router.

    None where it would not save time, or where Redis cannot confirm that it is current. The caller
    then loads all free workers and passes their number to `record_free_workers`.
    """
    with _lock:
        use = _uses.get(workspace.pk)
        if use is None:
            use = _uses[workspace.pk] = _Use()
    use.passes += 1
    if use.passes <= FULL_LOADS or use.free < MIN_FREE_WORKERS:
        return None
    mark = _mark(workspace.sid)
    if mark is None:
        return None
    if use.index is None or use.index.mark != mark:
        use.index = SkillIndex(mark, workers.load_known(_VERSIONS(workspace.pk)))
    return use.index


def record_free_workers(workspace: models.Workspace, free: int) -> None:
    """Record how many free workers a pass has loaded."""
    with _lock:
        use = _uses.get(workspace.pk)
    if use is not None:
        use.free = free


def announce_change(workspace_sid: str) -> None:
    """Invalidate the indexes of a workspace whose workers change; called before the wake."""
    client = clients.client()
    if client is None:
        return
    try:
        client.set(_key(workspace_sid), secrets.token_hex(8), ex=_KEPT_SECONDS)
    except clients.BROKEN as error:
        logger.debug("skill index not invalidated workspace=%s (%s)", workspace_sid, error)


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
