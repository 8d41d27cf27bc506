"""The meaning of a tree, by walking it: the reference that generated code is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .nodes import And, Comparison, ListOf, Literal, Node, Operand
from .operators import OPERATORS
from .views import View, lookup


def evaluate(node: Node, scope: Mapping[str, View | None]) -> bool:
    """Tell whether the condition holds in `scope`, views by root; a root not given reads null.

    Never raises, whatever JSON the views hold.
    """
    if isinstance(node, Comparison):
        return OPERATORS[node.operator](_value(node.left, scope), _value(node.right, scope))
    # A found False ends an And, a found True ends an Or; both then answer with it.
    ending = not isinstance(node, And)
    for operand in node.operands:
        if evaluate(operand, scope) is ending:
            return ending
    return not ending


def _value(operand: Operand, scope: Mapping[str, View | None]) -> Any:
    """Return what an operand stands for."""
    if isinstance(operand, Literal):
        return operand.value
    if isinstance(operand, ListOf):
        return operand.values
    return lookup(scope.get(operand.root), operand.segments)
