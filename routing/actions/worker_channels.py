"""Change a worker's channel: capacity, availability, and slots reserved for grabbing."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import F

from routing import models
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.workers import count_workload
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.shapes import Answer, describe_changes
from routing.fields.workers import WORKER_CHANNEL
from routing.models.worker_channels import MAX_CAPACITY


class WorkerChannelChanges(TypedDict, total=False):
    """Fields that `update_worker_channel` can change; absent ones stay."""

    configured_capacity: int
    available: bool
    reserved_for_manual: int


@transaction.atomic
def update_worker_channel(
    *,
    channel: models.WorkerChannel,
    actor: Actor,
    now: datetime,
    **changes: Unpack[WorkerChannelChanges],
) -> models.WorkerChannel:
    """Change a worker channel; running work stays, whatever the new capacity.

    Arguments:
        configured_capacity, reserved_for_manual: 0 to 50.

    A value equal to the present one means no change and no event.
    """
    # Advancing the workload version first locks the worker, as every claim does.
    count_workload(channel.worker_id)
    channel = locking.reread(channel, "worker__activity", "worker__workspace", "task_channel")
    values = WORKER_CHANNEL.values(channel)
    before = (channel.configured_capacity, channel.available, channel.reserved_for_manual)
    if "configured_capacity" in changes:
        channel.configured_capacity = inputs.check_integer(
            changes["configured_capacity"], field="capacity", least=0, most=MAX_CAPACITY
        )
    if "reserved_for_manual" in changes:
        channel.reserved_for_manual = inputs.check_integer(
            changes["reserved_for_manual"], field="reserved_for_manual", least=0, most=MAX_CAPACITY
        )
    if "available" in changes:
        channel.available = changes["available"]
    capacity, available, kept = before
    if before == (channel.configured_capacity, channel.available, channel.reserved_for_manual):
        return channel
    channel.date_updated = now
    channel.save(update_fields=[*changes, "date_updated"])
    happened = []
    if capacity != channel.configured_capacity or kept != channel.reserved_for_manual:
        happened.append(EventType.WORKER_CAPACITY_UPDATE)
    if available != channel.available:
        happened.append(EventType.WORKER_CHANNEL_AVAILABILITY_UPDATE)
    # One version for each event: clients count the events they receive and stay in step.
    models.Worker.objects.filter(pk=channel.worker_id).update(version=F("version") + len(happened))
    for event_type in happened:
        channel.worker.version += 1
        _record(event_type, channel, capacity, actor, now, _describe(event_type, values, channel))
    return channel


def _describe(event_type: EventType, before: Answer, channel: models.WorkerChannel) -> EventData:
    """Return the part of the changes that the event of this type is about."""
    after = WORKER_CHANNEL.values(channel)
    if event_type == EventType.WORKER_CAPACITY_UPDATE:
        after = changed.without(after, "available")
    else:
        after = {"available": after["available"]}
    return describe_changes(before, after)


def _record(
    event_type: EventType,
    channel: models.WorkerChannel,
    previous_capacity: int,
    actor: Actor,
    now: datetime,
    more: EventData,
) -> None:
    recorder.record(
        event_type,
        workspace=channel.worker.workspace,
        resource_sid=channel.worker.sid,
        data=payloads.describe_worker(channel.worker)
        | payloads.describe_worker_channel(channel)
        | {"worker_channel_previous_capacity": str(previous_capacity)}
        | more,
        actor=actor,
        now=now,
    )
