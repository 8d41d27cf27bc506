"""The operators, as functions of two JSON values that never raise."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

# The same syntax as in the language. The limit bounds the cost of converting a long text.
_NUMERIC = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_NUMERIC_LENGTH = 64


class Kind(Enum):
    """The kinds of values that the operators distinguish."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    ARRAY = "array"
    OBJECT = "object"


_KINDS: dict[type, Kind] = {
    type(None): Kind.NULL,
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    list: Kind.ARRAY,
    dict: Kind.OBJECT,
}
_COMPOUND = (Kind.ARRAY, Kind.OBJECT)


def kind_of(value: Any) -> Kind:
    """Return the kind of a value; a value that is not JSON counts as an object."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.NUMBER if isinstance(value, (int, float)) else Kind.OBJECT


def number_in(text: str) -> int | float | None:
    """Return the number in a numeric text, or None; "08" is 8."""
    if len(text) > _NUMERIC_LENGTH or not _NUMERIC.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal; null equals null."""
    if left is None or right is None:
        return left is right
    pair = _alike(left, right)
    return bool(pair is not None and pair[0] == pair[1])


def unequal(left: Any, right: Any) -> bool:
    """Return whether two values differ; null differs from all others, a compound only from null."""
    if left is None or right is None:
        return left is not right
    if kind_of(left) in _COMPOUND or kind_of(right) in _COMPOUND:
        return False
    return not equal(left, right)


def less(left: Any, right: Any) -> bool:
    """Return whether left is less than right."""
    pair = _ordered(left, right)
    return bool(pair is not None and pair[0] < pair[1])


def less_or_equal(left: Any, right: Any) -> bool:
    """Return whether left is less than or equal to right."""
    pair = _ordered(left, right)
    return bool(pair is not None and pair[0] <= pair[1])


def greater(left: Any, right: Any) -> bool:
    """Return whether left is greater than right."""
    return less(right, left)


def greater_or_equal(left: Any, right: Any) -> bool:
    """Return whether left is greater than or equal to right."""
    return less_or_equal(right, left)


def has(left: Any, right: Any) -> bool:
    """Return whether the array left contains right."""
    return type(left) is list and _member(right, left)


def is_in(left: Any, right: Any) -> bool:
    """Return whether the array right contains left."""
    return type(right) is list and _member(left, right)


def not_in(left: Any, right: Any) -> bool:
    """Return whether right is an array that does not contain left, a scalar or null."""
    return type(right) is list and kind_of(left) not in _COMPOUND and not _member(left, right)


def contains(left: Any, right: Any) -> bool:
    """Return whether the text left contains the text right."""
    return isinstance(left, str) and isinstance(right, str) and right in left


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": unequal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
    "HAS": has,
    "IN": is_in,
    "NOT IN": not_in,
    "CONTAINS": contains,
}

# `a < b` means `b > a`; NOT IN and CONTAINS have no mirrored operator.
MIRRORED = {
    "==": "==",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "HAS": "IN",
    "IN": "HAS",
}


def _alike(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two scalars in a form for `==`, or None if they are never equal."""
    one, other = kind_of(left), kind_of(right)
    if one is other:
        return None if one in _COMPOUND else (left, right)
    return _numbers(left, one, right, other)


def _ordered(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two values in a form for `<`, or None if they have no order."""
    one, other = kind_of(left), kind_of(right)
    if one is other:
        return (left, right) if one in (Kind.NUMBER, Kind.TEXT) else None
    return _numbers(left, one, right, other)


def _numbers(left: Any, one: Kind, right: Any, other: Kind) -> tuple[Any, Any] | None:
    """Return a number and a numeric text as two numbers, or None."""
    if one is Kind.NUMBER and other is Kind.TEXT:
        number = number_in(right)
        return None if number is None else (left, number)
    if one is Kind.TEXT and other is Kind.NUMBER:
        number = number_in(left)
        return None if number is None else (number, right)
    return None


def _member(value: Any, items: list[Any]) -> bool:
    """Return whether one of `items` equals `value`."""
    kind = kind_of(value)
    if kind in _COMPOUND:
        return False
    if kind is Kind.TEXT:
        if value in items:
            return True
        if number_in(value) is None:
            return False
    return any(equal(value, item) for item in items)
