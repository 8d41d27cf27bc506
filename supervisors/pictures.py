"""The newest picture of each workspace that this process shows."""

from __future__ import annotations

import itertools
import secrets
import threading
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache
from django.utils import timezone

from routing import models
from routing.core.clock import microseconds
from supervisors import reading
from supervisors.picture import Picture

PROCESS: Final = secrets.token_hex(4)
"""A name of this process, as pictures of two processes may have the same number."""
PACE: Final = timedelta(seconds=1)
"""The age up to which a picture is shown again where no socket keeps it fresh."""

_numbers: Final = itertools.count(1)
_lock: Final = threading.Lock()
_pictures: Final[LRUCache[str, Picture]] = LRUCache(maxsize=50)
_reads: Final[LRUCache[str, threading.Lock]] = LRUCache(maxsize=200)


def next_number() -> int:
    """Return the number of the next picture."""
    return next(_numbers)


def find_picture(workspace: models.Workspace, *, now: datetime | None = None) -> Picture:
    """Return a picture that is at most `PACE` old; read it, once for all who wait, if need be."""
    now = now or timezone.now()
    found = get_picture(workspace.sid)
    if found is not None and _is_fresh(found, now):
        return found
    with _lock:
        reads = _reads.setdefault(workspace.sid, threading.Lock())
    with reads:
        found = get_picture(workspace.sid)
        if found is not None and _is_fresh(found, now):
            return found
        made = reading.read_whole(workspace, number=next_number(), now=now, before=found)
        keep_picture(workspace.sid, made)
        return made


def _is_fresh(found: Picture, now: datetime) -> bool:
    age = microseconds(now) - found.at_us
    return 0 <= age < PACE // timedelta(microseconds=1)


def get_picture(workspace_sid: str) -> Picture | None:
    """Return the newest picture, whatever its age."""
    with _lock:
        return _pictures.get(workspace_sid)


def keep_picture(workspace_sid: str, made: Picture) -> None:
    """Keep a picture, unless a newer one is there."""
    with _lock:
        before = _pictures.get(workspace_sid)
        if before is None or before.number < made.number:
            _pictures[workspace_sid] = made


def forget_pictures() -> None:
    """Forget all pictures."""
    with _lock:
        _pictures.clear()
