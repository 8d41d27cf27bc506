"""Access to the admin: operators see everything, supervisors their own workspaces."""

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
    """Return whether a user may see and change everything."""
    return bool(user.is_active and user.is_superuser)


def visible_workspaces(user: Anyone) -> QuerySet[models.Workspace]:
    """Return the workspaces that a user may configure, by name."""
    rows = models.Workspace.objects.order_by("friendly_name", "pk")
    if is_operator(user):
        return rows
    if not (user.is_active and user.is_staff):
        return rows.none()
    return rows.filter(memberships__user=user.pk)


def may_enter(user: Anyone) -> bool:
    """Return whether a user may see any page of the admin."""
    return is_operator(user) or bool(_supervised(user))


def may_supervise(user: Anyone, workspace_id: int | None) -> bool:
    """Return whether a user may configure this workspace."""
    return is_operator(user) or workspace_id in _supervised(user)


def _supervised(user: Anyone) -> frozenset[int]:
    """Return the ids of the user's workspaces, cached because a page needs them dozens of times.

    They are cached on the user object, which each request loads again.
    """
    kept: frozenset[int] | None = getattr(user, _KEPT, None)
    if kept is None:
        kept = frozenset(visible_workspaces(user).values_list("pk", flat=True))
        setattr(user, _KEPT, kept)
    return kept


def may_reset_login(user: Anyone, login: User) -> bool:
    """Return whether a user may set the password of a login, or deactivate it.

    Supervisors may do so for agents whose workers are all in their own workspaces. Logins with
    further rights are for operators, as a new password would let a supervisor act as them.
    """
    if is_operator(user):
        return True
    places = set(login.workers.values_list("workspace_id", flat=True))
    if not places or login.is_staff or login.is_superuser or login.memberships.exists():
        return False
    return places <= _supervised(user)


def chosen_workspace(request: HttpRequest) -> models.Workspace | None:
    """Return the workspace of a page: the one in the query, else in the filter, else the only one.

    None if it is ambiguous, or if the query names a workspace the user may not see.
    """
    filters = QueryDict(request.GET.get("_changelist_filters", ""))
    sid = request.GET.get("workspace") or filters.get("workspace")
    mine = visible_workspaces(request.user)
    if sid:
        return mine.filter(sid=sid).first()
    first, *more = mine[:2] or [None]
    return None if more else first
