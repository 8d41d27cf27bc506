"""Outcome codes: how completed tasks ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from routing import models
from routing.actions import outcome_codes
from routing.admin.base import action_context
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import ScopedAdmin


@admin.register(models.OutcomeCode)
class OutcomeCodeAdmin(ScopedAdmin):
    """Admin of outcome codes."""

    list_display = ("friendly_name", "unique_name", "active", "position", "workspace")
    list_filter = (WorkspaceFilter, "active")
    list_select_related = ("workspace",)
    search_fields = ("friendly_name", "unique_name", "sid__exact")
    ordering = ("workspace__friendly_name", "position", "pk")
    goes_with = ("completed tasks keep its unique name",)
    fieldsets = (
        (
            None,
            {"fields": ("workspace", "friendly_name", "unique_name", "active", "position")},
        ),
        (
            "For programs",
            {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; a new code has no sid and dates yet."""
        return self.fieldsets if obj else self.fieldsets[:1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the unique name read-only once the code exists."""
        fixed = ("workspace", "sid", "date_created", "date_updated")
        return (*fixed, "unique_name") if obj else fixed

    def create_row(self, request: HttpRequest, form: Any) -> models.OutcomeCode:
        """Create the code."""
        return outcome_codes.create_outcome_code(
            workspace=form.workspace, **form.given, **action_context(request)
        )

    def update_row(self, request: HttpRequest, row: models.OutcomeCode, form: Any) -> None:
        """Change the code."""
        outcome_codes.update_outcome_code(code=row, **form.changes, **action_context(request))

    def delete_row(self, request: HttpRequest, row: models.OutcomeCode) -> None:
        """Delete the code."""
        outcome_codes.delete_outcome_code(code=row, **action_context(request))
