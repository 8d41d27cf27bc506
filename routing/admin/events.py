"""Events: everything that happened, and who did it, to look at."""

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
from routing.admin.moments import short_age
from routing.admin.scoped import HistoryAdmin


@admin.register(models.Event)
class EventAdmin(HistoryAdmin):
    """The record of a workspace; it outlives what it tells of."""

    workspace_sid_path = "workspace_sid"
    ordering = ("-event_date", "-pk")
    list_display = ("moment", "age", "event_type", "about", "by")
    list_filter = (WorkspaceFilter, EventTypeFilter)
    search_help_text = (
        "Words of what an event carries, such as the subject, the customer or the worker's name, or"
        " the sid of an event or of what it is about."
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
        """Read with an event who acted."""
        return with_actors(super().get_queryset(request))

    def title_of(self, row: Any) -> str:
        """Return what happened, and to what."""
        return f"{row.event_type}: {name_of(row)}"

    def workspace_of(self, obj: Any) -> models.Workspace | None:
        """Return the workspace, or None when it is gone and only operators may still look."""
        return models.Workspace.objects.filter(sid=obj.workspace_sid).first()

    def sid_value(self, prefix: str, sid: str) -> Any:
        """Return a task's key, by which its events are found; other sids as they are."""
        return sids.key(sid) if prefix == "WT" else sid

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return the texts that an event carries; attributes are read as what they stand for."""
        for pk, data, actor, description in rows:
            texts = [actor or "", description]
            for name, value in data.items():
                is_object = name.endswith("attributes")
                texts += searching.attribute_texts(value) if is_object else subjects.values(value)
            yield pk, texts

    @admin.display(description="when")
    def moment(self, event: models.Event) -> str:
        """Return the moment to the millisecond."""
        return timezone.localtime(event.event_date).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    @admin.display(description="age")
    def age(self, event: models.Event) -> SafeString:
        """Return how long ago it happened."""
        return short_age(event.event_date)

    @admin.display(description="about")
    def about(self, event: models.Event) -> str:
        """Return what it is about, by its name or subject."""
        return name_of(event)

    @admin.display(description="by")
    def by(self, event: models.Event) -> str:
        """Return who did it, and by which door."""
        return actor_of(event)

    @admin.display(description="data")
    def data(self, event: models.Event) -> SafeString:
        """Return what the event carries, laid out."""
        text = json.dumps(event.event_data, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)


def name_of(event: models.Event) -> str:
    """Return the name or the subject of what an event is about, else its sid."""
    data = event.event_data
    if attributes := data.get("task_attributes"):
        subject = subjects.subject(attributes)
        worker = data.get("worker_name")
        return " → ".join(filter(None, (subject, worker))) or event.resource_sid
    kind = event.event_type.partition(".")[0].replace("-", "_")
    return data.get(f"{kind}_name") or data.get("workspace_name") or event.resource_sid


def with_actors(rows: QuerySet[models.Event]) -> QuerySet[models.Event]:
    """Read with events the present names of the accounts, API keys and workers who acted."""
    named = (models.Account, models.ApiKey, models.Worker)
    found = [
        Subquery(table.objects.filter(sid=OuterRef("actor_sid")).values("friendly_name")[:1])
        for table in named
    ]
    return rows.annotate(actor_name=Coalesce(*found))


def actor_of(event: models.Event) -> str:
    """Return who did something, by name where that is known, and by which door."""
    name = getattr(event, "actor_name", None) or event.actor_sid
    if event.actor_sid and event.actor_sid == event.event_data.get("worker_sid"):
        name = event.event_data.get("worker_name") or name
    kind = "API key" if event.actor_type == "api-key" else event.actor_type
    return " ".join(filter(None, (kind, name, f"({event.source})")))
