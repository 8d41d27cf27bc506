"""Parse forms and JSON strictly: empty values are kept, malformed ones refused.

Django's reader silently replaces malformed UTF-8, and the framework's drops empty values.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from routing.operations.errors import ApiError

MAX_FIELDS: Final = 1_000
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")

Form = dict[str, list[str]]
"""Every value under each name, in order; names are case-sensitive."""


def parse_form(body: bytes) -> Form:
    """Return the fields of a form body. Raises `ApiError`."""
    try:
        return _parse_pairs(body.decode())
    except UnicodeDecodeError as error:
        raise ApiError(
            f"The request's body is not UTF-8 at byte {error.start} of it or of a value"
        ) from None


def parse_query(query: str) -> Form:
    """Return the fields of a query string. Raises `ApiError`."""
    try:
        return _parse_pairs(query)
    except UnicodeDecodeError:
        raise ApiError("The query string is not UTF-8 after decoding its escapes") from None


def parse_json(body: bytes, *, unique_keys: bool = False) -> Any:
    """Return the value of a JSON document in UTF-8; raises `ApiError`.

    A lone surrogate is refused too: JSON can name it, but no database can store it.

    Arguments:
        unique_keys: whether duplicate keys are refused, as readers differ about them.
    """
    try:
        text = body.decode("utf-8-sig")
        said = json.loads(text, object_pairs_hook=_refuse_duplicate_keys if unique_keys else None)
        if _ESCAPED_SURROGATE.search(text):
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


def _refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
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


def _parse_pairs(text: str) -> Form:
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
