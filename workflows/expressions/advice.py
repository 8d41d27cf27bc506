"""Warnings about expressions that are allowed but probably unintended."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.expressions.nodes import Comparison, Literal, Operand, Path, list_comparisons

from .compiled import Expression
from .operators import MIRRORED
from .parser import Parser
from .subjects import SUBJECTS, Subject
from .unparser import operand_text, unparse

_AVAILABLE, _BUSY = "available_capacity_percentage", "busy_capacity_percentage"


@dataclass(frozen=True, slots=True)
class Advice:
    """A warning about one part of an expression: the message, the part's text and its place.

    The place is in the canonical text for a comparison, and in the source for a missing prefix.
    """

    message: str
    text: str
    span: tuple[int, int]


def find_warnings(expression: Expression) -> list[Advice]:
    """Return warnings about comparisons that are probably inverted."""
    found: list[Advice] = []
    position = 0
    for comparison in list_comparisons(expression.node):
        text = unparse(comparison)
        position = expression.source.index(text, position)
        if message := _inverted(comparison):
            found.append(Advice(message, text, (position, position + len(text))))
        position += len(text)
    return found


def missing_prefixes(source: str, *, subject: Subject) -> list[Advice]:
    """Return a warning for each name without the prefix that it should have.

    `source` must compile for `subject`; the places are those in `source`.
    """
    if SUBJECTS[subject].assumed is None:
        return []
    parser = Parser(source, subject=subject)
    parser.whole()
    return [_bare(source[slice(*span)], span) for span in parser.bare.values()]


def _bare(name: str, span: tuple[int, int]) -> Advice:
    message = (
        f"“{name}” has no prefix, so it reads the task's attribute. "
        f"Write “task.{name}” to say so, or “worker.{name}” for the worker's attribute."
    )
    return Advice(message, name, span)


def _inverted(comparison: Comparison) -> str | None:
    """Return a message if the free share is compared as if it were the busy share."""
    left, operator, right = comparison.left, comparison.operator, comparison.right
    if operator in (">", ">=") and _is_available(right):
        left, operator, right = right, MIRRORED[operator], left
    if operator not in ("<", "<=") or not isinstance(left, Path) or not _is_available(left):
        return None
    path = operand_text(left)
    busy = operand_text(Path(left.root, (*left.segments[:-1], _BUSY)))
    limit = operand_text(right)
    free = MIRRORED[operator]
    share = "…"
    if isinstance(right, Literal) and type(right.value) is int and 0 <= right.value <= 100:
        share = str(100 - right.value)
    return (
        f"{_AVAILABLE} is 100 for an idle worker and 0 for a full one, so "
        f"“{path} {operator} {limit}” leaves idle workers out. "
        f"Write “{path} {free} {share}” for what is still free, "
        f"or “{busy} {operator} {limit}” for what is in use."
    )


def _is_available(operand: Operand) -> bool:
    return (
        isinstance(operand, Path)
        and operand.root == "worker"
        and operand.segments[0] == "channel"
        and operand.segments[-1] == _AVAILABLE
    )
