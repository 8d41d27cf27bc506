"""Find the workspaces that a user may supervise. No other code gives access to the cockpit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from routing import models
from routing.actors import Actor
from routing.web_sessions import AnyUser, get_user

P = ParamSpec("P")

MOST_CHOICES: Final = 50
"""The number of workspaces in the menu; an operator may see more of them."""


class NotSupervisor(Exception):
    """This login may not supervise anything."""


class UnknownWorkspace(Exception):
    """This login may not supervise the workspace, or it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """A user in the cockpit of one workspace, with the client's address for the record."""

    user: User
    workspace: models.Workspace
    ip_address: str | None = None

    @property
    def actor(self) -> Actor:
        """Return the actor that events name."""
        name = self.user.get_username()[:64]
        return Actor(type="user", sid=name, source="supervisor", ip_address=self.ip_address)

    @property
    def may_configure(self) -> bool:
        """Return whether the pages of the admin are open to this user."""
        return self.user.is_staff or self.user.is_superuser


def list_workspaces(user: AnyUser) -> list[models.Workspace]:
    """Return the first workspaces that a user may supervise, by name."""
    if not isinstance(user, User) or not user.is_active:
        return []
    return list(_visible(user).order_by("friendly_name", "pk")[:MOST_CHOICES])


def find_supervisor(
    user: AnyUser, workspace_sid: str | None = None, *, ip_address: str | None = None
) -> Supervisor:
    """Return the user as supervisor of a workspace, or of their first one.

    Raises `NotSupervisor`, and `UnknownWorkspace` for users who may supervise others.
    """
    if not isinstance(user, User) or not user.is_active:
        raise NotSupervisor
    rows = _visible(user)
    if workspace_sid:
        found = rows.filter(sid=workspace_sid).first()
    else:
        found = rows.order_by("friendly_name", "pk").first()
    if found is not None:
        return Supervisor(user=user, workspace=found, ip_address=ip_address)
    if user.is_superuser or (workspace_sid and rows.exists()):
        raise UnknownWorkspace
    raise NotSupervisor


def _visible(user: User) -> QuerySet[models.Workspace]:
    rows = models.Workspace.objects.all()
    return rows if user.is_superuser else rows.filter(memberships__user=user.pk)


def supervisors_only(
    view: Callable[Concatenate[HttpRequest, Supervisor, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Pass the supervisor to a view; others get the login page, or a page that explains why not.

    Scripts, which fetch a part of the page, get 401 instead of the login page. A workspace that
    the user may not see is not found.
    """

    @never_cache
    @functools.wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = get_user(request)
        if not user.is_authenticated:
            if is_script(request):
                text = _("Please log in again.")
                return HttpResponse(text, status=401, content_type="text/plain; charset=utf-8")
            own = request.method == "GET"
            return redirect_to_login(request.get_full_path() if own else reverse("supervisors:now"))
        try:
            supervisor = find_supervisor(
                user, request.GET.get("workspace"), ip_address=request.META.get("REMOTE_ADDR")
            )
        except UnknownWorkspace:
            if request.GET.get("workspace"):
                raise Http404 from None
            return render(request, "supervisors/no_workspace.html", status=404)
        except NotSupervisor:
            return render(request, "supervisors/refused.html", status=403)
        return view(request, supervisor, *args, **kwargs)

    return checked


def is_script(request: HttpRequest) -> bool:
    """Return whether the cockpit's own script sent the request, and not a page navigation."""
    return request.headers.get("X-Requested-With") == "cockpit"
