"""Read a task's subject and its customer from its attributes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

TITLES: Final = ("title", "subject", "topic", "summary", "reason", "question", "description")
PEOPLE: Final = (
    "customer_name",
    "customer",
    "name",
    "caller",
    "contact",
    "from",
    "email",
    "phone",
    "phone_number",
)
"""Names of attributes with the subject, and with the customer; the first one present counts."""

LONGEST: Final = 120


def parse_attributes(text: str) -> Mapping[str, Any]:
    """Return attributes as an object; unreadable ones as an empty object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def first_text(
    attributes: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return the first of these attributes with a text; also its path if the text is not cut.

    Arguments:
        names: names of attributes, or paths to them, such as `customer.name`.
    """
    for name in names:
        path = tuple(name.split("."))
        value: Any = attributes
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value, path = value.get("name"), (*path, "name")
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            text = str(value).strip()
            return (text, path) if len(text) <= LONGEST else (shorten(text, LONGEST), ())
    return "", ()


def describe_task(text: str) -> str:
    """Return the subject and the customer from a task's attributes, in one line."""
    attributes = parse_attributes(text)
    parts = [first_text(attributes, names)[0] for names in (TITLES, PEOPLE)]
    return " · ".join(part for part in parts if part)


def contains_words(attributes: Mapping[str, Any], words: Sequence[str]) -> bool:
    """Return whether all words, in folded case, are in the values of attributes."""
    values = "\n".join(list_texts(attributes)).casefold()
    return all(word in values for word in words)


def list_texts(value: Any) -> Iterator[str]:
    """Yield every text and number within a value, at any depth."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from list_texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def shorten(text: str, longest: int) -> str:
    """Return a text cut to this length."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
