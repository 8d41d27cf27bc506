"""Index the workers of a pass by the value of one attribute path.

Many workers share a value, and many lanes read the same path. A comparison with a constant is
evaluated once per different value; an equality only for the values that may be equal.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, Final

from routing.core.eligibility import CHANNEL_FIGURES, build_worker_view
from routing.core.matching.conditions import constant_value, is_load_path
from routing.core.snapshot import Worker
from workflows.expressions import look_up_path
from workflows.expressions.nodes import Comparison, Literal, Path, Segment
from workflows.expressions.operators import MIRRORED, OPERATORS, number_in

_FEW: Final = 8
"""Largest number of members for which a bitset is built bit by bit; others come from digits."""

_BY_VALUE: Final = frozenset({"==", "HAS"})
"""Operators that hold only where the constant equals the value or one of its items."""


class _Group:
    """Workers with the same value at a path."""

    __slots__ = ("bits", "places", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.places: list[int] = []
        self.bits = 0


class ValueIndex:
    """The values at one path of all workers, with the places of the workers that have each."""

    def __init__(self, segments: tuple[Segment, ...], workers: Sequence[Worker]) -> None:
        self._size = len(workers)
        self._groups: dict[Hashable, _Group] = {}
        self._by_member: dict[Hashable, list[_Group]] | None = None
        for place, worker in enumerate(workers):
            key, value = read_value(worker, segments)
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group(value)
            group.places.append(place)

    def select_workers(self, comparison: Comparison) -> int:
        """Return the workers that meet a comparison of this path with a constant."""
        left, operator, right = comparison.left, comparison.operator, comparison.right
        if not isinstance(left, Path) and operator in MIRRORED:
            left, operator, right = right, MIRRORED[operator], left
        holds = OPERATORS[operator]
        met = 0
        if isinstance(left, Path) and not isinstance(right, Path):
            fixed = constant_value(right)
            for group in self._candidates(operator, right):
                if holds(group.value, fixed):
                    met |= self._bits(group)
            return met
        assert not isinstance(left, Path)
        fixed = constant_value(left)  # NOT IN and CONTAINS have no mirrored operator
        for group in self._groups.values():
            if holds(fixed, group.value):
                met |= self._bits(group)
        return met

    def _candidates(self, operator: str, fixed: Any) -> Sequence[_Group]:
        if operator in _BY_VALUE and isinstance(fixed, Literal) and fixed.value is not None:
            if self._by_member is None:
                self._by_member = defaultdict(list)
                for group in self._groups.values():
                    for member in list_equality_keys(group.value):
                        self._by_member[member].append(group)
            return self._by_member.get(equality_key(fixed.value), [])
        return [*self._groups.values()]

    def _bits(self, group: _Group) -> int:
        if not group.bits:
            if len(group.places) <= _FEW:
                for place in group.places:
                    group.bits |= 1 << place
            else:
                digits = bytearray(b"0") * self._size
                for place in group.places:
                    digits[-1 - place] = 49  # the digit 1
                group.bits = int(digits, 2)
        return group.bits


def read_value(worker: Worker, segments: tuple[Segment, ...]) -> tuple[Hashable, Any]:
    """Return the value at a path of a worker, and a key that only equal values share.

    Both are cached on the worker.
    """
    cache = worker.load_values if is_load_path(segments) else worker.values
    found = cache.get(segments)
    if found is None:
        value = _figure(worker, segments)
        if value is None:
            value = look_up_path(build_worker_view(worker), segments)
        found = cache[segments] = (_key(value), value)
    return found


def _figure(worker: Worker, segments: tuple[Segment, ...]) -> Any:
    """Return one channel figure without building a view of all channels; None for other paths."""
    if len(segments) != 3 or not is_load_path(segments) or "channel" in worker.attributes:
        return None
    _, name, figure = segments
    reading = CHANNEL_FIGURES.get(figure) if isinstance(figure, str) else None
    if reading is not None:
        for channel in worker.channels.values():
            if channel.unique_name == name:
                return reading(channel, channel.consumed)
    return None


def list_equality_keys(value: Any) -> set[Hashable]:
    """Return the likeness of a value, or of each item of an array."""
    items = value if type(value) is list else (value,)
    return {
        equality_key(item)
        for item in items
        if item is not None and not isinstance(item, (list, dict))
    }


def equality_key(value: str | float | bool) -> Hashable:
    """Return a key that is the same for all values that the language treats as equal."""
    if isinstance(value, bool):
        return (value,)
    if isinstance(value, str):
        number = number_in(value)
        return value if number is None else number
    return value


def _key(value: Any) -> Hashable:
    if isinstance(value, bool):
        return (value,)
    if value is None or isinstance(value, (str, int, float)):
        return value
    try:
        return ("json", json.dumps(value, sort_keys=True, default=str))
    except RecursionError:  # too deep for JSON: equal only to itself
        return ("deep", id(value))
