"""Views that belong to no app: the home page, passwords, and errors."""

from __future__ import annotations

import sys
from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from routing import request_ids
from routing.db.errors import AWAY
from routing.operations import error_answers
from routing.sdk import lease_renewal

API = "/v1/"
ADDRESSES = "/v1/, /api/docs, /healthz, /agent/, /supervisor/ and /admin/"


@never_cache
@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Redirect each user to their own page."""
    if not request.user.is_authenticated:
        return redirect("login")
    if request.user.is_staff:
        return redirect("admin:index")
    supervises = request.user.memberships.exists()
    return redirect("supervisors:now" if supervises else "agents:desk")


class LogOut(LogoutView):
    """Log out from a page other than the desk, and close the user's open desks at once."""

    def post(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """End the session."""
        user = request.user
        workers = list(user.workers.values_list("sid", flat=True)) if user.is_authenticated else []
        answer = super().post(request, *args, **options)
        lease_renewal.recheck_desks(workers)
        return answer


@method_decorator(never_cache, name="dispatch")
class ChangePassword(PasswordChangeView):
    """Change the password of the logged-in user; their other sessions end."""

    template_name = "registration/password.html"
    success_url = "/"

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Change the password, and make other open desks check their sessions at once."""
        answer = super().form_valid(form)
        messages.success(self.request, gettext("You have a new password."))
        lease_renewal.recheck_desks(form.user.workers.values_list("sid", flat=True))
        return answer


def refuse_locked_out(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: object = None
) -> HttpResponse:
    """Refuse a login after too many failures, whether or not it is right this time."""
    return render(request, "registration/locked.html", status=429)


def refuse_busy(path: str, *, by_client: bool) -> HttpResponse:
    """Refuse a request when too many are waiting, without any middleware.

    Arguments:
        by_client: whether the waiting requests are from the same client.
    """
    status = 429 if by_client else 503
    words = "Too many of your requests wait" if by_client else "Too many requests wait"
    message = f"{words} for an answer; try again in 1 second"
    headers = {"Retry-After": "1", "Cache-Control": "no-store"}
    if not path.startswith(API):
        return HttpResponse(message, "text/plain", status, headers=headers)
    code = 20000 + status
    body = {"code": code, "message": message, "more_info": f"/docs/errors/{code}", "status": status}
    return JsonResponse(body, status=status, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that was refused before any view: JSON below /v1/, HTML elsewhere."""
    if request.path.startswith(API):
        return error_answers.answer_bad_request(request, exception)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 handler: JSON below /v1/ and for programs, HTML with known URLs for browsers."""
    if request.path.startswith(API):
        return error_answers.answer_not_found(request, exception)
    if "text/html" in request.headers.get("Accept", ""):
        return defaults.page_not_found(request, exception)
    body = {
        "code": 20404,
        "message": f"This server has nothing at {request.path}; it answers at {ADDRESSES}",
        "more_info": "/docs/errors/20404",
        "status": 404,
    }
    return JsonResponse(body, status=404)


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """Refuse a request while the database is unreachable: JSON below /v1/, HTML elsewhere."""
    if request.path.startswith(API):
        return error_answers.answer_error(request, error)
    page = loader.render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": "1"})


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a failure that was logged: JSON below /v1/, HTML elsewhere.

    Django calls this while it handles the exception. An unreachable database gets a 503 instead.
    """
    error = sys.exception()
    if isinstance(error, AWAY):
        return unavailable(request, error)
    if request.path.startswith(API):
        return error_answers.answer_server_error(request)
    # Without context processors, as one of them may have failed.
    page = loader.render_to_string("500.html", {"request_id": request_ids.current_request_id()})
    return HttpResponseServerError(page)
