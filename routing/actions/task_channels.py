"""Create, change and delete task channels."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Q

from routing import event_data, events, models, sids
from routing.actions import inputs, locks
from routing.actions.errors import InUse
from routing.actors import Actor
from routing.core.lifecycle import FINAL_TASK
from routing.core.vocabulary import EventType

CUSTOM: Final = tuple(f"custom{number}" for number in range(1, 6))
"""What `add_custom_channels` adds."""


class TaskChannelChanges(TypedDict, total=False):
    """What `update_task_channel` can change; what is absent stays."""

    friendly_name: str
    channel_optimized_routing: bool


@transaction.atomic
def create_task_channel(
    *,
    workspace: models.Workspace,
    friendly_name: str,
    unique_name: str,
    channel_optimized_routing: bool = False,
    actor: Actor,
    now: datetime,
) -> models.TaskChannel:
    """Create a channel; every worker of the workspace gets it with a capacity of 1."""
    unique_name = inputs.unique_name(unique_name)
    locks.lock_doors(workspace)
    with inputs.refusing_duplicates(
        f"a task channel with the unique name {unique_name!r} exists already in this workspace",
        field="unique_name",
    ):
        channel = models.TaskChannel.objects.create(
            sid=sids.new("TC"),
            workspace=workspace,
            friendly_name=inputs.name(friendly_name),
            unique_name=unique_name,
            channel_optimized_routing=channel_optimized_routing,
            date_created=now,
            date_updated=now,
        )
    # Whoever changes their activity meanwhile waits: their channels must say so, this one too.
    _count_workloads(workspace)
    models.WorkerChannel.objects.bulk_create(
        models.WorkerChannel(
            sid=sids.new("WC"),
            worker_id=worker_id,
            task_channel=channel,
            worker_available=available,
            date_created=now,
            date_updated=now,
        )
        for worker_id, available in workspace.workers.order_by("pk").values_list(
            "pk", "activity__available"
        )
    )
    _record(EventType.TASK_CHANNEL_CREATED, channel, actor, now)
    return channel


@transaction.atomic
def add_custom_channels(
    *, workspace: models.Workspace, actor: Actor, now: datetime
) -> list[models.TaskChannel]:
    """Add the channels custom1 to custom5, those that are not there yet; return the new ones."""
    there = set(workspace.task_channels.values_list("unique_name", flat=True))
    return [
        create_task_channel(
            workspace=workspace,
            friendly_name=unique_name.capitalize(),
            unique_name=unique_name,
            actor=actor,
            now=now,
        )
        for unique_name in CUSTOM
        if unique_name not in there
    ]


@transaction.atomic
def update_task_channel(
    *,
    channel: models.TaskChannel,
    actor: Actor,
    now: datetime,
    **changes: Unpack[TaskChannelChanges],
) -> models.TaskChannel:
    """Change what people read, or whose idleness counts; the unique name is fixed."""
    locks.lock_row(channel)
    if "friendly_name" in changes:
        channel.friendly_name = inputs.name(changes["friendly_name"])
    if "channel_optimized_routing" in changes:
        channel.channel_optimized_routing = changes["channel_optimized_routing"]
    channel.date_updated = now
    channel.save(update_fields=[*changes, "date_updated"])
    _record(EventType.TASK_CHANNEL_UPDATED, channel, actor, now)
    return channel


@transaction.atomic
def delete_task_channel(*, channel: models.TaskChannel, actor: Actor, now: datetime) -> None:
    """Delete a channel and every worker's capacity on it.

    Raises `InUse` for the channel `default`, and while tasks or reservations are on it. Finished
    tasks stay readable, with their reservations, and keep the channel's sid and name.
    """
    if channel.unique_name == "default":
        raise InUse("the task channel 'default' cannot be deleted: tasks without a channel use it")
    locks.lock_doors(channel.workspace)
    # Whoever creates a task or takes a slot on this channel meanwhile waits, and finds it gone.
    locks.lock_row(channel, to_delete=True)
    live = models.Task.objects.filter(task_channel=channel).filter(
        ~Q(assignment_status__in=[status.value for status in FINAL_TASK])
    )
    open_here = models.Reservation.objects.filter(worker_channel__task_channel=channel).open()
    if live.exists() or open_here.exists():
        raise InUse(
            f"the task channel {channel.unique_name!r} has unfinished tasks; complete or cancel"
            " them first"
        )
    default = models.TaskChannel.objects.get(
        workspace_id=channel.workspace_id, unique_name="default"
    )
    # Workers before tasks, as everybody locks them.
    _count_workloads(channel.workspace)
    models.Task.objects.filter(task_channel=channel).update(
        task_channel=default,
        former_channel_sid=channel.sid,
        former_channel_name=channel.unique_name,
    )
    _record(EventType.TASK_CHANNEL_DELETED, channel, actor, now)
    channel.delete()


def _count_workloads(workspace: models.Workspace) -> None:
    """Note that every worker of a workspace has other channels than before."""
    locks.lock_workers(workspace.workers.all())
    workspace.workers.update(workload_version=F("workload_version") + 1)


def _record(
    event_type: EventType, channel: models.TaskChannel, actor: Actor, now: datetime
) -> None:
    events.record(
        event_type,
        workspace=channel.workspace,
        resource_sid=channel.sid,
        data=event_data.of_task_channel(channel),
        actor=actor,
        now=now,
    )
