"""Differences of two texts of a workflow: laid out the same way, in bounded time."""

from __future__ import annotations

import json
from typing import Any

from workflows.differences import MOST_SHOWN, compare_texts


def write(*filters: Any, indent: int | None = 2) -> str:
    return json.dumps({"task_routing": {"filters": list(filters)}}, indent=indent)


def test_a_changed_line_is_shown_with_its_surroundings_and_its_line() -> None:
    before = write(*({"expression": f"a == {n}"} for n in range(9)))
    after = before.replace("a == 4", "a == 40")
    found = compare_texts(before, after)
    changed = [line for line in found.lines if line[0] in "+-"]
    assert [line.split() for line in changed] == [
        ["-", '"expression":', '"a', "==", '4"'],
        ["+", '"expression":', '"a', "==", '40"'],
    ]
    number = after.split("\n").index('        "expression": "a == 40"') + 1
    assert found.lines[0] == f"@@ line {number - 3}"
    assert not found.formatting_only


def test_another_layout_is_formatting_only() -> None:
    found = compare_texts(write({"a": 1}, indent=None), write({"a": 1}))
    assert (found.lines, found.formatting_only) == ((), True)
    assert not compare_texts("{}", "{}").formatting_only


def test_texts_that_are_not_json_are_compared_as_they_are() -> None:
    assert compare_texts("a\nb", "a\nc").lines == ("@@ line 1", " a", "-b", "+c")


def test_large_differences_are_not_searched_and_are_cut() -> None:
    found = compare_texts("\n".join("ab" * 9_000), "\n".join("cd" * 9_000))
    assert len(found.lines) == MOST_SHOWN
    assert found.left_out == 36_000 - MOST_SHOWN
