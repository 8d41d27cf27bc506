"""Compare answers of the API with its description; an undescribed answer fails the test."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import jsonschema_rs

from routing.api.openapi.description import document

NO_OPERATION = {400, 401, 404, 405}
"""Answers of the server to paths without an operation."""


def check(method: str, path: str, response: Any) -> None:
    """Fail unless the description has this status with these headers and this body."""
    status, body = response.status_code, response.content
    if method in ("HEAD", "OPTIONS"):
        assert not body, (method, path, body)
        return
    operation = operation_of(method, path)
    if operation is None:
        assert status in NO_OPERATION, (method, path, status)
        fits(response, schema("Error"))
        assert status != 405 or response.headers["Allow"]
        return
    assert str(status) in operation["responses"], (method, path, status, body)
    described = operation["responses"][str(status)]
    if "$ref" in described:
        described = described_document()["components"]["responses"][str(status)]
    if "content" not in described:
        assert body == b"", (method, path, body)
        return
    fits(response, described["content"]["application/json"]["schema"])
    required = {"WWW-Authenticate", "Retry-After"}
    if path_shows_rows(response) and status < 400:
        required.add("ETag")
    for name in required & described["headers"].keys():
        assert name in response.headers, (method, path, name)


def path_shows_rows(response: Any) -> bool:
    """Return whether an answer shows any row: a page without rows has no version."""
    shown = response.json()
    return "meta" not in shown or bool(shown[shown["meta"]["key"]])


def fits(response: Any, schema: dict[str, Any]) -> None:
    """Fail unless the body is JSON of this schema, without a property that it does not name."""
    assert response.headers["Content-Type"] == "application/json"
    error = next(validator(json.dumps(schema)).iter_errors(response.json()), None)
    assert error is None, f"{error}\nin {response.json()}"


def schema(name: str) -> dict[str, Any]:
    """Return a reference to one of the description's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """Return the operation that a request meets, if there is one."""
    path = path.partition("?")[0]
    for pattern, methods in patterns():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


@functools.lru_cache(maxsize=1)
def described_document() -> dict[str, Any]:
    """Return the description, once."""
    return document()


@functools.lru_cache(maxsize=1)
def patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return the pattern of each path, in the order in which paths are tried."""
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), methods)
        for path, methods in described_document()["paths"].items()
    ]


@functools.cache
def validator(text: str) -> Any:
    """Return a validator of a schema, given as JSON, that checks formats too."""
    components = closed(described_document()["components"])
    whole = {**closed(json.loads(text)), "components": components}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def closed(described: Any) -> Any:
    """Return a description in which no object may have a property that is not named."""
    if isinstance(described, list):
        return [closed(each) for each in described]
    if not isinstance(described, dict):
        return described
    found = {name: closed(each) for name, each in described.items()}
    if isinstance(described.get("properties"), dict) and "type" in described:
        found.setdefault("additionalProperties", False)
    return found
