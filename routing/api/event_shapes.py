"""The JSON schema of an event, property by property."""

from __future__ import annotations

from typing import Final

from routing.core.event_catalog import EventType
from routing.core.vocabulary import ResourceType
from routing.fields.schemas import counts, date, sid, text, url, whole, word
from routing.fields.shapes import Shape

EVENT: Final = Shape(
    "Event",
    {
        "sid": sid("Its sid.", "EV"),
        "account_sid": sid("The account that it belongs to.", "AC"),
        "workspace_sid": sid("The workspace of the event.", "WS"),
        "event_type": word("What happened.", EventType, "task.created"),
        "event_date": date("When it happened."),
        "event_date_ms": whole("The same time in milliseconds since 1970.", 1_772_443_800_123),
        "description": text("A sentence that describes the event.", "Task created"),
        "event_data": counts(
            {"type": ["string", "null"]},
            "The details, under names that depend on the event type; all values are text.",
            {"task_channel_unique_name": "chat", "task_priority": "0", "workspace_name": "Support"},
        ),
        "actor_type": text("The kind of actor that caused it; `system` is the router.", "account"),
        "actor_sid": text("The actor: a sid, or the name of an operator.", None, null=True),
        "actor_url": url("The URL of the actor, if it has one.", None, null=True),
        "resource_type": word("The kind of resource it concerns.", ResourceType, "task"),
        "resource_sid": text("The sid of that resource.", "WT" + "0" * 32),
        "resource_url": url(
            "The URL of that resource; it ends when the resource is deleted.", "/Tasks/{WT}"
        ),
        "source": text("The interface it came through.", "api"),
        "source_ip_address": text("The client's IP address.", None, null=True),
        "url": url("The URL of this event.", "/Events/{EV}"),
    },
    "A record of one change. Events outlive the resources they concern.",
)
