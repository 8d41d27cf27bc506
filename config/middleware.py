"""Middleware that no library provides."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from routing import languages
from routing.db.errors import AWAY

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        # Includes the websocket: browsers match 'self' with ws(s) of the same host.
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def add_permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Add a header that denies all pages the use of devices."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def add_content_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Add a header that allows pages only what this server sends, and no script or style in them.

    Django's own pages of errors, which only `DEBUG` shows, need more.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not settings.DEBUG or response.status_code not in (404, 500):
            response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return response

    return middleware


ENGLISH = ("/v1/", "/api/", "/docs/", "/admin/")
"""The paths of what is in English, as are CSV files: programs match on its texts."""


def activate_language(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer in the language of the user, or else of the browser."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(ENGLISH) or request.path_info.endswith(".csv"):
            return get_response(request)
        accepted = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
        language = languages.choose_language(_find_user(request), accepted)
        with translation.override(language):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response

    return middleware


def _find_user(request: HttpRequest) -> object:
    """Return the logged-in user; None if the database is away, which the view reports."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    try:
        return request.user if request.user.is_authenticated else None
    except AWAY:
        return None
