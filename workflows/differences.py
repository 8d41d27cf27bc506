"""Compare two texts of a workflow line by line, as people read them."""

from __future__ import annotations

import difflib
import itertools
import json
import re
from dataclasses import dataclass
from typing import Final

MOST_COMPARED: Final = 2_000
"""Lines of either text that are compared one by one; more are shown as replaced altogether."""
MOST_SHOWN: Final = 4_000
"""Lines that a difference lists."""
_CONTEXT: Final = 3
_HUNK: Final = re.compile(r"@@ -[0-9,]+ \+([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two texts, as lines that begin with `+`, `-`, a space or `@@`.

    `formatting_only` means that both texts are the same JSON. `left_out` counts the lines that are
    not listed.
    """

    lines: tuple[str, ...]
    formatting_only: bool
    left_out: int


def compare_texts(before: str, after: str) -> Difference:
    """Return the difference of two texts, both laid out the same way if they are JSON."""
    old, new = _lay_out(before), _lay_out(after)
    first, last = _count_equal(old, new)
    # Equal lines at both ends cost nothing; some of them are context.
    start, end = max(first - _CONTEXT, 0), max(last - _CONTEXT, 0)
    inner_old, inner_new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(inner_old), len(inner_new)) > MOST_COMPARED:
        lines = [*(f"-{line}" for line in inner_old), *(f"+{line}" for line in inner_new)]
    else:
        found = difflib.unified_diff(inner_old, inner_new, lineterm="", n=_CONTEXT)
        # The first two lines would name files.
        lines = [_place_hunk(line, start) for line in itertools.islice(found, 2, None)]
    same = before != after and old == new
    return Difference(
        lines=tuple(lines[:MOST_SHOWN]),
        formatting_only=same,
        left_out=max(len(lines) - MOST_SHOWN, 0),
    )


def _place_hunk(line: str, start: int) -> str:
    """Return a line; the head of a part as the line at which it begins in the new text."""
    head = _HUNK.match(line)
    return f"@@ line {start + int(head[1])}" if head else line


def _lay_out(text: str) -> list[str]:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return text.split("\n")


def _count_equal(old: list[str], new: list[str]) -> tuple[int, int]:
    """Return how many lines at the beginning and at the end are equal."""
    shorter = min(len(old), len(new))
    first = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - first
    last = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    return first, last
