"""The attributes of workers that a workspace's expressions read, with values that occur there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from routing import models
from routing.configurations import load_configuration
from routing.core.attribute_edits import MISSING, read_path
from routing.core.snapshot import READABLE
from routing.snapshots.attributes import parse_attributes
from workflows.expressions import Expression, ExpressionError, compile_expression
from workflows.expressions.nodes import ListOf, Literal, Path, list_comparisons

MOST_PATHS: Final = 50
MOST_VALUES: Final = 20
"""Values of one attribute."""
MOST_ROWS: Final = 500
"""Queues, workflows and workers that are looked at, of each."""

Values = Mapping[str, tuple[Any, ...]]


def find_read_attributes(workspace: models.Workspace) -> Values:
    """Return by its path each attribute that expressions read, with values in their order.

    Values are those that expressions compare it with, and those that workers have.
    """
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    for expression in _list_expressions(workspace):
        for comparison in list_comparisons(expression.node):
            sides = ((comparison.left, comparison.right), (comparison.right, comparison.left))
            for path, other in sides:
                if isinstance(path, Path) and (name := _name(path)):
                    _add(values[name], _read_literals(other))
    found = {name: values[name] for name in sorted(values)[:MOST_PATHS]}
    rows = workspace.workers.order_by("pk").values_list("sid", "attributes")[:MOST_ROWS]
    for sid, text in rows:
        attributes = parse_attributes(text, sid=sid) or {}
        for name, of_path in found.items():
            value = read_path(attributes, name)
            _add(of_path, value if isinstance(value, list) else [value])
    return {
        name: tuple(of_path[key] for key in sorted(of_path)[:MOST_VALUES])
        for name, of_path in found.items()
    }


def _list_expressions(workspace: models.Workspace) -> Iterator[Expression]:
    texts = workspace.task_queues.order_by("pk").values_list("target_workers", flat=True)
    for text in texts[:MOST_ROWS]:
        try:
            yield compile_expression(text, subject="worker")
        except ExpressionError:
            continue
    revisions = workspace.workflows.order_by("pk").values_list("revision_id", flat=True)
    for revision in revisions[:MOST_ROWS]:
        if revision is None:
            continue
        configuration = load_configuration(revision)
        targets = chain(*(each.targets for each in configuration.filters))
        for target in chain(targets, [configuration.default] if configuration.default else []):
            yield from filter(None, (target.expression, target.grab_expression))


def _name(path: Path) -> str:
    """Return the path of an attribute; empty for a worker's own fields and channels."""
    segments = path.segments
    is_own = len(segments) == 1 and segments[0] in READABLE
    if path.root != "worker" or is_own or segments[0] == "channel":
        return ""
    if not all(isinstance(each, str) and "." not in each for each in segments):
        return ""
    return ".".join(map(str, segments))


def _read_literals(operand: Any) -> list[Any]:
    if isinstance(operand, Literal):
        return [operand.value]
    return operand.values if isinstance(operand, ListOf) else []


def _add(values: dict[str, Any], found: Iterable[Any]) -> None:
    for value in found:
        if isinstance(value, (str, int, float)) and value is not MISSING:
            values.setdefault(f"{type(value).__name__} {value}"[:200], value)
