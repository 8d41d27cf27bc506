"""The tree of an expression: frozen nodes, compared by their content."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

Scalar = str | int | float | bool | None
Segment = str | int

# Python reads no JSON number with more digits, and could print no longer one.
MAXIMUM_DIGITS = 4_300
_LARGEST = 10**MAXIMUM_DIGITS - 1
_INFINITE = 10**400


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A fixed value. True and 1 are different literals; 1.0 is written 1."""

    value: Scalar

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Literal)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of fixed values."""

    items: tuple[Literal, ...]

    @property
    def values(self) -> list[Scalar]:
        """Return the items as plain values."""
        return [item.value for item in self.items]


@dataclass(frozen=True, slots=True)
class Path:
    """A path: a root (task, worker, workers or taskrouter) and the steps from there."""

    root: str
    segments: tuple[Segment, ...]


Operand = Literal | ListOf | Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and the operator between them, by its canonical name."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class And:
    """Two or more conditions that must all hold; none of them is an And itself."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more conditions of which one must hold; none of them is an Or itself."""

    operands: tuple[Node, ...]


Node = Comparison | And | Or

# The grammar has no boolean conditions, so these two comparisons represent them.
TRUE = Comparison(Literal(1), "==", Literal(1))
FALSE = Comparison(Literal(1), "==", Literal(0))


def constant(value: bool) -> Comparison:
    """Return the comparison that represents `value`."""
    return TRUE if value else FALSE


def literal(value: Scalar) -> Literal:
    """Return the normalized literal for `value`: whole numbers as printable integers."""
    if isinstance(value, bool) or value is None:
        return Literal(value)
    if isinstance(value, str):
        return Literal(str(value))
    if isinstance(value, float):
        if math.isinf(value):
            return Literal(_INFINITE if value > 0 else -_INFINITE)
        if not value.is_integer():
            return Literal(float(value))
    return Literal(max(-_LARGEST, min(_LARGEST, int(value))))


def join(kind: type[And] | type[Or], operands: list[Node]) -> Node:
    """Return `operands` under one And or Or, flattened; a single one is returned itself."""
    flat: list[Node] = []
    for operand in operands:
        flat.extend(split(operand, kind))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def split(node: Node, kind: type[And] | type[Or]) -> tuple[Node, ...]:
    """Return the operands of a node of this kind; any other node as its only part."""
    if isinstance(node, (And, Or)) and isinstance(node, kind):
        return node.operands
    return (node,)


def list_comparisons(node: Node) -> Iterator[Comparison]:
    """Yield every comparison in the tree, from left to right."""
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, Comparison):
            yield current
        else:
            stack.extend(reversed(current.operands))


def list_paths(node: Node) -> Iterator[Path]:
    """Yield every path that the tree reads, from left to right."""
    for comparison in list_comparisons(node):
        for operand in (comparison.left, comparison.right):
            if isinstance(operand, Path):
                yield operand
