"""Keep the picture of a workspace up to date where no socket watches it.

Only workers whose version differs are read, so that a look each second costs little.
"""

from __future__ import annotations

import threading
from typing import Final

from cachetools import LRUCache, TTLCache

from routing import models
from supervisors import pictures, reading
from supervisors.dirt import MOST_WORKERS, Dirt
from supervisors.picture import Picture

_lock: Final = threading.Lock()
_looks: Final[LRUCache[str, threading.Lock]] = LRUCache(maxsize=200)
_looked: Final[TTLCache[str, bool]] = TTLCache(maxsize=200, ttl=pictures.PACE.total_seconds())
_versions: Final[LRUCache[str, dict[str, tuple[int, int]]]] = LRUCache(maxsize=200)


def follow_picture(workspace: models.Workspace) -> Picture | None:
    """Return the picture of now, for which only what has changed was read."""
    versions = reading.list_versions(workspace)
    before = pictures.get_picture(workspace.sid)
    with _lock:
        known = _versions.get(workspace.sid)
        _versions[workspace.sid] = versions
    if before is None or known is None:
        return pictures.renew_picture(workspace.sid, Dirt(whole=True))
    changed = {sid for sid, version in versions.items() if known.get(sid) != version}
    changed |= known.keys() - versions.keys()
    is_whole = len(changed) > MOST_WORKERS or reading.read_setup(workspace) != before.setup
    dirt = Dirt(workers=changed, whole=is_whole, figures=True)
    return pictures.renew_picture(workspace.sid, dirt)


def find_followed(workspace: models.Workspace) -> Picture | None:
    """Return a picture that was true within `pictures.PACE`; one caller looks for all who wait."""
    with _lock:
        looks = _looks.setdefault(workspace.sid, threading.Lock())
    with looks:
        found = pictures.get_picture(workspace.sid)
        with _lock:
            is_recent = workspace.sid in _looked
        if found is not None and (is_recent or pictures.is_confirmed(workspace.sid)):
            return found
        followed = follow_picture(workspace)
        with _lock:
            _looked[workspace.sid] = True
        return followed


def forget_versions() -> None:
    """Forget which versions of workers the pictures show."""
    with _lock:
        _versions.clear()
        _looked.clear()
