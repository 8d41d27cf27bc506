"""Read form bodies and query strings to the letter: what is empty stays, what is broken is refused.

Neither Django's reader nor the framework's does: the one replaces broken UTF-8 silently, the other
drops empty values.
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
"""Every value given under each name, in the order given; names are case-sensitive."""


def read_body(request: HttpRequest, *, or_else: str = "") -> Form:
    """Return what a request's form body says; an empty body says nothing, whatever its type.

    Arguments:
        or_else: a further content type, to be named where another one came.
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
    """Return what a request's JSON body says, unless two readers could read it differently."""
    return parse_json(_whole(request), object_pairs_hook=_once)


def parse_json(body: bytes, **options: Any) -> Any:
    """Return what JSON in UTF-8 says; raises `ApiError`.

    Refused is also half of a surrogate pair, which JSON can name and no database can store.

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
            "The request's body contains half of a surrogate pair, which is no character"
        ) from None
    except RecursionError:
        raise ApiError("The request's body is JSON nested too deeply") from None
    except ValueError as error:
        raise ApiError(f"The request's body is not JSON: {str(error)[:200]}") from None
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; raises `ApiError` where a key comes again."""
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
    """Return a request's body, unless it is too large."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = request.META.get("CONTENT_LENGTH") or "0"
    # Read a byte further than allowed: a chunked body announces no length.
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
    """Return what a request's query string says."""
    try:
        return _read(request.META.get("QUERY_STRING", ""))
    except UnicodeDecodeError:
        raise ApiError("The query string is not UTF-8 once its escapes are read") from None


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
