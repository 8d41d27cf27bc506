"""Build JSON schemas: one function per kind of value in the API's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

EXAMPLE_HOST: Final = "https://cordboard.example"
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"


def sample_sid(prefix: str) -> str:
    """Return the sid that all examples use for this kind of resource."""
    return prefix + hashlib.sha256(prefix.encode()).hexdigest()[:32]


def text(words: str, example: str | None, *, null: bool = False, **more: Any) -> Schema:
    """Return the schema of a text."""
    return _described("string", words, example, null, more)


def document(words: str, example: str) -> Schema:
    """Return the schema of a text that holds JSON."""
    return text(words, example, contentMediaType="application/json")


def whole(
    words: str, example: int | None, *, least: int = 0, most: int | None = None, null: bool = False
) -> Schema:
    """Return the schema of a whole number."""
    limits = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return _described("integer", words, example, null, limits)


def number(words: str, example: float, *, null: bool = False) -> Schema:
    """Return the schema of a number that is not negative."""
    return _described("number", words, example, null, {"minimum": 0})


def flag(words: str, example: bool | None, *, null: bool = False) -> Schema:
    """Return the schema of a boolean."""
    return _described("boolean", words, example, null, {})


def word(words: str, members: Iterable[str], example: str | None, *, null: bool = False) -> Schema:
    """Return the schema of one of a few words."""
    known: list[str | None] = [str(member) for member in members]
    return _described("string", words, example, null, {"enum": known + [None] * null})


def date(words: str, example: str | None = "2026-03-02T09:30:00Z", *, null: bool = False) -> Schema:
    """Return the schema of a time: UTC, whole seconds, Z."""
    more = {"format": "date-time", "pattern": DATE_PATTERN}
    return _described("string", words, example, null, more)


def sid(words: str, *prefixes: str, null: bool = False, unset: bool = False) -> Schema:
    """Return the schema of a sid.

    Arguments:
        unset: the example has none.
    """
    example = None if unset else sample_sid(prefixes[0])
    return _described("string", words, example, null, {"pattern": sid_pattern(*prefixes)})


def sid_pattern(*prefixes: str) -> str:
    """Return the regular expression of a sid with one of these prefixes."""
    return f"^(?:{'|'.join(prefixes)})[0-9a-fA-F]{{32}}$"


def url(words: str, path: str | None, *, null: bool = False) -> Schema:
    """Return the schema of an absolute URL.

    Arguments:
        path: the path of the example below the workspace; each sid is written as its prefix in
            braces.
    """
    example = None if path is None else _filled(EXAMPLE_HOST + "/v1/Workspaces/{WS}" + path)
    return _described("string", words, example, null, {"format": "uri"})


def mapping(
    properties: Mapping[str, Schema], words: str = "", *, optional: frozenset[str] = frozenset()
) -> Schema:
    """Return the schema of an object with these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        **({"description": words} if words else {}),
    }


def listing(items: Schema, words: str = "") -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **({"description": words} if words else {})}


def counts(values: Schema, words: str, example: Mapping[str, Any]) -> Schema:
    """Return the schema of an object whose keys vary."""
    return {
        "type": "object",
        "additionalProperties": values,
        "description": words,
        "examples": [dict(example)],
    }


def nullable(schema: Schema) -> Schema:
    """Return a schema that also allows null."""
    return {**schema, "type": [schema["type"], "null"]}


def example_of(schema: Mapping[str, Any]) -> Any:
    """Return an example that fits a schema."""
    if "examples" in schema:
        return schema["examples"][0]
    if "properties" in schema:
        return {name: example_of(found) for name, found in schema["properties"].items()}
    if "items" in schema:
        return [example_of(schema["items"])]
    raise ValueError(f"{schema} has no example")


def _described(kind: str, words: str, example: Any, null: bool, more: Mapping[str, Any]) -> Schema:
    found: Schema = {"type": [kind, "null"] if null else kind, **more, "examples": [example]}
    return found | ({"description": words} if words else {})


def _filled(path: str) -> str:
    head, *parts = path.split("{")
    return head + "".join(sample_sid(part[:2]) + part[3:] for part in parts)
