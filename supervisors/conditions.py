"""The expression of a view, compiled; one that is invalid restricts nothing."""

from __future__ import annotations

from typing import Literal

from supervisors.query import Fault, View
from workflows import expressions

Subject = Literal["task", "worker"]


def compile_where(view: View, subject: Subject) -> expressions.Expression | None:
    """Return the expression of a view; None without one, or if it is invalid."""
    if not view.where:
        return None
    try:
        return expressions.compile_once(view.where, subject=subject)
    except expressions.ExpressionError:
        return None


def find_fault(view: View, subject: Subject) -> list[Fault]:
    """Return what of the view's expression is ignored."""
    if not view.where or compile_where(view, subject) is not None:
        return []
    return [Fault(parameter="where", value=view.where[:60], code="expression")]
