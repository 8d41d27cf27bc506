"""Expressions: compiled once, partially evaluated with known values, then matched."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from workflows.caches import SizedCache
from workflows.expressions.codegen import Function, generate_function, make_walker
from workflows.expressions.nodes import FALSE, TRUE, Node, Segment, list_paths
from workflows.expressions.residual import reduce_expression

from .parser import parse
from .subjects import Subject
from .unparser import unparse
from .views import NOTHING, View

# Generating code costs as much as a few dozen tree walks.
WALKS_BEFORE_CODE = 32

_UNBOUND = frozenset({"taskrouter"})


class Expression:
    """A condition; immutable, and equal to every other with the same canonical text."""

    __slots__ = ("__weakref__", "_function", "_node", "_roots", "_source", "_walks", "derived")

    def __init__(self, node: Node, source: str) -> None:
        self._node = node
        self._source = source
        self._function: Function | None = None
        self._roots: frozenset[str] | None = None
        self._walks = 0
        self.derived: dict[str, Any] = {}
        """Values that other modules derive from this expression, by name, cached while it lives."""

    @property
    def source(self) -> str:
        """Return the canonical text, which compiles as subject "residual" to this expression."""
        return self._source

    @property
    def node(self) -> Node:
        """Return the tree."""
        return self._node

    @property
    def roots(self) -> frozenset[str]:
        """Return which of task, worker, workers and taskrouter the expression reads."""
        if self._roots is None:
            self._roots = frozenset(path.root for path in list_paths(self._node))
        return self._roots

    @property
    def is_constant(self) -> bool | None:
        """Return the result if it is known to be constant, else None."""
        if self._node == TRUE:
            return True
        return False if self._node == FALSE else None

    @property
    def function(self) -> Function:
        """Return the generated `f(worker, task, taskrouter, workers) -> bool` for hot loops.

        It takes views by position or by name; omitted ones read as null everywhere.
        """
        if self._function is None:
            self._function = generate_function(self._node)
        return self._function

    def paths(self, root: str) -> frozenset[tuple[Segment, ...]]:
        """Return the paths that the expression reads under `root`."""
        return frozenset(path.segments for path in list_paths(self._node) if path.root == root)

    def bind(self, **known: View) -> Expression:
        """Return the residual expression after the `known` roots are evaluated.

        A missing attribute of a known root reads as null; other roots stay. The time of day and a
        task's built-in age are never bound, as both change without a change of the row.
        """
        bound = {root: view for root, view in known.items() if root not in _UNBOUND}
        if self.roots.isdisjoint(bound):
            return self
        return _interned(reduce_expression(self._node, bound))

    def matches(
        self,
        *,
        worker: View | None = NOTHING,
        task: View | None = NOTHING,
        taskrouter: View | None = NOTHING,
        workers: View | None = NOTHING,
    ) -> bool:
        """Return whether the condition holds; never raises, whatever JSON the views hold."""
        function = self._function
        if function is None:
            self._walks += 1
            walked = self._walks <= WALKS_BEFORE_CODE
            function = make_walker(self._node) if walked else self.function
        return function(worker, task, taskrouter, workers)

    def __str__(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return f"<Expression {self._source}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._source == other._source

    def __hash__(self) -> int:
        return hash(self._source)

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self._source,)


# Equal expressions are one object while any reference exists, so that code is generated once.
_expressions: WeakValueDictionary[str, Expression] = WeakValueDictionary()


def _interned(node: Node) -> Expression:
    """Return the shared expression of a reduced tree."""
    source = unparse(node)
    return _expressions.get(source) or _expressions.setdefault(source, Expression(node, source))


# A node takes about 25 times the memory of its text, and as much again with generated code. So
# these caches hold at most 150 MB.
_BUDGET = 3_000_000
expression_cache: SizedCache[Expression] = SizedCache(_BUDGET)
_parts: SizedCache[Expression] = SizedCache(_BUDGET // 3)


def compile_expression(source: str, *, subject: Subject) -> Expression:
    """Compile `source` and cache the expression; raises ExpressionSyntaxError.

    `subject` is "worker" (a queue's workers), "task" (a filter), "target", "workers" (skip_if), or
    "residual": any of these with prefixes, of any length, as binding leaves them.
    """

    def make() -> tuple[Expression, int]:
        expression = compile_once(source, subject=subject)
        return expression, max(len(source), len(expression.source))

    return expression_cache.get((source, subject), make)


def compile_once(source: str, *, subject: Subject) -> Expression:
    """Compile `source` without caching it, for example the filter of a single request."""
    return _interned(reduce_expression(parse(source, subject=subject), {}))


def compile_node(node: Node) -> Expression:
    """Return the expression of a part of another expression's tree."""

    def make() -> tuple[Expression, int]:
        expression = _interned(node)
        return expression, len(expression.source)

    return _parts.get(node, make)


def _restore(source: str) -> Expression:
    return compile_expression(source, subject="residual")
