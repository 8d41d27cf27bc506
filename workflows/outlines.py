"""A readable outline of a workflow's text, also of one with errors, each at its line."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.configuration import ConfigurationError, Problem, parse_configuration
from workflows.documents import MAXIMUM_BYTES
from workflows.positions import Positions

MOST_LINES: Final = 500
"""Filters and targets that an outline lists."""
LONGEST: Final = 200
"""Characters of a value that an outline shows."""
_SYNTAX_ERROR: Final = re.compile(r"line ([0-9]+), column ([0-9]+)")
_ROUTING: Final = "task_routing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProblem:
    """A problem or a warning with its line and column, from 1."""

    line: int
    column: int
    path: str
    message: str
    is_warning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineTarget:
    """A target: its queue, and what else it says, as labels with their values.

    `queue_name` is None if the workspace has no such queue, `queue_sid` "" if it names none.
    """

    line: int
    queue_sid: str
    queue_name: str | None
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineFilter:
    """A filter with its targets; the default filter has no expression."""

    line: int
    name: str
    expression: str
    targets: tuple[OutlineTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The filters and the problems of a text; `left_out` counts the filters that are not listed."""

    filters: tuple[OutlineFilter, ...]
    default: OutlineTarget | None
    problems: tuple[PlacedProblem, ...]
    left_out: int

    @property
    def error_count(self) -> int:
        """Return the number of problems that keep the text from being saved."""
        return sum(not each.is_warning for each in self.problems)


def outline_text(text: str, *, queue_names: Mapping[str, str]) -> Outline:
    """Return the outline of a workflow's text.

    Arguments:
        queue_names: the names of the workspace's queues by sid.
    """
    positions = Positions(text if len(text) <= MAXIMUM_BYTES else "")
    problems = sorted(
        _list_problems(text, positions, queue_names), key=lambda each: (each.line, each.column)
    )
    routing = _read_routing(text)
    listed = routing.get("filters")
    filters: list[OutlineFilter] = []
    left = MOST_LINES
    rows = listed if isinstance(listed, list) else []
    for index, value in enumerate(rows):
        if left <= 0:
            break
        path = f"{_ROUTING}.filters[{index}]"
        filters.append(_outline_filter(path, value, positions, queue_names, left))
        left -= 1 + len(filters[-1].targets)
    default = routing.get("default_filter")
    return Outline(
        filters=tuple(filters),
        default=_outline_target(f"{_ROUTING}.default_filter", default, None, positions, queue_names)
        if isinstance(default, dict)
        else None,
        problems=tuple(problems),
        left_out=len(rows) - len(filters),
    )


def _list_problems(
    text: str, positions: Positions, queue_sids: Collection[str]
) -> Iterator[PlacedProblem]:
    found: tuple[Problem, ...]
    try:
        found, are_warnings = parse_configuration(text, queue_sids=queue_sids).warnings, True
    except ConfigurationError as error:
        found, are_warnings = error.problems, False
    for each in found:
        line, column = positions.find_place(each.path)
        if not each.path and (place := _SYNTAX_ERROR.search(each.message.partition("\n")[0])):
            line, column = int(place[1]), int(place[2])
        yield PlacedProblem(
            line=line,
            column=column,
            path=each.path,
            message=each.message,
            is_warning=are_warnings,
        )


def _read_routing(text: str) -> Mapping[str, Any]:
    try:
        routing = json.loads(text)[_ROUTING] if len(text) <= MAXIMUM_BYTES else {}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return routing if isinstance(routing, dict) else {}


def _outline_filter(
    path: str, value: Any, positions: Positions, queue_names: Mapping[str, str], most: int
) -> OutlineFilter:
    given = value if isinstance(value, dict) else {}
    listed = given.get("targets")
    targets: list[OutlineTarget] = []
    for index, each in enumerate(listed[:most] if isinstance(listed, list) else []):
        before = targets[-1] if targets else None
        place = f"{path}.targets[{index}]"
        targets.append(_outline_target(place, each, before, positions, queue_names))
    return OutlineFilter(
        line=positions.find_place(path)[0],
        name=_show(given.get("filter_friendly_name") or given.get("friendly_name") or ""),
        expression=_show(given.get("expression", "")),
        targets=tuple(targets),
    )


def _outline_target(
    path: str,
    value: Any,
    before: OutlineTarget | None,
    positions: Positions,
    queue_names: Mapping[str, str],
) -> OutlineTarget:
    """Return the outline of a target; without a queue it has that of the target before."""
    given = value if isinstance(value, dict) else {}
    sid = _show(given.get("queue") or "") or ("" if before is None else before.queue_sid)
    return OutlineTarget(
        line=positions.find_place(path)[0],
        queue_sid=sid,
        queue_name=queue_names.get(sid),
        details=tuple(
            (label, _show(given[key]))
            for key, label in _LABELS.items()
            if given.get(key) not in (None, "")
        ),
    )


_LABELS: Final = {
    "expression": "workers with",
    "priority": "priority",
    "timeout": "seconds",
    "order_by": "in the order",
    "skip_if": "skipped if",
    "known_worker_sid": "worker with the sid",
    "known_worker_friendly_name": "worker with the name",
    "grab_expression": "by hand if",
}


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
