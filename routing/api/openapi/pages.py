"""Views for the API's documentation: OpenAPI document, reference page and error pages."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import escape
from django.views.decorators.http import require_safe

from routing.api.error_catalog import BY_CODE, ERRORS
from routing.api.openapi import reference
from routing.api.openapi.description import document

JSON: Final = "application/json"
YAML: Final = "application/yaml"
_BASE: Final = "{base}"
"""Placeholder in the page for the server's URL, which depends on the request."""
_FORMATS: Final = {"json": JSON, "yaml": YAML}


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document: JSON, or YAML by `?format=yaml` or by the Accept header."""
    asked = request.GET.get("format")
    kind = _FORMATS.get(asked or "", JSON)
    if asked is None and request.get_preferred_type([JSON, YAML]) == YAML:
        kind = YAML
    response = HttpResponse(_written(kind), content_type=f"{kind}; charset=utf-8")
    # The document is public, and browser tools fetch it from other origins.
    response["Access-Control-Allow-Origin"] = "*"
    response["Vary"] = "Accept"
    return response


@functools.lru_cache(maxsize=2)
def _written(kind: str) -> str:
    if kind == YAML:
        return "\n".join(_yaml(document())) + "\n"
    return json.dumps(document(), indent=2, ensure_ascii=False)


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Yield the lines of a YAML document; scalars and keys are written as JSON, which is YAML."""
    pairs: list[tuple[str, Any]]
    if isinstance(value, dict):
        pairs = [(f"{indent}{json.dumps(key)}:", found) for key, found in value.items()]
    else:
        pairs = [(f"{indent}-", found) for found in value]
    for head, found in pairs:
        if isinstance(found, dict | list) and found:
            yield head
            yield from _yaml(found, indent + "  ")
        else:
            yield f"{head} {json.dumps(found, ensure_ascii=False)}"


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show every operation with its parameters, its answer and a sample command."""
    base = request.build_absolute_uri("/").rstrip("/")
    return HttpResponse(_page().replace(_BASE, escape(base)))


@functools.lru_cache(maxsize=1)
def _page() -> str:
    context = {"sections": reference.sections(), "errors": ERRORS, "base": _BASE}
    return render_to_string("api/docs.html", context)


@require_safe
def error(request: HttpRequest, code: int) -> HttpResponse:
    """Explain one error code and how to fix it; `more_info` links here."""
    words = BY_CODE.get(code)
    if words is None:
        raise Http404
    context = {
        "error": words,
        "meaning": reference.marked(words.meaning),
        "repair": reference.marked(words.repair),
    }
    return render(request, "api/error.html", context)


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """List the error codes."""
    return render(request, "api/errors.html", {"errors": ERRORS})
