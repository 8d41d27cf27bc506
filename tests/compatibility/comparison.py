"""Compare Cordboard's description with the facts of TaskRouter's API.

`taskrouter.txt` holds the facts of that API. Everything in it is supported here, or stands in a
table below with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from routing.api.openapi.operations import Operation, operations
from tests.api.conformance import described_document
from tests.server import ROOT

FACTS: Final = Path(__file__).with_name("taskrouter.txt")
PAGE: Final = ROOT / "docs" / "compatibility.md"

YES: Final = "yes"
TELEPHONY: Final = "501: there is no telephone network here"
ABSENT: Final[dict[tuple[str, str], str]] = {}
"""What is not supported, by operation and name, and why."""
OTHER_KINDS: Final = {
    ("flag", "text"): "true, 1 or yes is true, anything else false, as there",
    ("text", "url"): "any text: an empty one stands for none",
    ("text", "list"): "a list there",
    ("list", "word"): "several at once as well",
    ("text", "word"): "any text",
    ("list", "text"): "several at once as well",
    ("WK", "text"): "the worker's sid",
    ("word", "text"): "one of a few words",
    ("WK WQ WW", "text"): "a sid",
    ("date", "text"): "a date",
    ("text", "CA"): "any text",
}
"""Kinds that differ from the reference's on purpose: ours, theirs, and what that means."""


@dataclass(frozen=True)
class Fact:
    """One operation or one shape of the reference: what it answers, and its names with kinds."""

    head: str
    answers: str
    names: dict[str, str] = field(default_factory=dict)


def reference_facts() -> list[Fact]:
    """Return what the reference has, in its order."""
    found: list[Fact] = []
    for line in FACTS.read_text().splitlines():
        if line.startswith("["):
            head, _, answers = line[1:].partition("]")
            found.append(Fact(head, answers.strip()))
        elif line and not line.startswith("#"):
            name, _, kind = line.partition(": ")
            found[-1].names[name] = kind
    return found


def reference_operations() -> list[Fact]:
    """Return the operations of the reference."""
    return [fact for fact in reference_facts() if " " in fact.head]


def reference_shapes() -> dict[str, Fact]:
    """Return the shapes of the reference by their names."""
    return {fact.head: fact for fact in reference_facts() if " " not in fact.head}


def path_without_names(head: str) -> str:
    """Return a method and path without the names of its variables."""
    return re.sub(r"\{\w+\}", "{}", head)


def our_operations() -> dict[str, Operation]:
    """Return our operations by method and path."""
    return {path_without_names(f"{each.method.upper()} {each.path}"): each for each in operations()}


def our_parameters(operation: Operation) -> Iterator[tuple[str, str, bool, bool]]:
    """Return our parameters: name, kind, whether it is required, whether it is acted on."""
    described = described_document()["paths"][operation.path][operation.method]
    idle = {param.name for param in operation.view.extra}
    for each in described["parameters"]:
        if each["in"] != "path":
            yield each["name"], kind_of_schema(each["schema"]), each.get("required", False), True
    for content in described.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        for name, each in schema["properties"].items():
            required = name in schema.get("required", ())
            yield name, kind_of_schema(each), required, name not in idle


def kind_of_schema(schema: dict[str, Any]) -> str:
    """Return the kind of a schema in the words of the reference's facts."""
    if "$ref" in schema:
        return kind_of_schema(
            described_document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        )
    types = schema.get("type", "object")
    name = next(each for each in [types, *types] if each != "null" and isinstance(each, str))
    if isinstance(types, list):
        name = next(each for each in types if each != "null")
    if name == "array":
        return f"list of {kind_of_schema(schema['items'])}"
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"] if each is not None)
    if "{32}" in schema.get("pattern", ""):
        return " ".join(re.findall(r"[A-Z]{2}(?=[|)])", schema["pattern"]))
    formats = {"date-time": "date", "uri": "url"}
    words = {"string": "text", "integer": "whole", "boolean": "flag", "number": "whole"}
    return formats.get(schema.get("format", "")) or words.get(name, name)


def general_kind(kind: str) -> str:
    """Return a kind without its particulars."""
    if kind.startswith("list of "):
        return "list"
    if " | " in kind:
        return "word"
    return "links" if kind.startswith("links") else kind


def kind_difference(mine: str, its: str) -> str | None:
    """Return in what a kind differs from the reference's; None when it does not at all.

    Raises `ValueError` for a difference that no table names.
    """
    if mine == its:
        return None
    if general_kind(mine) == general_kind(its) == "word" and set(its.split(" | ")) <= set(
        mine.split(" | ")
    ):
        return None
    if general_kind(mine) == general_kind(its) == "list" or (mine, general_kind(its)) == (
        "object",
        "links",
    ):
        return None
    if (general_kind(mine), general_kind(its)) in OTHER_KINDS:
        return OTHER_KINDS[general_kind(mine), general_kind(its)]
    raise ValueError(f"{mine!r} is not {its!r}")


def our_answer(operation: Operation) -> tuple[int, str | None, dict[str, Any]]:
    """Return our success: its status, its list's key, and the properties of what it shows."""
    described = described_document()["paths"][operation.path][operation.method]
    success = described["responses"][str(operation.status)]
    content = success.get("content", {}).get("application/json")
    if content is None:
        return operation.status, None, {}
    schemas = described_document()["components"]["schemas"]
    schema, key = content["schema"], None
    if operation.paged:
        key = operation.view.key  # type: ignore[attr-defined]
        schema = schema["properties"][key]["items"]
    found: dict[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return operation.status, key, found
