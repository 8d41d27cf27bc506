"""Set and clear the targets of queues."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction

from routing import models
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.waits import EDGES
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.shapes import Answer, describe_changes


class TargetValues(TypedDict, total=False):
    """Values of a target; absent ones stay, or are the default.

    Arguments:
        threshold, short_abandon: seconds, of `core.waits.EDGES`.
        goal: percent, 1 to 100.
    """

    threshold: int
    goal: int
    short_abandon: int
    formula: ServiceLevelFormula
    clock: WaitClock


_NAMES: Final = tuple(TargetValues.__annotations__)


@transaction.atomic
def set_target(
    *,
    queue: models.TaskQueue,
    channel: models.TaskChannel,
    actor: Actor,
    now: datetime,
    **values: Unpack[TargetValues],
) -> models.QueueTarget:
    """Set the target of a queue on a channel; past figures follow it at once.

    Values equal to the present ones mean no change and no event. Raises `InvalidInput`.
    """
    _check_channel(queue, channel)
    locking.lock_row(queue)
    stored = queue.targets.filter(task_channel=channel).first()
    row = stored or models.QueueTarget(task_queue=queue, task_channel=channel, date_created=now)
    before = _list_values(row.target)
    _set_values(row, values)
    after = _list_values(row.target)
    if stored is not None and after == before:
        return row
    row.date_updated = now
    row.save()
    _record(queue, channel, before, after, actor, now)
    return row


@transaction.atomic
def clear_target(
    *, queue: models.TaskQueue, channel: models.TaskChannel, actor: Actor, now: datetime
) -> None:
    """Give a queue the default target on a channel again."""
    _check_channel(queue, channel)
    locking.lock_row(queue)
    row = queue.targets.filter(task_channel=channel).first()
    if row is None:
        return
    before, after = _list_values(row.target), _list_values(Target())
    row.delete()
    _record(queue, channel, before, after, actor, now)


def _check_channel(queue: models.TaskQueue, channel: models.TaskChannel) -> None:
    if channel.workspace_id != queue.workspace_id:
        raise InvalidInput(
            f"task channel {channel.sid} belongs to another workspace", field="task_channel"
        )


def _set_values(row: models.QueueTarget, values: TargetValues) -> None:
    if "threshold" in values:
        row.threshold = _check_edge(values["threshold"], "threshold")
    if "short_abandon" in values:
        row.short_abandon = _check_edge(values["short_abandon"], "short_abandon")
    if "goal" in values:
        row.goal = inputs.check_integer(values["goal"], field="goal", least=1, most=100)
    if "formula" in values:
        row.formula = values["formula"].value
    if "clock" in values:
        row.clock = values["clock"].value


def _check_edge(seconds: int, field: str) -> int:
    """Return a number of seconds by which waits are kept, so that past figures are exact."""
    if seconds not in EDGES:
        allowed = ", ".join(map(str, EDGES))
        raise InvalidInput(f"{field} is {seconds}; it must be one of {allowed}", field=field)
    return seconds


def _list_values(target: Target) -> Answer:
    return {name: getattr(target, name) for name in _NAMES}


def _record(
    queue: models.TaskQueue,
    channel: models.TaskChannel,
    before: Answer,
    after: Answer,
    actor: Actor,
    now: datetime,
) -> None:
    of_channel: EventData = {
        "task_channel_sid": channel.sid,
        "task_channel_unique_name": channel.unique_name,
    }
    recorder.record(
        EventType.TASK_QUEUE_UPDATED,
        workspace=queue.workspace,
        resource_sid=queue.sid,
        data=payloads.describe_task_queue(queue) | of_channel | describe_changes(before, after),
        actor=actor,
        now=now,
    )
