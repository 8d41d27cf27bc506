"""Create, change and delete workspaces."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final, Literal, TypedDict, Unpack

from django.db import transaction

from routing import models, sids, task_layouts
from routing.actions import activities, callbacks, task_channels, task_queues, workflows
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.vocabulary import QueueOrder
from routing.events import recorder
from routing.fields.declarations import EventData
from routing.fields.workspaces import WORKSPACE
from routing.time_zones import time_zone_names

DEFAULT_CHANNELS: Final = {
    "default": "Default",
    "voice": "Voice",
    "sms": "SMS",
    "chat": "Chat",
    "video": "Video",
}
"""Task channels of every new workspace: unique name to friendly name."""

MAX_DESK_GRACE: Final = 86_400
"""Longest time without a desk, in seconds, after which workers may be moved."""

MAX_REJECTION_PAUSE: Final = 3_600
"""Longest time, in seconds, for which a task is not offered again to a worker who rejected it."""

MAX_REASONS: Final = 20
"""Most reasons of one kind that a workspace lists."""

Template = Literal["NONE", "FIFO"]


class WorkspaceChanges(TypedDict, total=False):
    """Fields that `update_workspace` can change; absent ones stay."""

    friendly_name: str
    event_callback_url: str
    events_filter: str | None
    multi_task_enabled: bool
    prioritize_queue_order: QueueOrder
    default_activity: models.Activity
    timeout_activity: models.Activity
    desk_grace: int
    rejection_pause: int
    rejection_reasons: str
    title_attributes: str
    subtitle_attributes: str
    attribute_labels: str
    hidden_attributes: str
    time_zone: str
    day_starts_at: str
    withdrawn_reasons: str


@transaction.atomic
def create_workspace(
    *,
    account: models.Account,
    friendly_name: str,
    event_callback_url: str = "",
    events_filter: str | None = None,
    multi_task_enabled: bool = True,
    prioritize_queue_order: QueueOrder = QueueOrder.FIFO,
    desk_grace: int = 30,
    rejection_pause: int = 0,
    rejection_reasons: str = "",
    title_attributes: str = "",
    subtitle_attributes: str = "",
    attribute_labels: str = "",
    hidden_attributes: str = "",
    time_zone: str = "UTC",
    day_starts_at: str = "00:00",
    withdrawn_reasons: str = "",
    template: Template = "NONE",
    actor: Actor,
    now: datetime,
) -> models.Workspace:
    """Create a workspace with its first activities and channels (behaviour.md §2.1).

    Arguments:
        template: FIFO adds a queue for all workers and a workflow that leads there.
    """
    with _refuse_duplicates(friendly_name):
        workspace = models.Workspace.objects.create(
            sid=sids.new_sid("WS"),
            account=account,
            friendly_name=inputs.check_name(friendly_name),
            event_callback_url=inputs.check_callback_url(
                event_callback_url, field="event_callback_url"
            ),
            events_filter=_check_events_filter(events_filter),
            multi_task_enabled=multi_task_enabled,
            prioritize_queue_order=prioritize_queue_order.value,
            desk_grace=_check_desk_grace(desk_grace),
            rejection_pause=_check_rejection_pause(rejection_pause),
            rejection_reasons=_check_reasons(rejection_reasons, "rejection_reasons"),
            title_attributes=_check_paths(title_attributes, field="title_attributes"),
            subtitle_attributes=_check_paths(subtitle_attributes, field="subtitle_attributes"),
            attribute_labels=_check_labels(attribute_labels),
            hidden_attributes=_check_paths(hidden_attributes, field="hidden_attributes"),
            time_zone=_check_time_zone(time_zone),
            day_starts_at=_check_day_start(day_starts_at),
            withdrawn_reasons=_check_reasons(withdrawn_reasons, "withdrawn_reasons"),
            date_created=now,
            date_updated=now,
        )
    if workspace.event_callback_url:
        callbacks.point_receiver(workspace=workspace)
    _record(EventType.WORKSPACE_CREATED, workspace, actor, now)
    first = {"Offline": False, "Available": True, "Unavailable": False}
    if not multi_task_enabled:
        first |= {"Reserved": False, "Busy": False}
    offline, *_ = activities.create_activities(
        workspace=workspace, named=first, actor=actor, now=now
    )
    workspace.default_activity = workspace.timeout_activity = offline
    workspace.save(update_fields=["default_activity", "timeout_activity"])
    task_channels.create_first_channels(
        workspace=workspace, names=DEFAULT_CHANNELS, actor=actor, now=now
    )
    if template == "FIFO":
        _fill_from_template(workspace, actor, now)
    return workspace


def _fill_from_template(workspace: models.Workspace, actor: Actor, now: datetime) -> None:
    queue = task_queues.create_task_queue(
        workspace=workspace, friendly_name="Sample Queue", actor=actor, now=now
    )
    workflows.create_workflow(
        workspace=workspace,
        friendly_name="Default Fifo Workflow",
        configuration=json.dumps(
            {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
        ),
        actor=actor,
        now=now,
    )


@transaction.atomic
def update_workspace(
    *,
    workspace: models.Workspace,
    actor: Actor,
    now: datetime,
    **changes: Unpack[WorkspaceChanges],
) -> models.Workspace:
    """Change a workspace. Switching multitasking keeps every capacity and all running work."""
    locking.lock_row(workspace)
    before = changed.read_values(WORKSPACE, workspace)
    if "friendly_name" in changes:
        workspace.friendly_name = inputs.check_name(changes["friendly_name"])
    if "event_callback_url" in changes:
        workspace.event_callback_url = inputs.check_callback_url(
            changes["event_callback_url"], field="event_callback_url"
        )
    if "events_filter" in changes:
        workspace.events_filter = _check_events_filter(changes["events_filter"])
    if "prioritize_queue_order" in changes:
        workspace.prioritize_queue_order = changes["prioritize_queue_order"].value
    if "default_activity" in changes:
        workspace.default_activity = _check_activity(
            workspace, changes["default_activity"], "default"
        )
    if "timeout_activity" in changes:
        workspace.timeout_activity = _check_activity(
            workspace, changes["timeout_activity"], "timeout"
        )
    if "desk_grace" in changes:
        workspace.desk_grace = _check_desk_grace(changes["desk_grace"])
    if "rejection_pause" in changes:
        workspace.rejection_pause = _check_rejection_pause(changes["rejection_pause"])
    if "rejection_reasons" in changes:
        workspace.rejection_reasons = _check_reasons(
            changes["rejection_reasons"], "rejection_reasons"
        )
    if "title_attributes" in changes:
        workspace.title_attributes = _check_paths(
            changes["title_attributes"], field="title_attributes"
        )
    if "subtitle_attributes" in changes:
        workspace.subtitle_attributes = _check_paths(
            changes["subtitle_attributes"], field="subtitle_attributes"
        )
    if "attribute_labels" in changes:
        workspace.attribute_labels = _check_labels(changes["attribute_labels"])
    if "hidden_attributes" in changes:
        workspace.hidden_attributes = _check_paths(
            changes["hidden_attributes"], field="hidden_attributes"
        )
    if "time_zone" in changes:
        workspace.time_zone = _check_time_zone(changes["time_zone"])
    if "day_starts_at" in changes:
        workspace.day_starts_at = _check_day_start(changes["day_starts_at"])
    if "withdrawn_reasons" in changes:
        workspace.withdrawn_reasons = _check_reasons(
            changes["withdrawn_reasons"], "withdrawn_reasons"
        )
    if "multi_task_enabled" in changes:
        if changes["multi_task_enabled"] and not workspace.multi_task_enabled:
            task_channels.add_missing_channels(
                workspace=workspace, names=DEFAULT_CHANNELS, actor=actor, now=now
            )
        workspace.multi_task_enabled = changes["multi_task_enabled"]
    workspace.date_updated = now
    with _refuse_duplicates(workspace.friendly_name):
        workspace.save(update_fields=[*changes, "date_updated"])
    if "event_callback_url" in changes:
        callbacks.point_receiver(workspace=workspace)
    more = WORKSPACE.describe_changes(before, workspace)
    _record(EventType.WORKSPACE_UPDATED, workspace, actor, now, more)
    return workspace


@transaction.atomic
def delete_workspace(*, workspace: models.Workspace, actor: Actor, now: datetime) -> None:
    """Delete a workspace and everything in it, including live tasks; its events stay."""
    locking.lock_row(workspace)
    locking.lock_workers(workspace.workers.all())
    locking.lock_tasks(workspace.tasks.all())
    _record(EventType.WORKSPACE_DELETED, workspace, actor, now)
    here = {"workspace": workspace}
    models.Reservation.objects.filter(**here).delete()
    models.Task.objects.filter(**here).delete()
    models.Lane.objects.filter(**here).delete()
    models.WorkerChannel.objects.filter(worker__workspace=workspace).delete()
    models.Worker.objects.filter(**here).delete()
    models.Workflow.objects.filter(**here).update(revision=None)
    models.WorkflowRevision.objects.filter(workflow__workspace=workspace).delete()
    models.Workflow.objects.filter(**here).delete()
    models.TaskQueue.objects.filter(**here).delete()
    models.Workspace.objects.filter(pk=workspace.pk).update(
        default_activity=None, timeout_activity=None
    )
    workspace.delete()


def _check_activity(
    workspace: models.Workspace, activity: models.Activity, which: str
) -> models.Activity:
    if activity.workspace_id != workspace.pk:
        raise InvalidInput(
            f"activity {activity.sid} belongs to another workspace", field=f"{which}_activity_sid"
        )
    return activity


def _check_desk_grace(seconds: int) -> int:
    return inputs.check_integer(seconds, field="desk_grace", least=0, most=MAX_DESK_GRACE)


def _check_rejection_pause(seconds: int) -> int:
    return inputs.check_integer(seconds, field="rejection_pause", least=0, most=MAX_REJECTION_PAUSE)


def _check_reasons(value: str, field: str) -> str:
    """Return the reasons, one on each line, without empty lines and duplicates."""
    lines = [line.strip() for line in value.splitlines()]
    reasons = list(dict.fromkeys(line for line in lines if line))
    for reason in reasons:
        inputs.check_text(reason, field=field, limit=inputs.NAME_LIMIT)
    if len(reasons) > MAX_REASONS:
        raise InvalidInput(
            f"{field} has {len(reasons)} lines; at most {MAX_REASONS} are allowed", field=field
        )
    return "\n".join(reasons)


def _check_paths(value: str, *, field: str) -> str:
    try:
        return task_layouts.check_paths(value)
    except task_layouts.LayoutRefused as refused:
        raise InvalidInput(f"{field} {refused}", field=field) from None


def _check_labels(value: str) -> str:
    try:
        return task_layouts.check_labels(value)
    except task_layouts.LayoutRefused as refused:
        raise InvalidInput(f"attribute_labels {refused}", field="attribute_labels") from None


def _check_time_zone(name: str) -> str:
    if name not in time_zone_names():
        raise InvalidInput(
            f"{name!r} is not a time zone; a name such as Europe/Berlin, America/New_York or UTC"
            " would be right",
            field="time_zone",
        )
    return name


def _check_day_start(value: str) -> str:
    """Return a time of day; days consist of whole quarters, in which figures are kept."""
    if not re.fullmatch(r"([01]\d|2[0-3]):(00|15|30|45)", value):
        raise InvalidInput(
            f"day_starts_at is {value[:20]!r}; a time of day in whole quarters of an hour, such as"
            " 00:00 or 06:30, would be right",
            field="day_starts_at",
        )
    return value


def _check_events_filter(value: str | None) -> str | None:
    names = [name.strip() for name in (value or "").split(",") if name.strip()]
    known = {event_type.value for event_type in EventType}
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"events_filter names {name!r}, which is not an event type (such as task.created)",
                field="events_filter",
            )
    return ",".join(names) or None


def _refuse_duplicates(friendly_name: str) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"a workspace named {friendly_name.strip()!r} exists already in this account"
    )


def _record(
    event_type: EventType,
    workspace: models.Workspace,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    recorder.record(
        event_type,
        workspace=workspace,
        resource_sid=workspace.sid,
        data=more or {},
        actor=actor,
        now=now,
    )
