"""Build the form of an event's callback: the event's data under TaskRouter's names."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.core.clock import microseconds

_INTERNAL: Final = frozenset({"holder_sids"})
"""Event data for our own sockets only."""


def build_event_form(event: models.Event, *, account_sid: str) -> dict[str, str]:
    """Return the form for an event (behaviour.md §9.2): texts, none of them empty.

    Missing values are omitted, as some receivers drop empty ones before they verify the signature.
    """
    moment = microseconds(event.event_date)
    form = {
        "Sid": event.sid,
        "EventType": event.event_type,
        "EventDescription": event.description,
        "AccountSid": account_sid,
        "ResourceType": event.resource_type,
        "ResourceSid": event.resource_sid,
        "Timestamp": str(moment // 1_000_000),
        "TimestampMs": str(moment // 1_000),
    }
    data = event.event_data.items()
    form |= {to_pascal_case(name): value for name, value in data if name not in _INTERNAL}
    return {name: value for name, value in form.items() if value}


def to_pascal_case(name: str) -> str:
    """Return a snake_case name in the spelling of forms."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))
