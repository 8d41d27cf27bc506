"""Events: everything that happened and who did it, read-only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing import models, sids, subjects
from routing.admin import searching
from routing.admin.filters import EventTypeFilter, WorkspaceFilter
from routing.admin.scoped import HistoryAdmin
from routing.admin.times import format_short_age


@admin.register(models.Event)
class EventAdmin(HistoryAdmin):
    """The events of a workspace; they outlive the rows that they concern."""

    workspace_sid_path = "workspace_sid"
    ordering = ("-event_date", "-pk")
    list_display = ("moment", "age", "event_type", "about", "by")
    list_filter = (WorkspaceFilter, EventTypeFilter)
    search_help_text = (
        "Words in an event's data, such as the subject, the customer or the worker's name, or"
        " the sid of an event or of its resource."
    )
    sid_lookups: ClassVar[Mapping[str, str]] = {
        "EV": "sid",
        "WT": "task_key",
        **dict.fromkeys(("WR", "WK", "WQ", "WW", "WA", "TC", "WC", "WS"), "resource_sid"),
    }
    searched_columns = ("event_data", "actor_sid", "description")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("moment", "event_type", "about", "description", "resource_sid", "sid")}),
        ("By whom", {"fields": ("by", "source_ip_address")}),
        ("Data", {"fields": ("data",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Event]:
        """Load each event with the name of its actor."""
        return attach_actors(super().get_queryset(request))

    def title_of(self, row: Any) -> str:
        """Return the event type and the name of its resource."""
        return f"{row.event_type}: {resource_name(row)}"

    def workspace_of(self, obj: Any) -> models.Workspace | None:
        """Return the workspace; None if it was deleted, which only operators may view."""
        return models.Workspace.objects.filter(sid=obj.workspace_sid).first()

    def sid_value(self, prefix: str, sid: str) -> Any:
        """Return a task's key, which its events are indexed by; other sids unchanged."""
        return sids.index_key(sid) if prefix == "WT" else sid

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return the searchable texts of events; of attributes, the values."""
        for pk, data, actor, description in rows:
            texts = [actor or "", description]
            for name, value in data.items():
                is_object = name.endswith("attributes")
                texts += (
                    searching.attribute_texts(value) if is_object else subjects.list_texts(value)
                )
            yield pk, texts

    @admin.display(description="when")
    def moment(self, event: models.Event) -> str:
        """Return the time to the millisecond."""
        return timezone.localtime(event.event_date).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    @admin.display(description="age")
    def age(self, event: models.Event) -> SafeString:
        """Return the event's age."""
        return format_short_age(event.event_date)

    @admin.display(description="about")
    def about(self, event: models.Event) -> str:
        """Return the name or subject of the event's resource."""
        return resource_name(event)

    @admin.display(description="by")
    def by(self, event: models.Event) -> str:
        """Return the actor and the interface that they used."""
        return actor_name(event)

    @admin.display(description="data")
    def data(self, event: models.Event) -> SafeString:
        """Return the event data as formatted JSON."""
        text = json.dumps(event.event_data, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)


def resource_name(event: models.Event) -> str:
    """Return the name or subject of an event's resource, else its sid."""
    data = event.event_data
    if attributes := data.get("task_attributes"):
        subject = subjects.describe_task(attributes)
        worker = data.get("worker_name")
        return " → ".join(filter(None, (subject, worker))) or event.resource_sid
    kind = event.event_type.partition(".")[0].replace("-", "_")
    return data.get(f"{kind}_name") or data.get("workspace_name") or event.resource_sid


def attach_actors(rows: QuerySet[models.Event]) -> QuerySet[models.Event]:
    """Annotate events with the current names of the accounts, API keys and workers who acted."""
    named = (models.Account, models.ApiKey, models.Worker)
    found = [
        Subquery(table.objects.filter(sid=OuterRef("actor_sid")).values("friendly_name")[:1])
        for table in named
    ]
    return rows.annotate(actor_name=Coalesce(*found))


def actor_name(event: models.Event) -> str:
    """Return the actor, by name if it is known, and the interface that they used."""
    name = getattr(event, "actor_name", None) or event.actor_sid
    if event.actor_sid and event.actor_sid == event.event_data.get("worker_sid"):
        name = event.event_data.get("worker_name") or name
    kind = "API key" if event.actor_type == "api-key" else event.actor_type
    return " ".join(filter(None, (kind, name, f"({event.source})")))
