"""Partial evaluation: the condition that remains when some of its roots are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workflows.expressions.nodes import (
    FALSE,
    TRUE,
    And,
    Comparison,
    ListOf,
    Literal,
    Node,
    Operand,
    Path,
    constant,
    join,
    literal,
    split,
)
from workflows.expressions.views import VOLATILE, View, follow_path, look_up_path

from .operators import MIRRORED, OPERATORS, Kind, kind_of
from .unparser import operand_text, unparse

_COMPOUND = (Kind.ARRAY, Kind.OBJECT)
_ORDERING = ("<", "<=", ">", ">=")


class Known:
    """The known value of an operand."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def reduce_expression(node: Node, known: Mapping[str, View]) -> Node:
    """Return an equivalent condition that reads nothing of the `known` roots.

    Constants are folded, And and Or flattened, repeated operands dropped, and comparisons with a
    value turned so that the path is on the left. So equivalent conditions get the same text.
    Built-in values that change by themselves (VOLATILE) stay open.
    """
    if isinstance(node, Comparison):
        return _comparison(node, known)
    # In an And, true operands are dropped and a false one decides; in an Or, the reverse.
    kind = type(node)
    neutral, deciding = (TRUE, FALSE) if kind is And else (FALSE, TRUE)
    operands: dict[str, Node] = {}
    for operand in node.operands:
        reduced = reduce_expression(operand, known)
        if reduced == deciding:
            return deciding
        if reduced == neutral:
            continue
        for part in split(reduced, kind):
            operands.setdefault(unparse(part), part)
    if not operands:
        return neutral
    return join(kind, list(operands.values()))


def _comparison(node: Comparison, known: Mapping[str, View]) -> Comparison:
    """Evaluate one comparison as far as its operands are known."""
    left, right = _resolved(node.left, known), _resolved(node.right, known)
    if isinstance(left, Known):
        if isinstance(right, Known):
            return constant(OPERATORS[node.operator](left.value, right.value))
        if node.operator in MIRRORED:
            return _with_value(right, MIRRORED[node.operator], left.value)
        return _value_first(left.value, node.operator, right)
    if isinstance(right, Known):
        return _with_value(left, node.operator, right.value)
    return node


def _resolved(operand: Operand, known: Mapping[str, View]) -> Known | Path:
    """Return the value of an operand, or its path if it stays open."""
    if isinstance(operand, Literal):
        return Known(operand.value)
    if isinstance(operand, ListOf):
        return Known(operand.values)
    view = known.get(operand.root)
    if view is None:
        return operand
    if operand.segments in VOLATILE.get(operand.root, ()):
        value = follow_path(view.attributes, operand.segments)
        return operand if value is None else Known(value)
    return Known(look_up_path(view, operand.segments))


def _with_value(path: Path, operator: str, value: Any) -> Comparison:
    """Return `path operator value` in its simplest form."""
    kind = _kind(value)
    if operator in ("IN", "NOT IN"):
        return Comparison(path, operator, _list(value)) if kind is Kind.ARRAY else FALSE
    if kind in _COMPOUND:
        # Of lists and objects only one comparison can hold: that they differ from null.
        return Comparison(path, "==", Literal(None)) if operator == "!=" else FALSE
    if operator in _ORDERING and kind not in (Kind.NUMBER, Kind.TEXT):
        return FALSE
    if operator == "CONTAINS" and kind is not Kind.TEXT:
        return FALSE
    return Comparison(path, operator, literal(value))


def _value_first(value: Any, operator: str, path: Path) -> Comparison:
    """Return `value operator path` for the operators without a mirrored one."""
    kind = _kind(value)
    possible = kind is Kind.TEXT if operator == "CONTAINS" else kind not in _COMPOUND
    return Comparison(literal(value), operator, path) if possible else FALSE


def _kind(value: Any) -> Kind:
    """Return the kind of a value; one without a text form counts as an object."""
    if isinstance(value, float) and math.isnan(value):
        return Kind.OBJECT
    return kind_of(value)


def _list(values: list[Any]) -> ListOf:
    """Return the list for a membership test: unique scalars, sorted by their text.

    Lists and objects inside a list equal nothing, so they are dropped.
    """
    items = {
        operand_text(item): item
        for item in (literal(value) for value in values if _kind(value) not in _COMPOUND)
    }
    return ListOf(tuple(items[text] for text in sorted(items)))
