"""Generate Python code from the tree: fast paths inline, with the tree walk as the fallback.

The generated function handles the types that occur in practice and calls the functions of
`operators` for all others. If it raises, for example on an attribute with an unexpected type,
`evaluate_node` gives the result. Constants and attribute names are bound as objects in the
function's namespace and never become part of its source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.expressions.evaluator import evaluate_node
from workflows.expressions.nodes import (
    And,
    Comparison,
    ListOf,
    Literal,
    Node,
    Operand,
    Or,
    Path,
    list_comparisons,
)
from workflows.expressions.views import NOTHING, View, look_up_path

from .operators import OPERATORS, number_in

Function = Callable[..., bool]

ROOTS = ("worker", "task", "taskrouter", "workers")
MAXIMUM_COMPARISONS = 2_000  # beyond, Python's own compiler takes too long

_TEMPLATE = """\
def matches(worker=NOTHING, task=NOTHING, taskrouter=NOTHING, workers=NOTHING):
    try:
{unpack}
        return {condition}
    except Exception:
        return walk(worker, task, taskrouter, workers)
"""
_BUILT_IN_OBJECTS = {"worker": frozenset({"channel"})}
_ORDERING = ("<", "<=", ">", ">=")
_NAMES = {
    "==": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
    "HAS": "has",
    "IN": "is_in",
    "NOT IN": "not_in",
    "CONTAINS": "contains",
}


def generate_function(node: Node) -> Function:
    """Return `matches(worker, task, taskrouter, workers)`, views by position or name, for `node`.

    The function gives the same results as `evaluate_node` and never raises.
    """
    walk = make_walker(node)
    if sum(1 for _ in list_comparisons(node)) > MAXIMUM_COMPARISONS:
        return walk
    writer = _Writer()
    condition = writer.condition(node)
    unpack = "\n".join(f"        {root}_a = {root}[0]" for root in ROOTS if root in writer.roots)
    source = _TEMPLATE.format(unpack=unpack or "        pass", condition=condition)
    namespace = writer.constants | {_NAMES[name]: each for name, each in OPERATORS.items()}
    namespace |= {"NOTHING": NOTHING, "lookup": look_up_path, "walk": walk}
    try:
        exec(compile(source, "<expression>", "exec"), namespace)  # noqa: S102 - see the module's head
    except (RecursionError, MemoryError, SyntaxError):
        return walk
    function: Function = namespace.pop("matches")  # popped: no cycle, so it is freed at once
    return function


def make_walker(node: Node) -> Function:
    """Return the same function, implemented by walking the tree."""

    def walk(
        worker: View | None = NOTHING,
        task: View | None = NOTHING,
        taskrouter: View | None = NOTHING,
        workers: View | None = NOTHING,
    ) -> bool:
        scope = {"worker": worker, "task": task, "taskrouter": taskrouter, "workers": workers}
        return evaluate_node(node, scope)

    return walk


class _Writer:
    """Writes one condition, and collects its constants and the roots that it reads."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.roots: set[str] = set()

    def bind(self, value: Any) -> str:
        """Bind `value` as a constant and return its name."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def condition(self, node: Node) -> str:
        """Return the code of a condition."""
        if isinstance(node, Comparison):
            return f"({self.comparison(node)})"
        word = " or " if isinstance(node, Or) else " and "
        parts = [
            f"({self.condition(each)})" if isinstance(each, (And, Or)) else self.condition(each)
            for each in node.operands
        ]
        return word.join(parts)

    def comparison(self, node: Comparison) -> str:
        """Return the code of a comparison: a fast path for its operands if there is one."""
        left, operator, right = node.left, node.operator, node.right
        if isinstance(left, Path) and isinstance(right, Path):
            return self.two_paths(left, operator, right)
        if isinstance(left, Path) and isinstance(right, Literal):
            return self.path_and_literal(left, operator, right.value)
        if isinstance(left, Path) and isinstance(right, ListOf) and operator in ("IN", "NOT IN"):
            return self.path_in_list(left, operator, right)
        return f"{_NAMES[operator]}({self.operand(left)}, {self.operand(right)})"

    def path_and_literal(self, left: Path, operator: str, value: Any) -> str:
        """Return the code that compares a path with a value."""
        path, general = self.path(left), _NAMES[operator]
        if value is None and operator in ("==", "!="):
            return f"{path} is {'' if operator == '==' else 'not '}None"
        k = self.bind(value)
        plain = isinstance(value, str) and number_in(value) is None
        if operator == "==" and plain:
            return f"{path} == {k}"  # only a text can equal a non-numeric text
        if operator == "==" and isinstance(value, bool):
            return f"{path} is {k}"
        if operator == "HAS" and plain:
            return f"{k} in x if type(x := {path}) is list else False"
        if operator == "CONTAINS" and isinstance(value, str):
            return f"{k} in x if type(x := {path}) is str else contains(x, {k})"
        if operator in _ORDERING and type(value) in (str, int, float):
            # A text beside a number raises, and the tree walk then gives the result.
            scalar = f"x {operator} {k} and x is not True and x is not False"
            return f"(x := {path}) is not None and {scalar}"
        if operator == "==" and type(value) in (int, float):
            number = "x is not True and x is not False" if value in (0, 1) else "True"
            return f"{number} if (x := {path}) == {k} else type(x) is str and equal(x, {k})"
        if operator in ("==", "!=") and type(value) in (str, int):
            kind = "str" if isinstance(value, str) else "int"
            return f"x {operator} {k} if type(x := {path}) is {kind} else {general}(x, {k})"
        return f"{general}({path}, {k})"

    def path_in_list(self, left: Path, operator: str, right: ListOf) -> str:
        """Return the code that tests whether a path's value is in a fixed list."""
        values, word = right.values, "in" if operator == "IN" else "not in"
        kinds = {type(value) for value in values}
        path, general = self.path(left), f"{_NAMES[operator]}(x, {self.bind(values)})"
        # A set is correct only if no number in it can equal a text.
        if not kinds & {int, float}:
            texts = self.bind(frozenset(value for value in values if isinstance(value, str)))
            return f"x {word} {texts} if type(x := {path}) is str else {general}"
        if str not in kinds:
            numbers = self.bind(frozenset(value for value in values if type(value) in (int, float)))
            return f"x {word} {numbers} if type(x := {path}) is int else {general}"
        return f"{_NAMES[operator]}({path}, {self.bind(values)})"

    def two_paths(self, left: Path, operator: str, right: Path) -> str:
        """Return the code that compares two paths; the general form reads them again."""
        one, other = self.path(left), self.path(right)
        general = f"{_NAMES[operator]}({one}, {other})"
        both = f"type(x := {one}) is {{}} and type(y := {other}) is {{}}"
        if operator in ("==", "!="):
            return f"x {operator} y if {both.format('str', 'str')} else {general}"
        if operator in _ORDERING:
            return f"x {operator} y if {both.format('int', 'int')} else {general}"
        # A text that equals a number starts with a character below ":" (a digit, "-" or ".").
        if operator in ("IN", "NOT IN"):
            found = "x in y or x < ':' and is_in(x, y)"
            found = found if operator == "IN" else f"not ({found})"
            return f"{found} if {both.format('str', 'list')} else {general}"
        if operator == "HAS":
            found = "y in x or y < ':' and has(x, y)"
            return f"{found} if {both.format('list', 'str')} else {general}"
        return general

    def operand(self, operand: Operand) -> str:
        """Return the code of an operand as a plain value."""
        if isinstance(operand, Path):
            return self.path(operand)
        return self.bind(operand.values if isinstance(operand, ListOf) else operand.value)

    def path(self, path: Path) -> str:
        """Return the code that looks up a path: in the attributes, and if null in the built-ins."""
        self.roots.add(path.root)
        keys = [self.bind(segment) for segment in path.segments]
        first = path.segments[0]
        named = len(keys) > 1 and all(isinstance(segment, str) for segment in path.segments)
        if named and first in _BUILT_IN_OBJECTS.get(path.root, ()):
            # Rarely an attribute and nearly always present: read the built-in value directly.
            straight = "".join([f"[{key}]" for key in keys])
            general = f"lookup({path.root}, {self.bind(path.segments)})"
            return f"({general} if {keys[0]} in {path.root}_a else {path.root}[1]{straight})"
        attributes = self.steps(f"{path.root}_a", path, keys)
        builtins = self.steps(f"{path.root}[1]", path, keys)
        return f"(v if (v := {attributes}) is not None else {builtins})"

    def steps(self, container: str, path: Path, keys: list[str]) -> str:
        """Return the code that follows a path, with None at the first missing step.

        A named step into a value without names raises, and the tree is walked instead.
        """
        written = container
        for index, (segment, key) in enumerate(zip(path.segments, keys, strict=True)):
            if isinstance(segment, int):
                written = f"(c[{key}] if type(c := {written}) is list and len(c) > {key} else None)"
            elif index == 0:
                written = f"{written}.get({key})"
            else:
                written = f"(c.get({key}) if (c := {written}) is not None else None)"
        return written
