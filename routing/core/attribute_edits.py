"""Edit the attributes of a worker: set a value, or add it to a list or remove it from one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MISSING: Final = object()
"""What `read_path` returns for a path without a value."""


class EditKind(StrEnum):
    """What an edit does with its value."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of attributes.

    Arguments:
        path: the keys that lead to the value, separated by dots, as in expressions.
        value: what is set, added or removed. `MISSING` is for `set` alone: it removes the key.
    """

    kind: EditKind
    path: str
    value: Any


class EditRefused(Exception):
    """The attributes have another form than an edit needs."""


def read_path(attributes: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path, or `MISSING`."""
    found: Any = attributes
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return MISSING
        found = found[key]
    return found


def apply_edits(attributes: Mapping[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """Return edited attributes; raises `EditRefused`."""
    edited = copy.deepcopy(dict(attributes))
    for edit in edits:
        *parents, last = edit.path.split(".")
        place: Any = edited
        for key in parents:
            removes = edit.kind == EditKind.REMOVE or edit.value is MISSING
            if removes and key not in place:
                break
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise EditRefused(f"{edit.path!r} leads through {key!r}, which is no object")
        else:
            _apply(edit, place, last)
    return edited


def _apply(edit: Edit, place: dict[str, Any], key: str) -> None:
    if edit.kind == EditKind.SET:
        if edit.value is MISSING:
            place.pop(key, None)
        else:
            place[key] = edit.value
        return
    present = place.get(key, [])
    if not isinstance(present, list):
        raise EditRefused(f"{edit.path!r} is no list, so nothing can be added or removed")
    if edit.kind == EditKind.REMOVE:
        if edit.value in present:
            place[key] = [each for each in present if each != edit.value]
    elif edit.value not in present:
        place[key] = [*present, edit.value]
