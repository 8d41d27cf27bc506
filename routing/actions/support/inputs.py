"""Validate input before anything is written: one check per kind of value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from routing.actions.support.errors import InvalidInput
from routing.webhooks import destinations
from workflows import expressions

NAME_LIMIT: Final = 64
ATTRIBUTES_LIMIT: Final = 4096
_UNIQUE_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f"
CONTROL: Final = re.compile(f"[{_CONTROLS}]")
"""The control characters that no parameter may contain."""
CONTROL_OR_DELETE: Final = re.compile(rf"[{_CONTROLS}\x7f]")
"""What names and other short texts may not contain; JSON documents may contain DELETE."""


def check_text(value: str, *, field: str, limit: int) -> str:
    """Return a text without control characters of at most `limit` characters."""
    if found := CONTROL_OR_DELETE.search(value):
        raise InvalidInput(
            f"{field} contains the control character U+{ord(found[0]):04X} at position"
            f" {found.start()}; leave it out",
            field=field,
        )
    if len(value) > limit:
        raise InvalidInput(
            f"{field} is {len(value)} characters long; at most {limit} are allowed", field=field
        )
    return value


def check_name(value: str, *, field: str = "friendly_name") -> str:
    """Return a name of 1 to 64 characters, without surrounding spaces."""
    value = value.strip()
    if not value:
        raise InvalidInput(f"{field} is required and must not be empty", field=field)
    return check_text(value, field=field, limit=NAME_LIMIT)


def check_unique_name(value: str, *, field: str = "unique_name") -> str:
    """Return a task channel's unique name, in lower case."""
    value = check_text(value, field=field, limit=NAME_LIMIT)
    if not _UNIQUE_NAME.fullmatch(value):
        raise InvalidInput(
            f"{field} {value!r} cannot be used in expressions: use letters, digits, _ and $ only,"
            " and do not begin with a digit",
            field=field,
        )
    return value.lower()


def check_integer(value: int, *, field: str, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    if not least <= value <= most:
        raise InvalidInput(
            f"{field} is {value}; it must be a whole number from {least} to {most}", field=field
        )
    return value


def check_url(value: str | None, *, field: str) -> str:
    """Return an absolute http(s) URL; an empty one clears it."""
    if not value:
        return ""
    value = check_text(value, field=field, limit=2048)
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidInput(f"{field} {value!r} is not an absolute http or https URL", field=field)
    return value


def check_callback_url(value: str | None, *, field: str) -> str:
    """Return a URL that callbacks can be posted to; an empty one clears it."""
    found = check_url(value, field=field)
    if found:
        try:
            destinations.parse_url(found)
        except destinations.Unacceptable as error:
            raise InvalidInput(f"{field} {found!r} {error}", field=field) from None
    return found


def check_attributes(value: str, *, field: str = "attributes") -> str:
    """Return a JSON object as it was written, of at most 4096 characters."""
    if not value.strip():
        return "{}"
    if len(value) > ATTRIBUTES_LIMIT:
        raise InvalidInput(
            f"{field} is {len(value)} characters long; at most {ATTRIBUTES_LIMIT} are allowed,"
            " white space included",
            field=field,
        )
    parse_attributes(value, field=field)
    return value


def parse_attributes(value: str, *, field: str = "attributes") -> dict[str, Any]:
    """Parse a JSON object, and refuse what parsers read differently.

    Refused are: other JSON values, duplicate keys, NaN, Infinity and numbers that overflow to
    Infinity, NUL characters, lone surrogates, and very deep nesting.
    """

    def refuse_constant(word: str) -> NoReturn:
        raise InvalidInput(f"{field} is not valid JSON: {word} is not a JSON number", field=field)

    def finite(digits: str) -> float:
        if math.isinf(number := float(digits)):
            raise InvalidInput(
                f"{field} contains the number {digits[:40]}, which is too large; numbers go up to"
                " about 1.8e308",
                field=field,
            )
        return number

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in pairs:
            if key in found:
                raise InvalidInput(
                    f"{field} has the key {key!r} twice; each may stand once in its object",
                    field=field,
                )
            found[key] = item
        return found

    try:
        parsed = json.loads(
            value, parse_constant=refuse_constant, parse_float=finite, object_pairs_hook=once
        )
        value.encode()
        json.dumps(parsed, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{field} is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}",
            field=field,
        ) from None
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{field} contains half of a surrogate pair, which is no character", field=field
        ) from None
    except RecursionError:
        raise InvalidInput(
            f"{field} is nested too deeply to be read; a few levels are enough", field=field
        ) from None
    except ValueError as error:  # an integer of thousands of digits
        raise InvalidInput(f"{field} is not acceptable JSON: {error}", field=field) from None
    if not isinstance(parsed, dict):
        raise InvalidInput(
            f'{field} must be a JSON object such as {{"language": "en"}}, not {value[:40]!r}',
            field=field,
        )
    if "\\u0000" in value or "\x00" in value:
        raise InvalidInput(f"{field} contains a NUL character; leave it out", field=field)
    return parsed


def check_target_workers(value: str, *, field: str = "target_workers") -> str:
    """Return a queue's expression as it was written; an empty one admits no worker."""
    if not value.strip():
        return ""
    try:
        expressions.compile_expression(value, subject="worker")
    except expressions.ExpressionError as error:
        raise InvalidInput(f"{field} is not an expression: {error}", field=field) from None
    return value


DuplicateGuard = AbstractContextManager[None]


@contextmanager
def refuse_duplicates(message: str, *, field: str = "friendly_name") -> Iterator[None]:
    """Turn a violation of a unique constraint into `InvalidInput`.

    The constraint decides, so that of two simultaneous requests one is refused.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise InvalidInput(message, field=field) from None
