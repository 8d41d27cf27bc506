"""What belongs to no app: the way in, and what is said when there is no way."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from routing.api import errors

API = "/v1/"


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send each user to where their work is."""
    if not request.user.is_authenticated:
        return redirect("login")
    return redirect("admin:index" if request.user.is_staff else "agents:desk")


def locked_out(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: object = None
) -> HttpResponse:
    """Answer a login that has failed too often, right or wrong as it may be this time."""
    return render(request, "registration/locked.html", status=429)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what was refused before any view, in the words of whoever reads it."""
    if request.path.startswith(API):
        return errors.bad_request(request, exception)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that there is not, in the words of whoever reads it."""
    if request.path.startswith(API):
        return errors.not_found(request, exception)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what broke, which has been logged, in the words of whoever reads it."""
    if request.path.startswith(API):
        return errors.server_error(request)
    return defaults.server_error(request)
