"""Turn the OpenAPI document into sections, tables and examples for the reference page."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from routing.api.openapi.description import document

Shown = dict[str, Any]
Spec = Mapping[str, Any]

_WIDTH: Final = 2
_INDENT: Final = " " * 5


@functools.lru_cache(maxsize=1)
def sections() -> list[Shown]:
    """Return the operations by heading, without anything that depends on a request."""
    spec = document()
    shown = [
        _operation(spec, path, method, described)
        for path, methods in spec["paths"].items()
        for method, described in methods.items()
    ]
    return [
        {
            "name": tag["name"],
            "slug": re.sub(r"\W+", "-", tag["name"].lower()),
            "operations": [found for found in shown if found["tag"] == tag["name"]],
        }
        for tag in spec["tags"]
    ]


def _operation(spec: Spec, path: str, method: str, described: Spec) -> Shown:
    status, answer = next(iter(described["responses"].items()))
    content = answer.get("content", {}).get("application/json", {})
    return {
        "id": described["operationId"],
        "tag": described["tags"][0],
        "method": method.upper(),
        "path": path,
        "parts": re.split(r"(\{\w+\})", path),
        "summary": described["summary"],
        "words": marked(described["description"]),
        "places": [place for place in _places(described) if place["rows"]],
        "command": _command(path, method, described),
        "status": status,
        "properties": list(_properties(spec, content.get("schema", {}))),
        "answer": json.dumps(content["example"], indent=_WIDTH, ensure_ascii=False)
        if content
        else "",
        "errors": [
            {"status": int(code), "words": spec["components"]["responses"][code]["description"]}
            for code in described["responses"]
            if int(code) >= 400
        ],
    }


def _places(described: Spec) -> Iterator[Shown]:
    titles = {"path": "In the path", "query": "In the query", "header": "Headers"}
    for place, title in titles.items():
        rows = [
            _row(each["name"], each["schema"], each["description"], each.get("required", False))
            for each in described["parameters"]
            if each["in"] == place
        ]
        yield {"title": title, "rows": rows}
    for media_type, content in described.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        required = schema.get("required", ())
        rows = [
            _row(name, each, each.get("description", ""), name in required)
            for name, each in schema["properties"].items()
        ]
        yield {"title": f"In the body ({media_type})", "rows": rows}


def _properties(spec: Spec, schema: Spec, above: str = "") -> Iterator[Shown]:
    """Yield the rows of an answer; properties of inner objects follow with their full names."""
    schema = _resolved(spec, schema)
    for name, found in schema.get("properties", {}).items():
        inner = _resolved(spec, found)
        whole = f"{above}{name}"
        yield _row(whole, inner, inner.get("description", ""))
        if name in ("links", "meta"):
            continue
        if "properties" in inner:
            yield from _properties(spec, inner, f"{whole}.")
        elif "properties" in (items := _resolved(spec, inner.get("items", {}))):
            yield from _properties(spec, items, f"{whole}[].")


def _resolved(spec: Spec, schema: Spec) -> Spec:
    if "$ref" not in schema:
        return schema
    found: Spec = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def _row(name: str, schema: Spec, words: str, required: bool = False) -> Shown:
    return {"name": name, "kind": kind(schema), "words": marked(words), "required": required}


def marked(words: str) -> SafeString:
    """Return text as HTML, with code in backticks marked up."""
    return mark_safe(re.sub("`([^`]*)`", r"<code>\1</code>", escape(words)))  # noqa: S308 - escaped


def kind(schema: Spec) -> str:
    """Return a short text for the type of a schema."""
    types = schema.get("type", "anything")
    if types == ["integer", "string"]:
        return f"{kind({**schema, 'type': 'integer'})}, or empty"
    null = isinstance(types, list) and "null" in types
    name = next((each for each in types if each != "null"), "") if null else types
    if name == "array":
        found = f"list of {kind(schema['items'])}" if schema.get("items", {}).get("type") else name
    elif "enum" in schema:
        found = " | ".join(str(each) for each in schema["enum"] if each is not None)
    elif "{32}" in schema.get("pattern", ""):
        found = " or ".join(
            f"{each}…" for each in re.findall(r"[A-Z]{2}(?=[|)])", schema["pattern"])
        )
    else:
        found = {"date-time": "date and time", "uri": "URL"}.get(schema.get("format", ""), name)
        found += _limits(schema)
    return f"{found} or null" if null else found


def _limits(schema: Spec) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        return f" from {least or 0:,} to {most:,}"
    if schema.get("maxLength"):
        return f" of at most {schema['maxLength']:,}"
    return ""


def _command(path: str, method: str, described: Spec) -> str:
    """Return the request as a shell command, with `{base}` for the server."""
    examples = {e["name"]: e["example"] for e in described["parameters"] if e["in"] == "path"}
    filled = re.sub(r"\{(\w+)\}", lambda found: str(examples[found[1]]), path)
    query = [(e["name"], e["example"]) for e in described["parameters"] if _in_query(e)][:1]
    if query:
        filled += "?" + urlencode(query, doseq=True)
    lines = [f'curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "{{base}}{filled}"']
    if method == "delete":
        lines[0] = lines[0].replace("curl ", "curl -X DELETE ")
    bodies = described.get("requestBody", {}).get("content", {})
    for media_type, content in itertools.islice(bodies.items(), 1):
        lines += _fields(content["example"], json_body=media_type == "application/json")
    if method == "post" and len(lines) == 1:
        lines[0] = lines[0].replace("curl ", "curl -X POST ")
    return f" \\\n{_INDENT}".join(lines)


def _in_query(parameter: Spec) -> bool:
    return parameter["in"] == "query" and "example" in parameter and parameter["name"] != "PageSize"


def _fields(example: Mapping[str, Any], *, json_body: bool) -> Iterator[str]:
    """Yield the options that send a body. No example may contain a single quote, which ends one."""
    if json_body:
        yield "-H 'Content-Type: application/json'"
        yield f"-d '{json.dumps(example)}'"
        return
    for name, given in example.items():
        for value in given if isinstance(given, list) else [given]:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield f"--data-urlencode '{name}={text}'"
