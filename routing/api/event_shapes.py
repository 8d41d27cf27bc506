"""Say what an event looks like in an answer, property by property."""

from __future__ import annotations

from typing import Final

from routing.api.schemas import Shape, counts, date, sid, text, url, whole, word
from routing.core.vocabulary import EventType, ResourceType

EVENT: Final = Shape(
    "Event",
    {
        "sid": sid("Its sid.", "EV"),
        "account_sid": sid("The account that it belongs to.", "AC"),
        "workspace_sid": sid("The workspace in which it happened.", "WS"),
        "event_type": word("What happened.", EventType, "task.created"),
        "event_date": date("When it happened."),
        "event_date_ms": whole("The same in milliseconds since 1970.", 1_772_443_800_123),
        "description": text("What happened, in a sentence.", "Task created"),
        "event_data": counts(
            {"type": ["string", "null"]},
            "What there is to know of it, by names that the event's type decides; all of it text.",
            {"task_channel_unique_name": "chat", "task_priority": "0", "workspace_name": "Support"},
        ),
        "actor_type": text("What kind of thing caused it; `system` is the router.", "account"),
        "actor_sid": text("Who that was: a sid, or the name of an operator.", None, null=True),
        "actor_url": url("Where they are found, if they are.", None, null=True),
        "resource_type": word("What kind of thing it happened to.", ResourceType, "task"),
        "resource_sid": text("To which it happened.", "WT" + "0" * 32),
        "resource_url": url("Where that is found, for as long as it is kept.", "/Tasks/{WT}"),
        "source": text("By which door it came.", "api"),
        "source_ip_address": text("From which address.", None, null=True),
        "url": url("Where it is found.", "/Events/{EV}"),
    },
    "Something that happened. Events outlive what they are about.",
)
