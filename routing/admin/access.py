"""Who may see what in the admin: operators everything, supervisors their own workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from routing import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    Anyone = User | AnonymousUser


_KEPT = "_supervised_workspaces"


def is_operator(user: Anyone) -> bool:
    """Tell whether a user may see and change everything."""
    return bool(user.is_active and user.is_superuser)


def workspaces(user: Anyone) -> QuerySet[models.Workspace]:
    """Return the workspaces that a user configures, by name."""
    rows = models.Workspace.objects.order_by("friendly_name", "pk")
    if is_operator(user):
        return rows
    if not (user.is_active and user.is_staff):
        return rows.none()
    return rows.filter(memberships__user=user.pk)


def may_enter(user: Anyone) -> bool:
    """Tell whether the admin has anything for a user."""
    return is_operator(user) or bool(_supervised(user))


def supervises(user: Anyone, workspace_id: int | None) -> bool:
    """Tell whether a user configures this workspace."""
    return is_operator(user) or workspace_id in _supervised(user)


def _supervised(user: Anyone) -> frozenset[int]:
    """Return the ids of the user's workspaces; a page asks for them dozens of times.

    They are kept with the user as read for this request, so the next request asks anew.
    """
    kept: frozenset[int] | None = getattr(user, _KEPT, None)
    if kept is None:
        kept = frozenset(workspaces(user).values_list("pk", flat=True))
        setattr(user, _KEPT, kept)
    return kept


def may_reset(user: Anyone, login: User) -> bool:
    """Return whether a user may set the password of a login, or deactivate it.

    Supervisors may for agents whose workers are all in their own workspaces. Logins
    with further rights are for operators: with a new password one could act as them.
    """
    if is_operator(user):
        return True
    places = set(login.workers.values_list("workspace_id", flat=True))
    if not places or login.is_staff or login.is_superuser or login.memberships.exists():
        return False
    return places <= _supervised(user)


def chosen_workspace(request: HttpRequest) -> models.Workspace | None:
    """Return the workspace a page is about: the one named, else the one filtered by, else the only.

    None when nothing says which of several; a name of somebody else's says nothing.
    """
    filters = QueryDict(request.GET.get("_changelist_filters", ""))
    sid = request.GET.get("workspace") or filters.get("workspace")
    mine = workspaces(request.user)
    if sid:
        return mine.filter(sid=sid).first()
    first, *more = mine[:2] or [None]
    return None if more else first
