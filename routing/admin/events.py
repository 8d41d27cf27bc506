"""Events: everything that happened, and who did it, to look at."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing import models
from routing.admin.filters import EventTypeFilter, WorkspaceFilter
from routing.admin.scoped import HistoryAdmin


@admin.register(models.Event)
class EventAdmin(HistoryAdmin):
    """The record of a workspace; it outlives what it tells of."""

    workspace_sid_path = "workspace_sid"
    ordering = ("-event_date", "-pk")
    list_display = ("moment", "event_type", "description", "by", "resource_sid")
    list_filter = (WorkspaceFilter, EventTypeFilter)
    search_fields = ("sid__exact",)
    search_help_text = "An event's sid (EV…). The list goes back 2000 events."
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("moment", "event_type", "description", "resource_sid", "sid")}),
        ("By whom", {"fields": ("by", "source_ip_address")}),
        ("Data", {"fields": ("data",)}),
    )

    def workspace_of(self, obj: Any) -> models.Workspace | None:
        """Return the workspace, or None when it is gone and only operators may still look."""
        return models.Workspace.objects.filter(sid=obj.workspace_sid).first()

    @admin.display(description="when")
    def moment(self, event: models.Event) -> str:
        """Return the moment to the millisecond."""
        return event.event_date.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    @admin.display(description="by")
    def by(self, event: models.Event) -> str:
        """Return who did it, and by which door."""
        return " ".join(filter(None, (event.actor_type, event.actor_sid, f"({event.source})")))

    @admin.display(description="data")
    def data(self, event: models.Event) -> SafeString:
        """Return what the event carries, laid out."""
        text = json.dumps(event.event_data, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)
