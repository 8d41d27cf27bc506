"""Responses of the API: JSON, rendered once it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse
from rest_framework.utils.encoders import JSONEncoder

_ENCODER: Final = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class ApiResponse(HttpResponse):
    """A JSON response; without data it has no body and no type.

    Arguments:
        data: the body.
    """

    def __init__(
        self, data: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        body = b"" if data is None else _encode(data)
        super().__init__(body, status=status, headers=headers, content_type="application/json")
        if data is None:
            del self.headers["Content-Type"]


def _encode(data: Any) -> bytes:
    """Return data as JSON. Two separators of lines are escaped, as not all readers allow them."""
    text = _ENCODER.encode(data)
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.encode()
