"""Parsers of request bodies, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from routing.operations.errors import ApiError
from routing.operations.forms import Form, parse_form

FORM_TYPE: Final = "application/x-www-form-urlencoded"


class FormParser(BaseParser):
    """Parser of form bodies. An empty body gives an empty form, whatever its type."""

    media_type = FORM_TYPE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Form:
        """Return the fields of the body. Raises `ApiError` and `UnsupportedMediaType`."""
        body = read_limited(stream, parser_context)
        if body and base_media_type(media_type) != FORM_TYPE:
            raise UnsupportedMediaType(media_type or "")
        return parse_form(body)


def choose_parser(content_type: str | None, parsers: Sequence[type[BaseParser]]) -> BaseParser:
    """Return the parser for the body's type, or the last, which refuses other types.

    It does so after reading, as a body that is too large is reported first.
    """
    given = base_media_type(content_type)
    return next((parser for parser in parsers if parser.media_type == given), parsers[-1])()


def base_media_type(content_type: str | None) -> str:
    """Return a media type without its parameters, in lower case."""
    return str(parse_header_parameters(content_type or "")[0])


def read_limited(stream: IO[Any], parser_context: Mapping[str, Any] | None) -> bytes:
    """Return a request's body; raises `ApiError` if it is too large."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert parser_context is not None
    announced = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
    # Read one byte more than allowed, as a server may announce less than it passes on.
    if (announced.isdecimal() and int(announced[:18]) > limit) or len(
        body := stream.read(limit + 1)
    ) > limit:
        raise ApiError(
            f"The request's body is too large; at most {limit} bytes are allowed",
            status=413,
            code=20413,
        )
    return bytes(body)
