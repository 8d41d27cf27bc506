"""List filters that offer each user only the rows they may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from routing import models
from routing.admin import access
from routing.core.event_catalog import EventType

MOST_CHOICES = 200


class WorkspaceFilter(admin.SimpleListFilter):
    """Filter by workspace; hidden for users with only one."""

    title = "workspace"
    parameter_name = "workspace"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self._path: str = model_admin.workspace_sid_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the user's workspaces."""
        return [(each.sid, each.friendly_name) for each in access.visible_workspaces(request.user)]

    def has_output(self) -> bool:
        """Return whether there is more than one choice."""
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen workspace."""
        value = self.value()
        return queryset.filter(**{self._path: value}) if value else queryset


class RelatedFilter(admin.SimpleListFilter):
    """Filter by a related row of the user's workspaces."""

    related: type[Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the related rows of the chosen workspace, or of all the user's workspaces."""
        here = access.visible_workspaces(request.user)
        if sid := request.GET.get("workspace"):
            here = here.filter(sid=sid)
        rows = self.related.objects.filter(workspace__in=here).select_related("workspace")
        rows = rows.order_by("friendly_name", "pk")[:MOST_CHOICES]
        several = len({row.workspace_id for row in rows}) > 1
        return [
            (row.sid, f"{row.friendly_name} ({row.workspace})" if several else row.friendly_name)
            for row in rows
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows related to the chosen one."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(
            **{f"{self.parameter_name}__in": self.related.objects.filter(sid=value)}
        )


class ActivityFilter(RelatedFilter):
    """Filter workers by activity."""

    title = "activity"
    parameter_name = "activity"
    related = models.Activity


class TaskQueueFilter(RelatedFilter):
    """Filter tasks by queue."""

    title = "task queue"
    parameter_name = "task_queue"
    related = models.TaskQueue


class TaskChannelFilter(RelatedFilter):
    """Filter tasks by channel."""

    title = "task channel"
    parameter_name = "task_channel"
    related = models.TaskChannel


class EventTypeFilter(admin.SimpleListFilter):
    """Filter events by type."""

    title = "type"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return all event types, without a query."""
        return [(each.value, each.value) for each in EventType]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the events of the chosen type."""
        value = self.value()
        return queryset.filter(event_type=value) if value else queryset
