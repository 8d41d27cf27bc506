"""Answer failed REST requests; `EXCEPTION_HANDLER` of the REST framework."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.views import APIView

from routing.api.parsers import base_media_type
from routing.operations.error_answers import answer_error
from routing.operations.errors import ApiError

WWW_AUTHENTICATE: Final = 'Basic realm="Cordboard", charset="UTF-8"'


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Return the response to a failed request."""
    view, request = context["view"], context["request"]
    if isinstance(error, exceptions.APIException):
        error = _describe(error, view, request)
    return answer_error(request, error, conditional=bool(request.META.get("HTTP_IF_MATCH")))


def _describe(error: exceptions.APIException, view: APIView, request: HttpRequest) -> ApiError:
    """Return the client's view of an exception that the REST framework raised."""
    match error:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return ApiError(
                "Authenticate with HTTP basic: an account sid and its auth token, or the sid of an"
                " API key and its secret",
                status=401,
                code=20003,
                headers={"WWW-Authenticate": WWW_AUTHENTICATE},
            )
        case exceptions.MethodNotAllowed():
            allowed = ", ".join(view.allowed_methods)
            return ApiError(
                f"{request.method} is not possible on {request.path}; possible are {allowed}",
                status=405,
                code=20004,
                headers={"Allow": allowed},
            )
        case exceptions.UnsupportedMediaType():
            return _describe_media_type(view, request)
    status = error.status_code
    return ApiError(str(error.detail), status=status, code=20000 + status)


def _describe_media_type(view: APIView, request: HttpRequest) -> ApiError:
    *others, form = [parser.media_type for parser in view.parser_classes]
    given = base_media_type(request.content_type)[:100] or "nothing"
    return ApiError(
        f"Content-Type is {given!r}; send the parameters as a form, with Content-Type {form}"
        + "".join(f", or a body with Content-Type {other}" for other in others),
        status=415,
        code=20415,
    )
