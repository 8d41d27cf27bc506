"""Find where values stand in a JSON text: for the paths by which problems name their place."""

from __future__ import annotations

import bisect
import json
import re
from typing import Final

from workflows.unknown_keys import shorten_key

# A string without an end lasts until the end of the text, so that no part is scanned twice.
_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
MOST_LEVELS: Final = 50
"""Levels of nesting that are read: paths get longer with each."""


class Positions:
    """The lines and columns of all values of a JSON text.

    A text that is not JSON has those of the values before its error.
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._offsets = _locate_values(text)

    def find_place(self, path: str) -> tuple[int, int]:
        """Return the line and the column, from 1, of the value at a path.

        Of what is missing it is the place of the innermost object or list around it.
        """
        while path and path not in self._offsets:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        offset = self._offsets.get(path, 0)
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class _Container:
    """An object or a list that is being read; `index` is None for an object."""

    __slots__ = ("index", "key", "path")

    def __init__(self, path: str, index: int | None) -> None:
        self.path = path
        self.index = index
        self.key: str | None = None

    def name_value(self) -> str:
        """Return the path of the value that comes next."""
        if self.index is not None:
            return f"{self.path}[{self.index}]"
        key = shorten_key(self.key or "")
        return f"{self.path}.{key}" if self.path else key


def _locate_values(text: str) -> dict[str, int]:
    """Return the offset of each value by its path; of a repeated key it is that of the last.

    A text that is nested more than `MOST_LEVELS` deep is read up to there.
    """
    offsets: dict[str, int] = {}
    open_ones: list[_Container] = []
    for found in _PART.finditer(text):
        part = found.group()
        inner = open_ones[-1] if open_ones else None
        if part == ":":
            continue
        if part == ",":
            if inner is not None:
                inner.key = None
                inner.index = None if inner.index is None else inner.index + 1
        elif part in "}]":
            if open_ones:
                open_ones.pop()
        elif inner is not None and inner.index is None and inner.key is None:
            inner.key = _read_key(part)
        else:
            path = "" if inner is None else inner.name_value()
            offsets[path] = found.start()
            if part in "{[":
                if len(open_ones) == MOST_LEVELS:
                    break
                open_ones.append(_Container(path, None if part == "{" else 0))
    return offsets


def _read_key(part: str) -> str:
    try:
        return str(json.loads(part, strict=False))
    except ValueError:
        return part
