"""The newest picture of each workspace that this process shows."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache
from django.utils import timezone

from routing import instruments, models
from routing.core.clock import microseconds
from supervisors import reading
from supervisors.dirt import Dirt
from supervisors.picture import Picture

PROCESS: Final = secrets.token_hex(4)
"""A name of this process, as pictures of two processes may have the same number."""
PACE: Final = timedelta(seconds=1)
"""The age up to which a picture is shown again where no socket keeps it fresh."""

_numbers: Final = itertools.count(1)
CONFIRMED_SECONDS: Final = 3.0
"""The time for which a picture counts as true after its watcher has confirmed it."""

_lock: Final = threading.Lock()
_confirmed: Final[dict[str, float]] = {}
_pictures: Final[LRUCache[str, Picture]] = LRUCache(maxsize=200)
_reads: Final[LRUCache[str, threading.Lock]] = LRUCache(maxsize=200)


def next_number() -> int:
    """Return the number of the next picture."""
    return next(_numbers)


def find_picture(workspace: models.Workspace, *, now: datetime | None = None) -> Picture:
    """Return a picture that is at most `PACE` old; read it, once for all who wait, if need be."""
    now = now or timezone.now()
    found = get_picture(workspace.sid)
    if found is not None and (is_confirmed(workspace.sid) or _is_fresh(found, now)):
        return found
    with _lock:
        reads = _reads.setdefault(workspace.sid, threading.Lock())
    with reads:
        found = get_picture(workspace.sid)
        if found is not None and _is_fresh(found, now):
            return found
        with instruments.measure_picture():
            made = reading.read_whole(workspace, number=next_number(), now=now, before=found)
        keep_picture(workspace.sid, made)
        return made


def renew_picture(workspace_sid: str, dirt: Dirt) -> Picture | None:
    """Read what may have changed, and return the newest picture.

    The picture before is returned if nothing has changed; None if the workspace is gone.
    """
    workspace = models.Workspace.objects.filter(sid=workspace_sid).first()
    if workspace is None:
        return None
    now = timezone.now()
    before = get_picture(workspace_sid)
    number = next_number()
    with instruments.measure_picture():
        if before is None or dirt.whole:
            made = reading.read_whole(workspace, number=number, now=now, before=before)
        else:
            made = reading.read_changes(
                workspace,
                before,
                dirt.workers,
                number=number,
                now=now,
                with_figures=dirt.figures,
            )
    if before is not None and replace(made, number=before.number, at_us=before.at_us) == before:
        return before
    keep_picture(workspace_sid, made)
    return made


def confirm_picture(workspace_sid: str) -> None:
    """Record that the picture is still true, as its watcher would have heard of changes."""
    with _lock:
        _confirmed[workspace_sid] = time.monotonic()


def doubt_picture(workspace_sid: str) -> None:
    """Record that the picture may no longer be true, as its watcher hears of no changes."""
    with _lock:
        _confirmed.pop(workspace_sid, None)


def is_confirmed(workspace_sid: str) -> bool:
    """Return whether a watcher has confirmed the picture lately."""
    with _lock:
        return time.monotonic() - _confirmed.get(workspace_sid, -1e9) < CONFIRMED_SECONDS


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
        _confirmed.clear()
