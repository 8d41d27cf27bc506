"""Who may see what in the admin: operators everything, supervisors their own workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from routing import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    Anyone = User | AnonymousUser


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
    return is_operator(user) or workspaces(user).exists()


def supervises(user: Anyone, workspace_id: int | None) -> bool:
    """Tell whether a user configures this workspace."""
    if is_operator(user):
        return True
    return workspace_id is not None and workspaces(user).filter(pk=workspace_id).exists()


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
