"""Record callbacks to send in the same transaction as their events and offers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime

from routing import models, sids
from routing.db import bulk_insert


def owe_events(events: Sequence[models.Event], *, workspace: models.Workspace) -> bool:
    """Insert a delivery for each event that the workspace subscribes to; return whether any.

    Arguments:
        workspace: a workspace with an event callback URL.
    """
    subscribed = parse_events_filter(workspace.events_filter)
    owed = [
        models.CallbackDelivery(
            event=event,
            workspace_sid=event.workspace_sid,
            order_key=sids.index_key(event.resource_sid)
            if event.task_key is None
            else event.task_key,
            date_created=event.event_date,
            date_due=event.event_date,
        )
        for event in events
        if subscribed is None or event.event_type in subscribed
    ]
    bulk_insert.insert(owed)
    return bool(owed)


@functools.lru_cache(maxsize=256)
def parse_events_filter(events_filter: str | None) -> frozenset[str] | None:
    """Return the event types that a workspace subscribes to; None means all."""
    if not events_filter:
        return None
    return frozenset(name.strip() for name in events_filter.split(","))


def owe_questions(reservations: Sequence[models.Reservation], *, now: datetime) -> set[str]:
    """Insert an assignment callback for each new offer whose workflow has a callback URL.

    Its parameters are those of this moment. Returns the sids of the workflows.
    """
    questions = [
        models.AssignmentCallback(
            reservation=reservation,
            workspace=reservation.workspace,
            workflow_sid=workflow.sid,
            url=workflow.assignment_callback_url,
            fallback_url=workflow.fallback_assignment_callback_url or "",
            parameters=_question_parameters(reservation, workflow, now),
            date_created=now,
        )
        for reservation in reservations
        if (workflow := reservation.task.workflow) is not None and workflow.assignment_callback_url
    ]
    bulk_insert.insert(questions)
    return {each.workflow_sid for each in questions}


def _question_parameters(
    reservation: models.Reservation, workflow: models.Workflow, now: datetime
) -> dict[str, str]:
    """Return the parameters of an assignment callback (behaviour.md §9.1)."""
    task, worker = reservation.task, reservation.current_worker
    return {
        "Timestamp": str(int(now.timestamp())),
        "WorkspaceSid": reservation.workspace.sid,
        "WorkflowSid": workflow.sid,
        "TaskQueueSid": "" if task.task_queue is None else task.task_queue.sid,
        "WorkerSid": worker.sid,
        "WorkerName": worker.friendly_name,
        "WorkerAttributes": worker.attributes,
        "TaskSid": task.sid,
        "TaskAttributes": task.attributes,
        "TaskAge": str(int((now - task.date_created).total_seconds())),
        "TaskPriority": str(task.priority),
        "TaskChannelSid": task.task_channel.sid,
        "TaskChannelUniqueName": task.task_channel.unique_name,
        "ReservationSid": reservation.sid,
    }
