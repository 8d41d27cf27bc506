"""Expressions, views and JSON for property tests, drawn from a few names so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from workflows.expressions import View
from workflows.expressions.nodes import And, Comparison, ListOf, Node, Or, Path, join
from workflows.expressions.nodes import literal as literal_of
from workflows.expressions.operators import OPERATORS

NAMES = ["a", "b", "age", "sid", "channel", "in"]

_TEXTS = ["", "en", "e", "EN", "é", 'a"b', "\\", "\n\x00\ud800"]
# Numbers in a text, and what looks like one.
_NUMERIC_TEXTS = ["08", "8", "-1.5", "8.0", ".5", "1e3"]
_NUMBERS: list[int | float] = [0, 1, -1, 8, 8.0, 0.5, -0.0, 1e300, 5e-324, 10**400, -(2**70), 800]

_names = st.sampled_from(NAMES)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS + _NUMERIC_TEXTS),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)
# Attributes are an object by contract; anything else must still not stop routing.
attributes = st.dictionaries(_names, json_values, max_size=4) | json_values
views = st.builds(View, attributes, st.dictionaries(_names, json_values, max_size=3))

_segments = st.tuples(_names) | st.builds(
    lambda first, rest: (first, *rest),
    _names,
    st.lists(_names | st.integers(0, 2), max_size=2),
)
literals = st.builds(literal_of, scalars)
paths = st.builds(Path, st.sampled_from(["task", "worker"]), _segments) | st.builds(
    Path, st.just("taskrouter"), st.sampled_from([("currentTime",), ("dayOfWeek",)])
)
operands = (
    paths | literals | st.builds(lambda items: ListOf(tuple(items)), st.lists(literals, max_size=3))
)
comparisons = st.builds(Comparison, operands, st.sampled_from(sorted(OPERATORS)), operands)


def _chains(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=4)
    return st.builds(join, st.sampled_from([And, Or]), several)


nodes: st.SearchStrategy[Node] = st.recursive(comparisons, _chains, max_leaves=8)
