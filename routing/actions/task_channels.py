"""Create, change and delete task channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Q

from routing import models, sids
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InUse
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.lifecycle import FINAL_TASK
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.workspaces import TASK_CHANNEL

CUSTOM: Final = {f"custom{number}": f"Custom{number}" for number in range(1, 6)}
"""Channels that `add_custom_channels` adds: unique name to friendly name."""

MAX_WEIGHT: Final = 100
"""Highest weight of a slot in the occupancy of workers."""


class TaskChannelChanges(TypedDict, total=False):
    """Fields that `update_task_channel` can change; absent ones stay."""

    friendly_name: str
    channel_optimized_routing: bool
    occupancy_weight: int


def create_task_channel(
    *,
    workspace: models.Workspace,
    friendly_name: str,
    unique_name: str,
    channel_optimized_routing: bool = False,
    occupancy_weight: int = 1,
    actor: Actor,
    now: datetime,
) -> models.TaskChannel:
    """Create a channel; every worker of the workspace gets it with a capacity of 1."""
    values: TaskChannelChanges = {
        "channel_optimized_routing": channel_optimized_routing,
        "occupancy_weight": _check_weight(occupancy_weight),
    }
    (channel,) = _create(workspace, {unique_name: friendly_name}, values, actor, now)
    return channel


def add_missing_channels(
    *, workspace: models.Workspace, names: Mapping[str, str], actor: Actor, now: datetime
) -> list[models.TaskChannel]:
    """Create those of some channels that do not exist yet; return the new ones.

    Arguments:
        names: unique name to friendly name.
    """
    there = set(workspace.task_channels.values_list("unique_name", flat=True))
    missing = {unique: name for unique, name in names.items() if unique not in there}
    return _create(workspace, missing, {}, actor, now) if missing else []


def add_custom_channels(
    *, workspace: models.Workspace, actor: Actor, now: datetime
) -> list[models.TaskChannel]:
    """Add those of the channels custom1 to custom5 that do not exist yet; return the new ones."""
    return add_missing_channels(workspace=workspace, names=CUSTOM, actor=actor, now=now)


def create_first_channels(
    *, workspace: models.Workspace, names: Mapping[str, str], actor: Actor, now: datetime
) -> None:
    """Create the channels of a new workspace, which has no workers and no other transaction sees.

    Arguments:
        names: unique name to friendly name.
    """
    channels = _insert(workspace, names, {}, now)
    _record(EventType.TASK_CHANNEL_CREATED, channels, actor, now)


@transaction.atomic
def _create(
    workspace: models.Workspace,
    names: Mapping[str, str],
    values: TaskChannelChanges,
    actor: Actor,
    now: datetime,
) -> list[models.TaskChannel]:
    unique_names = {inputs.check_unique_name(unique): name for unique, name in names.items()}
    locking.lock_workspace(workspace)
    with inputs.refuse_duplicates(
        f"a task channel with the unique name {' or '.join(map(repr, unique_names))} exists"
        " already in this workspace",
        field="unique_name",
    ):
        channels = _insert(workspace, unique_names, values, now)
    # A worker's change of activity waits for this lock, then updates the new channels too.
    _count_workloads(workspace)
    workers = workspace.workers.order_by("pk").values_list("pk", "activity__available")
    models.WorkerChannel.objects.bulk_create(
        models.WorkerChannel(
            sid=sids.new_sid("WC"),
            worker_id=worker_id,
            task_channel=channel,
            worker_available=available,
            date_created=now,
            date_updated=now,
        )
        for worker_id, available in workers
        for channel in channels
    )
    _record(EventType.TASK_CHANNEL_CREATED, channels, actor, now)
    return channels


def _insert(
    workspace: models.Workspace,
    names: Mapping[str, str],
    values: TaskChannelChanges,
    now: datetime,
) -> list[models.TaskChannel]:
    return models.TaskChannel.objects.bulk_create(
        models.TaskChannel(
            sid=sids.new_sid("TC"),
            workspace=workspace,
            friendly_name=inputs.check_name(friendly_name),
            unique_name=unique_name,
            date_created=now,
            date_updated=now,
            **values,
        )
        for unique_name, friendly_name in names.items()
    )


@transaction.atomic
def update_task_channel(
    *,
    channel: models.TaskChannel,
    actor: Actor,
    now: datetime,
    **changes: Unpack[TaskChannelChanges],
) -> models.TaskChannel:
    """Change the name, how idle time is counted, or the weight; the unique name is fixed."""
    locking.lock_row(channel)
    before = changed.read_values(TASK_CHANNEL, channel)
    if "friendly_name" in changes:
        channel.friendly_name = inputs.check_name(changes["friendly_name"])
    if "channel_optimized_routing" in changes:
        channel.channel_optimized_routing = changes["channel_optimized_routing"]
    if "occupancy_weight" in changes:
        channel.occupancy_weight = _check_weight(changes["occupancy_weight"])
    channel.date_updated = now
    channel.save(update_fields=[*changes, "date_updated"])
    more = TASK_CHANNEL.describe_changes(before, channel)
    _record(EventType.TASK_CHANNEL_UPDATED, [channel], actor, now, more)
    return channel


@transaction.atomic
def delete_task_channel(*, channel: models.TaskChannel, actor: Actor, now: datetime) -> None:
    """Delete a channel and every worker's capacity on it.

    Raises `InUse` for the channel `default`, and while tasks or reservations are on it. Finished
    tasks stay readable, with their reservations, and keep the channel's sid and name.
    """
    if channel.unique_name == "default":
        raise InUse("the task channel 'default' cannot be deleted: tasks without a channel use it")
    locking.lock_workspace(channel.workspace)
    # Transactions that create a task or claim a slot on this channel wait, and find it gone.
    locking.lock_row(channel, to_delete=True)
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
    # Workers before tasks: the lock order.
    _count_workloads(channel.workspace)
    models.Task.objects.filter(task_channel=channel).update(
        task_channel=default,
        former_channel_sid=channel.sid,
        former_channel_name=channel.unique_name,
    )
    capacities = channel.worker_channels.select_related("worker").order_by("pk")
    more = payloads.describe_capacities({row.worker.sid: row for row in capacities})
    _record(EventType.TASK_CHANNEL_DELETED, [channel], actor, now, more)
    channel.delete()


def _check_weight(value: int) -> int:
    return inputs.check_integer(value, field="occupancy_weight", least=0, most=MAX_WEIGHT)


def _count_workloads(workspace: models.Workspace) -> None:
    """Advance the workload version of every worker, because their channels change."""
    locking.lock_workers(workspace.workers.all())
    workspace.workers.update(workload_version=F("workload_version") + 1)


def _record(
    event_type: EventType,
    channels: Sequence[models.TaskChannel],
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    drafts = [
        recorder.Draft(
            event_type, channel.sid, payloads.describe_task_channel(channel) | (more or {})
        )
        for channel in channels
    ]
    recorder.record_all(drafts, workspace=channels[0].workspace, actor=actor, now=now)
