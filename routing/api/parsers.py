"""Read form bodies and query strings strictly: empty values are kept, malformed ones refused.

Django's reader silently replaces malformed UTF-8, and the framework's drops empty values.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest

from routing.api.errors import ApiError

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 1_000
_ESCAPED_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")

Form = dict[str, list[str]]
"""Every value under each name, in order; names are case-sensitive."""


def read_body(request: HttpRequest, *, or_else: str = "") -> Form:
    """Return a request's form body; an empty body gives an empty form, whatever its type.

    Arguments:
        or_else: another accepted content type, named in the error.
    """
    raw = _whole(request)
    if not raw:
        return {}
    if request.content_type != FORM_TYPE:
        given = (request.content_type or "")[:100] or "nothing"
        raise ApiError(
            f"Content-Type is {given!r}; send the parameters as a form, with Content-Type"
            f" {FORM_TYPE}" + (f", or a body with Content-Type {or_else}" if or_else else ""),
            status=415,
            code=20415,
        )
    try:
        return _read(raw.decode())
    except UnicodeDecodeError as error:
        raise ApiError(
            f"The request's body is not UTF-8 at byte {error.start} of it or of a value"
        ) from None


def read_json(request: HttpRequest) -> Any:
    """Return a request's JSON body; duplicate keys are refused, as readers differ about them."""
    return parse_json(_whole(request), object_pairs_hook=_once)


def parse_json(body: bytes, **options: Any) -> Any:
    """Return the value of a JSON document in UTF-8; raises `ApiError`.

    A lone surrogate is refused too: JSON can name it, but no database can store it.

    Arguments:
        options: for `json.loads`.
    """
    try:
        text = body.decode("utf-8-sig")
        said = json.loads(text, **options)
        if _ESCAPED_HALF.search(text):
            json.dumps(said, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ApiError(f"The request's body is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise ApiError(
            "The request's body contains a lone surrogate; send whole characters"
        ) from None
    except RecursionError:
        raise ApiError("The request's body is JSON nested too deeply") from None
    except ValueError as error:
        raise ApiError(f"The request's body is not JSON: {str(error)[:200]}") from None
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of these pairs; raises `ApiError` if a key is repeated."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ApiError(
                f"The request's body has the key {key[:60]!r} twice; each may stand once in its"
                " object"
            )
        found[key] = value
    return found


def _whole(request: HttpRequest) -> bytes:
    """Return a request's body; raises `ApiError` if it is too large."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = request.META.get("CONTENT_LENGTH") or "0"
    # Read one byte more than allowed, as a chunked body announces no length.
    if (announced.isdecimal() and int(announced[:18]) > limit) or len(
        raw := request.read(limit + 1)
    ) > limit:
        raise ApiError(
            f"The request's body is too large; at most {limit} bytes are allowed",
            status=413,
            code=20413,
        )
    return raw


def read_query(request: HttpRequest) -> Form:
    """Return a request's query string as a form."""
    try:
        return _read(request.META.get("QUERY_STRING", ""))
    except UnicodeDecodeError:
        raise ApiError("The query string is not UTF-8 after decoding its escapes") from None


def _read(text: str) -> Form:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise
    except ValueError:
        raise ApiError(
            f"The request has too many fields; at most {MAX_FIELDS} are allowed"
        ) from None
    form: Form = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
