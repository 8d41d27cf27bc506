"""Conditions in words, for those who do not write expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supervisors.wording import isolate, join_words
from workflows.expressions import ExpressionError, compile_once
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
    Scalar,
    list_comparisons,
)
from workflows.expressions.operators import MIRRORED
from workflows.expressions.subjects import Subject
from workflows.expressions.unparser import operand_text

MOST_TERMS: Final = 12
"""Comparisons up to which a condition is said in words; a longer one is read as an expression."""

_IS: Final[Mapping[str, Promise]] = {
    "==": gettext_lazy("%(name)s is %(value)s"),
    "!=": gettext_lazy("%(name)s is not %(value)s"),
    "<": gettext_lazy("%(name)s is less than %(value)s"),
    "<=": gettext_lazy("%(name)s is at most %(value)s"),
    ">": gettext_lazy("%(name)s is more than %(value)s"),
    ">=": gettext_lazy("%(name)s is at least %(value)s"),
    "HAS": gettext_lazy("%(name)s includes %(value)s"),
    "IN": gettext_lazy("%(name)s is one of %(value)s"),
    "NOT IN": gettext_lazy("%(name)s is none of %(value)s"),
    "CONTAINS": gettext_lazy("%(name)s contains %(value)s"),
}


_OF_CHANNEL: Final[Mapping[str, Promise]] = {
    "available_capacity_percentage": gettext_lazy("the share of free %(channel)s slots"),
    "busy_capacity_percentage": gettext_lazy("the share of busy %(channel)s slots"),
    "configured_capacity": gettext_lazy("the number of %(channel)s slots"),
    "assigned_tasks": gettext_lazy("the number of %(channel)s tasks"),
}
"""What expressions read of a worker's channel."""


def describe_expression(expression: str, *, subject: Subject = "worker") -> str:
    """Return an expression in words; empty if it has no usual form.

    Arguments:
        subject: where it is used, which decides what its paths mean.
    """
    if not expression.strip():
        return ""
    try:
        return describe_condition(compile_once(expression, subject=subject).node)
    except ExpressionError:
        return ""


def describe_term(term: str) -> str:
    """Return a condition on a worker in words; as it is written if it has no usual form."""
    return describe_expression(term, subject="residual") or isolate(term)


def describe_condition(node: Node) -> str:
    """Return a condition in words; empty if it always holds or has no usual form."""
    if node == TRUE or sum(1 for _one in list_comparisons(node)) > MOST_TERMS:
        return ""
    return _describe(node) or ""


def _describe(node: Node) -> str | None:
    """Return a condition in words; None if some part of it has no usual form."""
    if isinstance(node, Comparison):
        return _("nothing that a worker can have") if node == FALSE else _describe_comparison(node)
    parts = [_describe(each) for each in node.operands]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if isinstance(node, And):
        chosen = [
            part if isinstance(each, Comparison) else _("either %(choices)s") % {"choices": part}
            for each, part in zip(node.operands, known, strict=True)
        ]
        return join_words(chosen, _("%(first)s and %(last)s"))
    if any(isinstance(each, And) for each in node.operands):
        return join_words(known, _("%(first)s, or %(last)s"))
    return join_words(known, _("%(first)s or %(last)s"))


def _describe_comparison(node: Comparison) -> str | None:
    left, operator, right = node.left, node.operator, node.right
    if isinstance(right, Path) and (operator in ("IN", "NOT IN") or not isinstance(left, Path)):
        if operator == "NOT IN":
            words = _("%(name)s does not include %(value)s")
            return words % {"name": _name(right), "value": _write(left)}
        if operator not in MIRRORED:
            return None
        left, operator, right = right, MIRRORED[operator], left
    if not isinstance(left, Path):
        return None
    if isinstance(right, Literal) and right.value is None and operator in ("==", "!="):
        is_set = _("%(name)s is set") if operator == "!=" else _("%(name)s is not set")
        return is_set % {"name": _name(left)}
    value = _write(right)
    if _is_share(left) and isinstance(right, Literal):
        value = _("%(percent)s %%") % {"percent": value}
    return str(_IS[operator]) % {"name": _name(left), "value": value}


def _name(path: Path) -> str:
    """Return an attribute as it is spoken of: those of the worker without a prefix."""
    if (words := _OF_CHANNEL.get(_find_load(path))) is not None:
        return str(words) % {"channel": isolate(str(path.segments[1]))}
    text = operand_text(path)
    if text == "task.task_channel_unique_name":
        return _("the task’s channel")
    steps = isolate(text.removeprefix(f"{path.root}."))
    if path.root == "worker":
        return steps
    return _("the task’s %(name)s") % {"name": steps} if path.root == "task" else isolate(text)


def _find_load(path: Path) -> str:
    """Return the property of a worker's channel that a path reads; empty for another path."""
    is_load = path.root == "worker" and path.segments[:1] == ("channel",)
    return str(path.segments[2]) if is_load and len(path.segments) == 3 else ""


def _is_share(path: Path) -> bool:
    return _find_load(path).endswith("_percentage")


def _write(operand: Operand) -> str:
    """Return a value as it is spoken of."""
    if isinstance(operand, Path):
        return _name(operand)
    if isinstance(operand, ListOf):
        return join_words([_write(item) for item in operand.items], _("%(first)s or %(last)s"))
    return write_scalar(operand.value)


def write_scalar(value: Scalar) -> str:
    """Return a single value as it is spoken of."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return _("“%(text)s”") % {"text": isolate(value)}
    return operand_text(Literal(value))
