"""Names of what the page Changes lists: events, fields, and where a change came from.

Files and REST keep the names of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing.core.event_catalog import EventType as E

EVENTS: Final[Mapping[str, Promise]] = {
    E.WORKSPACE_CREATED: _("Workspace created"),
    E.WORKSPACE_UPDATED: _("Workspace changed"),
    E.ACTIVITY_CREATED: _("Activity created"),
    E.ACTIVITY_UPDATED: _("Activity changed"),
    E.ACTIVITY_DELETED: _("Activity deleted"),
    E.TASK_CHANNEL_CREATED: _("Channel created"),
    E.TASK_CHANNEL_UPDATED: _("Channel changed"),
    E.TASK_CHANNEL_DELETED: _("Channel deleted"),
    E.OUTCOME_CODE_CREATED: _("Outcome created"),
    E.OUTCOME_CODE_UPDATED: _("Outcome changed"),
    E.OUTCOME_CODE_DELETED: _("Outcome deleted"),
    E.THRESHOLD_CREATED: _("Threshold created"),
    E.THRESHOLD_UPDATED: _("Threshold changed"),
    E.THRESHOLD_DELETED: _("Threshold deleted"),
    E.ALERT_ACKNOWLEDGED: _("Alert acknowledged"),
    E.TASK_QUEUE_CREATED: _("Queue created"),
    E.TASK_QUEUE_UPDATED: _("Queue changed"),
    E.TASK_QUEUE_EXPRESSION_UPDATED: _("Expression of a queue changed"),
    E.TASK_QUEUE_DELETED: _("Queue deleted"),
    E.WORKFLOW_CREATED: _("Workflow created"),
    E.WORKFLOW_UPDATED: _("Workflow changed"),
    E.WORKFLOW_DELETED: _("Workflow deleted"),
    E.WORKER_CREATED: _("Agent created"),
    E.WORKER_ATTRIBUTES_UPDATE: _("Attributes of an agent changed"),
    E.WORKER_ACTIVITY_UPDATE: _("Activity of an agent set"),
    E.WORKER_DELETED: _("Agent deleted"),
    E.WORKER_CAPACITY_UPDATE: _("Capacity of an agent changed"),
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: _("Channel of an agent switched"),
    E.TASK_UPDATED: _("Task changed"),
    E.TASK_CANCELED: _("Task canceled"),
    E.TASK_DELETED: _("Task deleted"),
    E.TASK_TAKEN_BACK: _("Task taken back"),
}
"""The names of the event types that Changes lists."""

FIELDS: Final[Mapping[str, Promise]] = {
    "act": _("Limit for Act"),
    "activity": _("Activity"),
    "activity_name": _("Activity"),
    "activity_sid": _("Activity"),
    "assignment_activity_name": _("Activity after acceptance"),
    "assignment_callback_url": _("Address of the callback"),
    "assignment_status": _("Status"),
    "attributes": _("Attributes"),
    "available": _("Available"),
    "by": _("By"),
    "channel": _("Channel"),
    "clock": _("Clock"),
    "configuration": _("Configuration"),
    "configured_capacity": _("Capacity"),
    "day_starts_at": _("Start of the day"),
    "default_activity_name": _("Activity at first"),
    "desk_grace": _("Seconds without a desk"),
    "event_callback_url": _("Address of events"),
    "expected_handling_time": _("Expected handling time"),
    "fallback_assignment_callback_url": _("Second address of the callback"),
    "figure": _("Figure"),
    "formula": _("Formula"),
    "friendly_name": _("Name"),
    "goal": _("Goal"),
    "grab_after": _("Grabbing after seconds"),
    "grab_limit": _("Grabbing of the oldest"),
    "grab_policy": _("Grabbing"),
    "hand_over": _("Hand over at once"),
    "hold": _("Seconds until raised"),
    "ignore_capacity": _("Even without a free slot"),
    "ignore_expressions": _("Even if not met"),
    "margin": _("Margin"),
    "max_reserved_workers": _("Agents asked at once"),
    "multi_task_enabled": _("Multitasking"),
    "muted_until": _("Muted until"),
    "note": _("Note"),
    "offers": _("Offers"),
    "outcome_policy": _("Outcomes"),
    "priority": _("Priority"),
    "queue": _("Queue"),
    "reason": _("Reason"),
    "rejection_pause": _("Pause after a rejection"),
    "reservation": _("Offer"),
    "reservation_activity_name": _("Activity after an offer expired"),
    "reserved_for_manual": _("Kept for grabbing"),
    "routing_target": _("Routing target"),
    "scope": _("Scope"),
    "short_abandon": _("Short abandon"),
    "status": _("Status"),
    "target_workers": _("Expression"),
    "task_channel_unique_name": _("Channel"),
    "task_order": _("Order"),
    "task_queue_friendly_name": _("Queue"),
    "task_queue_sid": _("Queue"),
    "task_reservation_timeout": _("Seconds to answer an offer"),
    "threshold": _("Threshold"),
    "time_zone": _("Time zone"),
    "timeout": _("Lifetime"),
    "timeout_activity_name": _("Activity after an offer expired"),
    "to": _("To"),
    "unique_name": _("Unique name"),
    "watch": _("Limit for Watch"),
    "withdrawn_reasons": _("Reasons of withdrawals"),
    "worker": _("Agent"),
    "workflow": _("Workflow"),
    "workflow_friendly_name": _("Workflow"),
    "wrap_up_end": _("End of wrap-up"),
    "wrap_up_limit": _("Limit of wrap-up"),
}
"""The names of fields; others are shown as the engine names them."""

_ORIGINS: Final[Mapping[str, Promise]] = {
    "supervisor": _("cockpit"),
    "admin": _("configuration"),
    "api": _("REST"),
    "desk": _("desk"),
    "sdk": _("SDK"),
    "taskrouter": _("router"),
    "system": _("the router"),
    "account": _("account"),
    "api-key": _("API key"),
    "user": _("user"),
    "worker": _("agent"),
}


def name_event(event_type: str) -> str:
    """Return the name of an event type."""
    return str(EVENTS.get(event_type, event_type))


def name_field(field: str) -> str:
    """Return the name of a field; one without a name of its own is read as the engine writes it."""
    return str(FIELDS.get(field, field.replace("_", " ")))


def name_origin(origin: str) -> str:
    """Return the name of the door or of the kind of actor behind a change."""
    return str(_ORIGINS.get(origin, origin))
