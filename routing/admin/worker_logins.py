"""The page on which a supervisor resets an agent's password, or deactivates the login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from routing import models
from routing.actions import logins
from routing.actions.support.errors import InvalidInput
from routing.admin import access
from routing.sdk import lease_renewal

if TYPE_CHECKING:
    from routing.admin.workers import WorkerAdmin


class PasswordForm(forms.Form):
    """Form for a new password."""

    password = forms.CharField(
        strip=False,
        label="New password",
        help_text="Tell it to them; it is not shown again. They can choose their own afterwards.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def login_view(admin: WorkerAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Set a new password for a worker's login, or activate or deactivate it."""
    worker: Any = admin.get_object(request, object_id)
    if worker is None or worker.user is None:
        raise Http404("There is no such login here.")
    if not access.may_reset_login(request.user, worker.user):
        raise PermissionDenied("Only operators may change this login: it has further rights.")
    form = PasswordForm(request.POST if request.POST.get("do") == "password" else None)
    if request.method == "POST" and _change(request, worker, form):
        lease_renewal.recheck_desks(worker.user.workers.values_list("sid", flat=True))
        return HttpResponseRedirect(admin.url("change", worker.pk))
    context = admin.page(
        request,
        title=f"Login of {worker}: {worker.user.get_username()}",
        original=worker,
        login=worker.user,
        form=form,
    )
    return TemplateResponse(request, "admin/routing/worker_login.html", context)


def _change(request: HttpRequest, worker: models.Worker, form: PasswordForm) -> bool:
    """Do what the button says, and return whether it succeeded."""
    user = worker.user
    assert user is not None
    name = user.get_username()
    match request.POST.get("do"):
        case "password" if form.is_valid():
            try:
                logins.reset_password(user=user, password=form.cleaned_data["password"])
            except InvalidInput as refusal:
                form.add_error("password", refusal.message)
                return False
            messages.success(
                request, f"The login {name} has a new password, and is logged out everywhere."
            )
        case "deactivate":
            logins.set_active(user=user, active=False)
            messages.success(request, f"The login {name} is deactivated and logged out.")
        case "activate":
            logins.set_active(user=user, active=True)
            messages.success(request, f"The login {name} can log in again.")
        case _:
            return False
    return True
