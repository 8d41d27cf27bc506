"""Choose the websocket groups that an event is published to, and the message for each.

Who gets which type stands in `routing.core.event_catalog`.
"""

from __future__ import annotations

from typing import Any, Final

from routing import groups
from routing.core.event_catalog import CARRIES_DATA, EventType
from routing.core.vocabulary import Audience
from routing.models import Event

FRAME_FIELDS: Final = ("task_sid", "worker_sid", "reservation_sid", "task_queue_sid")
"""Fields of an event's data that every frame carries: enough to know what to fetch again."""


def groups_for(event: Event) -> list[str]:
    """Return the names of the groups that receive this event."""
    data = event.event_data
    found: list[str] = []
    audience = EventType(event.event_type).spec.audience
    if Audience.WORKER in audience:
        # Publish to the worker's group first; queue groups can be large.
        named = [data.get("worker_sid"), *(data.get("holder_sids") or "").split(",")]
        found.extend(groups.worker_group(sid) for sid in named if sid)
    if Audience.TASK_QUEUE in audience and data.get("task_queue_sid"):
        found.append(groups.task_queue_group(data["task_queue_sid"]))
    if Audience.WORKSPACE in audience:
        found.append(groups.workspace_group(event.workspace_sid))
    return found


def _frame(event: Event) -> dict[str, Any]:
    """Return the frame of an event: what happened and to which resources, not their state."""
    return {
        "type": "routing.event",
        "event_type": event.event_type,
        "sid": event.sid,
        **{key: event.event_data[key] for key in FRAME_FIELDS if event.event_data.get(key)},
    }


def message(event: Event, group: str) -> dict[str, Any]:
    """Return the message for one group.

    A queue's group is told when the worker's own group gets the event too, so that the worker's
    desk, which is in both, can ignore the second message.
    """
    if groups.is_task_queue_group(group):
        frame = _frame(event)
        if Audience.WORKER in EventType(event.event_type).spec.audience:
            frame["is_for_others"] = True
        return frame
    if not groups.is_worker_group(group):
        return _frame(event)
    # A worker's desks are not told what the worker did.
    frame = _frame(event) | ({"actor_sid": event.actor_sid} if event.actor_sid else {})
    if event.event_type not in CARRIES_DATA:
        return frame
    at = int(event.event_date.timestamp())
    return frame | {"at": at, "event_data": event.event_data}
