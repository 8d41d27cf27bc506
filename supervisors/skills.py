"""The attributes of workers that the expressions of queues read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from routing.core.snapshot import READABLE
from supervisors.picture import Setup
from workflows import expressions
from workflows.expressions.nodes import Comparison, Node, Path

MOST_PATHS: Final = 20
LONGEST_VALUE: Final = 60

Segments = tuple[str, ...]


def list_paths(setup: Setup) -> tuple[Segments, ...]:
    """Return the paths of attributes that expressions of queues read, at most `MOST_PATHS`."""
    return _list_paths(frozenset(queue.target_workers for queue in setup.queues.values()))


def reads_load(setup: Setup) -> bool:
    """Return whether the expression of any queue reads the load of workers."""
    return _reads_load(frozenset(queue.target_workers for queue in setup.queues.values()))


@lru_cache(maxsize=50)
def _list_paths(sources: frozenset[str]) -> tuple[Segments, ...]:
    found = {path: None for path in sorted(_find_paths(sources)) if not _is_built_in(path)}
    return tuple(found)[:MOST_PATHS]


@lru_cache(maxsize=50)
def _reads_load(sources: frozenset[str]) -> bool:
    return any(path[:1] == ("channel",) for path in _find_paths(sources))


def _is_built_in(path: Segments) -> bool:
    return path[0] == "channel" or (len(path) == 1 and path[0] in READABLE)


def _find_paths(sources: Iterable[str]) -> set[Segments]:
    found: set[Segments] = set()
    for source in sources:
        try:
            node = expressions.compile_once(source, subject="worker").node
        except expressions.ExpressionError:
            continue
        found |= {
            tuple(map(str, path.segments))
            for path in _walk(node)
            if path.root == "worker" and path.segments
        }
    return found


def _walk(node: Node) -> Iterator[Path]:
    if isinstance(node, Comparison):
        yield from (each for each in (node.left, node.right) if isinstance(each, Path))
        return
    for part in node.operands:
        yield from _walk(part)


def describe_skills(
    attributes: Mapping[str, Any], paths: Iterable[Segments]
) -> list[tuple[str, str]]:
    """Return the name and the value of each path that a worker has."""
    view = expressions.View(attributes, {})
    found = []
    for path in paths:
        value = expressions.look_up_path(view, path)
        if value is not None:
            found.append((".".join(path), describe_value(value)))
    return found


def describe_value(value: Any) -> str:
    """Return the value of an attribute in one line."""
    items = value if isinstance(value, list) else [value]
    text = ", ".join(str(item).lower() if isinstance(item, bool) else str(item) for item in items)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
