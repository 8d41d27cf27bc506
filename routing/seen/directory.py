"""Know by heart who of a workspace has what lanes look for, so that few need be asked who is free.

Of a thousand people who are there thirty may speak the language that a task asks for. Who they are
changes when somebody is hired or described anew, which is rare beside offers; each process reads it
then, and otherwise only asks which of the thirty have room.

Whoever tells of such a change puts another mark into Redis first (`note`), and by the mark a
process sees that what it knows is old. Nothing depends on it alone: the first looks of every second
ask whoever is free, as all do where only few are free or where little happens; and what is found by
it is asked again under lock, as always.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Collection, Iterable
from typing import Final

from routing import models, shared_redis
from routing.core import seeks, snapshot
from routing.models.prepared import Prepared
from routing.seen import workers
from routing.seen.lanes import Kind, Sought, by_value

logger = logging.getLogger(__name__)

LONGEST: Final = 1.0
"""Seconds for which it is used: as often as the sweep looks."""
WHOLE: Final = 2
"""So many looks of these seconds do without: to read it costs more than one look."""
MANY: Final = 200
"""So many must be free for it to pay."""
MOST: Final = 500
"""So many different things are sought at once at most; beyond, whoever is free is asked first."""
_KEPT_SECONDS: Final = 86_400
_KEPT_AT_MOST: Final = 1_000

_EVERYBODY: Final = Prepared(
    lambda workspace: models.Worker.objects.filter(workspace_id=workspace).values_list(
        "pk", "version", "workload_version"
    ),
    0,
)


class Directory:
    """Everybody of a workspace, by what lanes look for."""

    def __init__(self, mark: str, people: Iterable[snapshot.Worker]) -> None:
        self.mark = mark
        self._people = list(people)
        self._having: dict[str, dict[str, list[snapshot.Worker]]] = {}

    def sought(self, kinds: Iterable[Kind]) -> Collection[Sought] | None:
        """Return where lanes for these people may be found; None when they cannot be found so.

        Lanes that ask for nothing in particular are for whoever is free.
        """
        found: set[Sought] = set()
        for channel, path in kinds:
            if path in (seeks.ANYONE, seeks.REGARDLESS):
                return None
            found.update((channel, path, value) for value in self._by_value(path))
            if len(found) > MOST:
                return None
        return found

    def whom(self, asked: Iterable[tuple[str, str]]) -> list[int]:
        """Return the ids of those who have one of these values at its path."""
        people = (self._by_value(path).get(value, ()) for path, value in asked)
        return list({worker.id for some in people for worker in some})

    def _by_value(self, path: str) -> dict[str, list[snapshot.Worker]]:
        found = self._having.get(path)
        if found is None:
            found = self._having[path] = by_value(self._people, path)
        return found


class _Second:
    """What this process has seen of a workspace since its last second began."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.looks = 0
        self.free = 0
        self.directory: Directory | None = None


_seconds: dict[int, _Second] = {}


def of(workspace: models.Workspace) -> Directory | None:
    """Return the directory of a workspace as of now, for one look.

    None where it would not pay, or where no Redis says whether it is old: the look is then for
    whoever is free, and says how many (`count`).
    """
    seen = _seconds.get(workspace.pk)
    if seen is None or time.monotonic() - seen.begun > LONGEST:
        if len(_seconds) >= _KEPT_AT_MOST:
            _seconds.clear()
        seen = _seconds[workspace.pk] = _Second()
    seen.looks += 1
    if seen.looks <= WHOLE or seen.free < MANY:
        return None
    mark = _mark(workspace.sid)
    if mark is None:
        return None
    if seen.directory is None or seen.directory.mark != mark:
        seen.directory = Directory(mark, workers.load_known(_EVERYBODY(workspace.pk)))
    return seen.directory


def count(workspace: models.Workspace, free: int) -> None:
    """Note how many a look has found free."""
    if seen := _seconds.get(workspace.pk):
        seen.free = free


def note(workspace_sid: str) -> None:
    """Say that somebody of a workspace was hired or described anew: before the router is woken."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        client.set(_key(workspace_sid), secrets.token_hex(8), ex=_KEPT_SECONDS)
    except shared_redis.BROKEN as error:
        logger.debug("%s: directories are old for a second (%s)", workspace_sid, error)


def _mark(workspace_sid: str) -> str | None:
    client = shared_redis.client()
    if client is None:
        return None
    key = _key(workspace_sid)
    try:
        mark = client.get(key)
        if mark is None:
            client.set(key, secrets.token_hex(8), nx=True, ex=_KEPT_SECONDS)
            mark = client.get(key)
    except shared_redis.BROKEN:
        return None
    return mark.decode() if isinstance(mark, bytes) else mark


def _key(workspace_sid: str) -> str:
    return f"cordboard:described:{workspace_sid}"
