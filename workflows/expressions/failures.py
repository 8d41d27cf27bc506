"""Find the comparisons for which a condition is false, with the values that they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .compiled import Expression, compile_node
from .nodes import And, Comparison, Node, Path
from .unparser import operand_text, unparse
from .views import View, look_up_path


@dataclass(frozen=True, slots=True)
class FailedComparison:
    """A comparison that is false, as canonical text.

    `values` has the paths that it reads, each with its value.
    """

    text: str
    values: tuple[tuple[str, Any], ...]


def find_failures(expression: Expression, **views: View) -> Iterator[FailedComparison]:
    """Yield the comparisons that make an expression false; none if it is true.

    Of an AND this is its first false part, of an OR all of its parts.

    Arguments:
        views: the values of task, worker, workers and taskrouter.
    """
    stack: list[Node] = [expression.node]
    while stack:
        node = stack.pop()
        if compile_node(node).matches(**views):
            continue
        if isinstance(node, Comparison):
            yield FailedComparison(unparse(node), tuple(_read_values(node, views)))
        elif isinstance(node, And):
            stack.append(
                next(part for part in node.operands if not compile_node(part).matches(**views))
            )
        else:
            stack.extend(reversed(node.operands))


def _read_values(comparison: Comparison, views: dict[str, View]) -> Iterator[tuple[str, Any]]:
    for operand in (comparison.left, comparison.right):
        if isinstance(operand, Path):
            yield operand_text(operand), look_up_path(views.get(operand.root), operand.segments)
