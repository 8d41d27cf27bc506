"""Record what happened: one row in the transaction of the change, told after its commit."""

from __future__ import annotations

import functools
from datetime import datetime

from django.db import transaction

from routing import delivery, event_data, models, sids
from routing.actors import Actor
from routing.core.vocabulary import EventType, ResourceType

_DESCRIPTIONS = {
    EventType.TASK_QUEUE_ENTERED: "Task {task_sid} entered queue {task_queue_name}",
    EventType.TASK_QUEUE_MOVED: "Task {task_sid} left queue {task_queue_name}",
    EventType.RESERVATION_CREATED: "Task {task_sid} offered to {worker_name}",
    EventType.WORKER_ACTIVITY_UPDATE: "Worker {worker_name} is {worker_activity_name}",
}


def record(
    event_type: EventType,
    *,
    workspace: models.Workspace,
    resource_sid: str,
    data: event_data.EventData,
    actor: Actor,
    now: datetime,
) -> models.Event:
    """Write an event beside the change it tells of; it is delivered when the transaction commits.

    Arguments:
        resource_sid: the sid of what the event is about, of the kind its type says.
        data: fields from `routing.event_data`.
    """
    data = event_data.of_workspace(workspace) | data
    template = _DESCRIPTIONS.get(event_type)
    event = models.Event.objects.create(
        sid=sids.new("EV"),
        account_id=workspace.account_id,
        workspace_sid=workspace.sid,
        event_type=event_type.value,
        event_date=now,
        description=(template.format_map(data) if template else _plain(event_type))[:255],
        event_data=data,
        actor_type=actor.type,
        actor_sid=actor.sid,
        resource_type=_resource_type(event_type).value,
        resource_sid=resource_sid,
        source=actor.source,
        source_ip_address=actor.ip_address,
    )
    transaction.on_commit(functools.partial(delivery.deliver, event))
    return event


def _resource_type(event_type: EventType) -> ResourceType:
    """Return what an event type is about: a task moves through queues and workflows too."""
    if event_type in _ABOUT_TASKS:
        return ResourceType.TASK
    return ResourceType(event_type.value.split(".")[0])


_ABOUT_TASKS = frozenset(
    {
        EventType.TASK_QUEUE_ENTERED,
        EventType.TASK_QUEUE_MOVED,
        EventType.TASK_QUEUE_TIMEOUT,
        EventType.WORKFLOW_ENTERED,
        EventType.WORKFLOW_TARGET_MATCHED,
        EventType.WORKFLOW_TIMEOUT,
        EventType.WORKFLOW_SKIPPED,
    }
)


def _plain(event_type: EventType) -> str:
    noun, _, verb = event_type.value.partition(".")
    return f"{noun.replace('-', ' ').capitalize()} {verb.replace('.', ' ').replace('-', ' ')}"
