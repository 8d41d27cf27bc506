"""The doors of the server by path, as `/metrics` names them: a few, whatever a client asks for."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"
_DOORS: Final = (
    ("/v1/wschannels", "sdk"),
    ("/v1/", "api"),
    ("/agent/", "desk"),
    ("/supervisor/", "supervisor"),
    ("/admin/", "admin"),
)


def find_door(path: str) -> str:
    """Return the door that a path leads to."""
    return next((door for prefix, door in _DOORS if path.startswith(prefix)), OTHER)
