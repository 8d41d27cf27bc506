"""Activities: create, rename, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest

from routing import models
from routing.actions import activities
from routing.admin.base import action_context
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import ScopedAdmin


@admin.register(models.Activity)
class ActivityAdmin(ScopedAdmin):
    """Admin of activities."""

    list_display = ("friendly_name", "available", "workers_in_it", "workspace")
    list_filter = (WorkspaceFilter, "available")
    list_select_related = ("workspace",)
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("workspace__friendly_name", "-available", "friendly_name", "pk")
    fieldsets = (
        (None, {"fields": ("workspace", "friendly_name", "available")}),
        (
            "For programs",
            {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count the workers in each activity in the same query."""
        return super().get_queryset(request).annotate(people=Count("workers"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; a new activity has no sid and dates yet."""
        return self.fieldsets if obj else self.fieldsets[:1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make `available` read-only once the activity exists."""
        fixed = ("workspace", "sid", "date_created", "date_updated")
        return (*fixed, "available") if obj else fixed

    @admin.display(description="workers in it", ordering="people")
    def workers_in_it(self, activity: Any) -> int:
        """Return the number of workers in this activity."""
        return int(activity.people)

    def create_row(self, request: HttpRequest, form: Any) -> models.Activity:
        """Create the activity."""
        return activities.create_activity(
            workspace=form.workspace, **form.given, **action_context(request)
        )

    def update_row(self, request: HttpRequest, row: models.Activity, form: Any) -> None:
        """Rename the activity."""
        activities.rename_activity(activity=row, **form.changes, **action_context(request))

    def delete_row(self, request: HttpRequest, row: models.Activity) -> None:
        """Delete the activity, unless it is in use."""
        activities.delete_activity(activity=row, **action_context(request))
