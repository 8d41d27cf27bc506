"""Write the canonical text of a tree, which parses to the same tree again."""

from __future__ import annotations

import re
from decimal import Decimal

from .nodes import Comparison, ListOf, Literal, Node, Operand, Or, Path

# Control characters and lone surrogates, which databases refuse in a text.
_UNSAFE = re.compile('[\\\\"\x00-\x1f\x7f\ud800-\udfff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def unparse(node: Node) -> str:
    """Return the canonical text of a condition."""
    if isinstance(node, Comparison):
        return f"{operand_text(node.left)} {node.operator} {operand_text(node.right)}"
    if isinstance(node, Or):
        return " OR ".join([unparse(operand) for operand in node.operands])
    return " AND ".join(
        [
            f"({unparse(operand)})" if isinstance(operand, Or) else unparse(operand)
            for operand in node.operands
        ]
    )


def operand_text(operand: Operand) -> str:
    """Return the canonical text of one operand."""
    if isinstance(operand, Path):
        steps = [
            f".{segment}" if isinstance(segment, str) else f"[{segment}]"
            for segment in operand.segments
        ]
        return operand.root + "".join(steps)
    if isinstance(operand, ListOf):
        return f"[{', '.join([operand_text(item) for item in operand.items])}]"
    return _literal_text(operand)


def _literal_text(literal: Literal) -> str:
    value = literal.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_UNSAFE.sub(_escaped, value)}"'
    if isinstance(value, float):
        # The shortest digits that parse to the same number, without an exponent.
        return f"{Decimal(repr(value)):f}"
    return str(value)


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
