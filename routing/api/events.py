"""Views for events: newest first, or continued from the last event that a client has read."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.api.base import READ_ONLY, InstanceView, ListView, ResourceView
from routing.api.event_shapes import EVENT
from routing.core import clock
from routing.core.vocabulary import ResourceType
from routing.fields.declarations import date_text
from routing.fields.shapes import Answer
from routing.operations.events import EventInstanceOperation, EventListOperation

_COLLECTIONS: Final = {
    ResourceType.ACTIVITY: "Activities",
    ResourceType.OUTCOME_CODE: "OutcomeCodes",
    ResourceType.TASK_CHANNEL: "TaskChannels",
    ResourceType.TASK_QUEUE: "TaskQueues",
    ResourceType.WORKFLOW: "Workflows",
    ResourceType.WORKER: "Workers",
    ResourceType.TASK: "Tasks",
}


class _Events(ResourceView):
    http_method_names = READ_ONLY
    shape = EVENT

    def represent(self, row: models.Event) -> Answer:
        url = f"{self.base}/Workspaces/{row.workspace_sid}"
        return {
            "sid": row.sid,
            "account_sid": self.caller.account.sid,
            "workspace_sid": row.workspace_sid,
            "event_type": row.event_type,
            "event_date": date_text(row.event_date),
            "event_date_ms": clock.microseconds(row.event_date) // 1000,
            "description": row.description,
            "event_data": row.event_data,
            "actor_type": row.actor_type,
            "actor_sid": row.actor_sid,
            "actor_url": f"{url}/Workers/{row.actor_sid}" if row.actor_type == "worker" else None,
            "resource_type": row.resource_type,
            "resource_sid": row.resource_sid,
            "resource_url": _resource_url(row, url),
            "source": row.source,
            "source_ip_address": row.source_ip_address,
            "url": f"{url}/Events/{row.sid}",
        }


class EventList(_Events, ListView):
    """The events of a workspace."""

    operation_class = EventListOperation
    key = "events"
    about = {
        "get": "List events\n\nNewest first, the last 15 minutes by default. With"
        " `After` the log continues oldest first where a reader stopped: every event comes once,"
        " and none is missed."
    }


class EventInstance(_Events, InstanceView):
    """One event."""

    operation_class = EventInstanceOperation
    about = {"get": "Fetch an event"}


def _resource_url(row: models.Event, url: str) -> str:
    kind = ResourceType(row.resource_type)
    if kind == ResourceType.RESERVATION:
        return f"{url}/Tasks/{row.event_data.get('task_sid')}/Reservations/{row.resource_sid}"
    if kind == ResourceType.WORKSPACE:
        return url
    return f"{url}/{_COLLECTIONS[kind]}/{row.resource_sid}"
