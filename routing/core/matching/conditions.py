"""Split conditions into their comparisons, and share equal comparisons.

Thousands of lanes use few different comparisons. The answer of one for all workers is computed once
and serves every lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from workflows.expressions import Expression, View, compile_node
from workflows.expressions.nodes import (
    And,
    Comparison,
    ListOf,
    Literal,
    Node,
    Or,
    Path,
    Segment,
    split,
)
from workflows.expressions.operators import OPERATORS
from workflows.expressions.unparser import unparse


class AtomicCondition:
    """One comparison and the paths it reads; equal comparisons are one object.

    `segments` is the worker path that is compared with a constant, or None for other forms.
    `figure` is the channel and the figure if that path reads a channel figure.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "comparison",
        "figure",
        "function",
        "of_load",
        "of_task",
        "segments",
        "timed",
    )

    def __init__(self, comparison: Comparison) -> None:
        read = [p for p in (comparison.left, comparison.right) if isinstance(p, Path)]
        roots = {path.root for path in read}
        workers = [path.segments for path in read if path.root == "worker"]
        self.comparison = comparison
        self.function = compile_node(comparison).function
        self.of_task = "task" in roots
        self.of_load = any(is_load_path(segments) for segments in workers)
        self.timed = not workers
        self.segments: tuple[Segment, ...] | None = (
            workers[0] if len(read) == 1 and workers else None
        )
        self.figure: tuple[Segment, Segment] | None = None
        if self.of_load and self.segments is not None and len(self.segments) == 3:
            self.figure = self.segments[1], self.segments[2]
        self._answers: dict[int, bool] = {}

    def holds_for(self, value: int) -> bool:
        """Return whether the comparison holds for a channel figure of this value; cached."""
        answer = self._answers.get(value)
        if answer is None:
            left, right = (
                value if isinstance(side, Path) else constant_value(side)
                for side in (self.comparison.left, self.comparison.right)
            )
            answer = self._answers[value] = OPERATORS[self.comparison.operator](left, right)
        return answer


class AllOf(tuple["Condition", ...]):
    """Conditions that must all hold."""

    __slots__ = ()


class AnyOf(tuple["Condition", ...]):
    """Conditions of which at least one must hold."""

    __slots__ = ()


Condition = AtomicCondition | AllOf | AnyOf

_atoms: WeakValueDictionary[str, AtomicCondition] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class SplitCondition:
    """The conditions of an expression, which must all hold, grouped by what changes their answer.

    `fixed` conditions keep their answers for a whole pass. `of_load` conditions change with a
    worker's load. `of_task` conditions still read the task.
    """

    fixed: tuple[Condition, ...] = ()
    of_load: tuple[Condition, ...] = ()
    of_task: tuple[Condition, ...] = ()


NO_CONDITIONS: Final = SplitCondition()


def split_condition(expression: Expression) -> SplitCondition:
    """Split an expression into its conditions; cached on the expression."""
    found: SplitCondition | None = expression.derived.get("parts")
    if found is None:
        found = expression.derived["parts"] = _split_condition(expression)
    return found


def _split_condition(expression: Expression) -> SplitCondition:
    fixed, of_load, of_task = [], [], []
    for node in split(expression.node, And):
        condition = _condition(node)
        read = _atoms_of(condition)
        if any(atom.of_task for atom in read):
            of_task.append(condition)
        elif any(atom.of_load for atom in read):
            of_load.append(condition)
        else:
            fixed.append(condition)
    return SplitCondition(tuple(fixed), tuple(of_load), tuple(of_task))


def condition_holds(condition: Condition, worker: View, task: View, clock: View) -> bool:
    """Return whether a condition is true for these values."""
    if isinstance(condition, AtomicCondition):
        return condition.function(worker, task, clock, None)
    kind = all if isinstance(condition, AllOf) else any
    return kind(condition_holds(part, worker, task, clock) for part in condition)


def reads_clock(condition: Condition) -> bool:
    """Return whether a condition has a part that reads no worker, only the time of day."""
    return any(atom.timed for atom in _atoms_of(condition))


def reads_load(expression: Expression | None) -> bool:
    """Return whether a worker's load can change the value of an expression."""
    return expression is not None and bool(split_condition(expression).of_load)


def _atoms_of(condition: Condition) -> list[AtomicCondition]:
    if isinstance(condition, AtomicCondition):
        return [condition]
    return [atom for part in condition for atom in _atoms_of(part)]


def constant_value(operand: Literal | ListOf) -> Any:
    """Return the value of a constant operand."""
    return operand.values if isinstance(operand, ListOf) else operand.value


def is_load_path(segments: tuple[Segment, ...]) -> bool:
    """Return whether a worker path reads load, which every offer changes."""
    return segments[:1] == ("channel",)


def _condition(node: Node) -> Condition:
    if isinstance(node, Comparison):
        text = unparse(node)
        return _atoms.get(text) or _atoms.setdefault(text, AtomicCondition(node))
    kind = AnyOf if isinstance(node, Or) else AllOf
    return kind(_condition(part) for part in node.operands)
