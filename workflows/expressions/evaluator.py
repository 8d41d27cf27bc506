"""Evaluate a tree by walking it: the reference for the generated code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.expressions.views import View, look_up_path

from .nodes import And, Comparison, ListOf, Literal, Node, Operand
from .operators import OPERATORS


def evaluate_node(node: Node, scope: Mapping[str, View | None]) -> bool:
    """Return whether the condition holds in `scope`, views by root; a missing root reads null.

    Never raises, whatever JSON the views hold.
    """
    if isinstance(node, Comparison):
        return OPERATORS[node.operator](_value(node.left, scope), _value(node.right, scope))
    # The first False decides an And, the first True decides an Or.
    ending = not isinstance(node, And)
    for operand in node.operands:
        if evaluate_node(operand, scope) is ending:
            return ending
    return not ending


def _value(operand: Operand, scope: Mapping[str, View | None]) -> Any:
    """Return the value of an operand."""
    if isinstance(operand, Literal):
        return operand.value
    if isinstance(operand, ListOf):
        return operand.values
    return look_up_path(scope.get(operand.root), operand.segments)
