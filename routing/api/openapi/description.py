"""Build the OpenAPI document from what the resources declare.

Requests follow from the resources' parameters, answers from their shapes, errors from the method.
Nothing is declared twice.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any, Final

from routing.api import parsers
from routing.api.error_catalog import ERRORS, OF_STATUS
from routing.api.idempotency import REPLAYED
from routing.api.openapi.operations import Operation, operations, path_parameters
from routing.fields import schemas
from routing.fields.schemas import Schema
from routing.operations import idempotency
from routing.operations.parameters import Param

_LAST: Final = frozenset({"Events", "Statistics"})
"""The headings that are sorted to the end."""
_INTRODUCTION: Final = """\
Cordboard's REST API, compatible on the wire with version 1 of TaskRouter's.

Requests are forms (`application/x-www-form-urlencoded`), answers JSON. An absent parameter
changes nothing; an empty one clears an optional value; unknown ones are ignored.
Dates are UTC in whole seconds. Lists are paged: follow `meta.next_page_url` until it is null.
Tasks, workers and reservations carry a version in `ETag`; a request with `If-Match` only
changes that version. A request that creates may send a key in `I-Twilio-Idempotency-Token` or
`Idempotency-Key`; repeating it creates nothing new. Every error has a code, and a page at
`more_info` that explains how to fix it.
"""


@functools.lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    tags: dict[str, None] = {}
    shapes: dict[str, Schema] = {}
    for operation in operations():
        tags.setdefault(operation.tag)
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
        for shape in (operation.view.shape, operation.view.beside):
            if shape is not None:
                shapes[shape.name] = shape.schema
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cordboard",
            "version": "1",
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}],
        "tags": [{"name": name} for name in sorted(tags, key=_LAST.__contains__)],
        "paths": paths,
        "components": {
            "schemas": {**shapes, "Page": _page(), "Error": _error()},
            "responses": {str(status): _refusal(status) for status in OF_STATUS},
            "headers": _headers(),
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "An account's sid and auth token, or an API key's sid and"
                    " secret.",
                }
            },
        },
    }


def document() -> dict[str, Any]:
    """Return a copy of the OpenAPI document."""
    return copy.deepcopy(_document())


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.words or f"{operation.summary}.",
        "parameters": [*path_parameters(operation.path), *map(_in_query, operation.query)],
        "responses": {
            str(operation.status): _success(operation),
            **{str(s): {"$ref": f"#/components/responses/{s}"} for s in operation.errors},
        },
    }
    if operation.conditional:
        found["parameters"].append(
            {
                "name": "If-Match",
                "in": "header",
                "description": "Make the change only if this is the version: an ETag, quoted or"
                " bare, weak or"
                " not, several separated by commas, or `*` for any.",
                "schema": {"type": "string"},
            }
        )
    if operation.repeatable:
        found["parameters"].extend(map(_key_header, idempotency.HEADERS))
    if operation.form:
        found["requestBody"] = body(operation)
    return found


def _key_header(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": "A key of your own for this creation, such as a random UUID. Within a day,"
        " the same key with the same form gets the first answer again; another form gets 409.",
        "schema": {"type": "string", "pattern": f"^{idempotency.KEY_PATTERN}$"},
    }


def _in_query(param: Param) -> dict[str, Any]:
    found = {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.words,
        "schema": value_schema(param),
    }
    return found if param.example is None else {**found, "example": param.example}


def value_schema(param: Param) -> Schema:
    """Return the schema of a parameter's value in a request."""
    own = dict(param.schema) or {"type": "string"}
    return {"type": "array", "items": own} if param.many else own


def body(operation: Operation) -> dict[str, Any]:
    """Return the description of an operation's body: a form, or JSON where it is accepted too."""
    content = {parsers.FORM_TYPE: _content(operation.form)}
    if operation.view.json_params:
        content = {"application/json": _content(operation.view.json_params), **content}
    return {"required": any(param.required for param in operation.form), "content": content}


def _content(listed: Sequence[Param]) -> dict[str, Any]:
    required = [param.name for param in listed if param.required]
    schema = {
        "type": "object",
        "properties": {
            param.name: {**value_schema(param), "description": param.words} for param in listed
        },
        **({"required": required} if required else {}),
    }
    example = {param.name: param.example for param in listed if param.example is not None}
    return {"schema": schema, "example": example}


def _success(operation: Operation) -> dict[str, Any]:
    if operation.status == 204:
        return {"description": "Deleted.", "headers": _limits()}
    view, shape = operation.view, operation.view.shape
    schema: Schema = {"$ref": f"#/components/schemas/{shape.name}"}
    example = shape.example
    if operation.paged:
        key = view.key  # type: ignore[attr-defined]
        beside = {} if view.beside is None else view.beside.schema["properties"]
        meta = {"$ref": "#/components/schemas/Page"}
        schema = schemas.mapping({**beside, key: schemas.listing(schema), "meta": meta})
        above = {name: schemas.example_of(found) for name, found in beside.items()}
        for name in shape.optional:
            example.pop(name, None)
        listing = {**schemas.example_of(_page()), "key": key}
        example = {**above, key: [example], "meta": listing}
    headers = _limits()
    if shape.versioned:
        headers = {"ETag": {"$ref": "#/components/headers/ETag"}, **headers}
    if operation.repeatable:
        replayed = {"$ref": f"#/components/headers/{REPLAYED}"}
        headers = {REPLAYED: replayed, **headers}
    return {
        "description": {200: "Done.", 201: "Created."}[operation.status],
        "headers": headers,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _refusal(status: int) -> dict[str, Any]:
    words = OF_STATUS[status]
    codes = [each.code for each in ERRORS if each.status == status]
    headers = _limits()
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    if status == 405:
        headers["Allow"] = {"schema": {"type": "string"}}
    if status == 429:
        headers["Retry-After"] = {
            "description": "Seconds to wait before trying again.",
            "schema": {"type": "integer", "minimum": 1},
        }
    example = {
        "code": words.code,
        "message": words.example,
        "more_info": f"{schemas.EXAMPLE_HOST}/docs/errors/{words.code}",
        "status": status,
    }
    return {
        "description": f"{words.title} ({', '.join(map(str, codes))}).",
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": example,
            }
        },
    }


def _limits() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _headers() if name[0] == "X"}


def _headers() -> dict[str, Any]:
    limited = "Only if the operator has set a limit: "
    words = {
        "ETag": "The version, quoted; of a list, a digest of the versions on the page.",
        REPLAYED: "`true` if this is the stored answer to an earlier request with the"
        " same idempotency key.",
        "X-Rate-Limit-Limit": limited + "the number of requests an account may send in a window.",
        "X-Rate-Limit-Remaining": limited + "the number of requests left in this window.",
        "X-Rate-Limit-Config": limited + "the limit as configured.",
    }
    return {
        name: {"description": said, "schema": {"type": "string"}} for name, said in words.items()
    }


def _page() -> Schema:
    url = f"{schemas.EXAMPLE_HOST}/v1/Workspaces?PageSize=50&Page=0"
    address = functools.partial(schemas.text, format="uri")
    return schemas.mapping(
        {
            "key": schemas.text("The property that contains the list.", "workspaces"),
            "page": schemas.whole("The page's number.", 0),
            "page_size": schemas.whole(
                "The maximum number of items on a page.", 50, least=1, most=1000
            ),
            "first_page_url": address("The first page.", url),
            "previous_page_url": address("The previous page; null on the first.", None, null=True),
            "url": address("This page.", url),
            "next_page_url": address("The next page; null on the last.", None, null=True),
        },
        "The position of this page in the list, and links to its neighbours.",
    )


def _error() -> Schema:
    details = {"type": "object", "description": "Machine-readable details, if any."}
    found = schemas.mapping(
        {
            "code": {"type": "integer", "enum": [words.code for words in ERRORS]},
            "message": {"type": "string", "minLength": 1},
            "more_info": {"type": "string"},
            "status": {"type": "integer", "enum": sorted(OF_STATUS)},
            "details": details,
        },
        "What is wrong and what would be right.",
        optional=frozenset({"details"}),
    )
    return {**found, "additionalProperties": False}
