"""Allow pages of other origins to call the API, if the operator lists them; default: none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

API: Final = "/v1/"
ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, If-Match, apiVersion, clientVersion, Idempotency-Key,"
    " I-Twilio-Idempotency-Token"
)
EXPOSED_HEADERS: Final = (
    "ETag, Idempotent-Replayed, Retry-After, X-Rate-Limit-Limit, X-Rate-Limit-Remaining,"
    " X-Rate-Limit-Config, Twilio-Request-Id, X-Request-Id"
)
REMEMBERED: Final = "600"
"""Seconds for which a browser may cache a preflight."""


def answer_cors(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Add CORS headers to the API's answers, including errors and preflights."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path.startswith(API) and settings.CORS_ORIGINS:
            _add_headers(request, response)
        return response

    return middleware


def _add_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    origin = request.headers.get("Origin")
    if "*" not in settings.CORS_ORIGINS:
        # Caches must not reuse an answer for another origin.
        patch_vary_headers(response, ["Origin"])
    if origin is None:
        return
    if "*" in settings.CORS_ORIGINS:
        response["Access-Control-Allow-Origin"] = "*"
    elif origin in settings.CORS_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
    else:
        return
    response["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response["Access-Control-Max-Age"] = REMEMBERED
