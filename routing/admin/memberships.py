"""Memberships, for operators: the supervisors of each workspace."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from routing import models
from routing.actions import memberships
from routing.admin.base import OperatorAdmin


@admin.register(models.Membership)
class MembershipAdmin(OperatorAdmin):
    """Add and remove supervisors."""

    list_display = ("user", "workspace")
    list_select_related = ("user", "workspace")
    search_fields = ("user__username", "workspace__friendly_name")
    ordering = ("user__username", "workspace__friendly_name", "pk")
    fieldsets = (
        (
            None,
            {
                "fields": ("user", "workspace"),
                "description": "A supervisor has the cockpit of the workspace, and sees no"
                " other. With staff status they also configure it here.",
            },
        ),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Use the same title as the index page."""
        return super().changelist_view(request, {"title": "Supervisors"} | (extra_context or {}))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse changes: a membership can only be removed and another one added."""
        return False

    def create_row(self, request: HttpRequest, form: Any) -> models.Membership:
        """Make the user a supervisor."""
        return memberships.add_membership(**form.given)

    def delete_row(self, request: HttpRequest, row: models.Membership) -> None:
        """Remove the membership."""
        memberships.remove_membership(membership=row)
