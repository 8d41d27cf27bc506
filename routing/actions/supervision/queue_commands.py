"""Commands on queues: their grab policy, and what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from routing import models
from routing.actions import queue_targets, task_queues
from routing.actions.supervision.commands import (
    Change,
    Command,
    Gone,
    Order,
    Unchanged,
    check_stands,
)
from routing.actions.support import locking
from routing.actions.support.errors import NotNow, StaleState
from routing.core.clock import microseconds
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.vocabulary import GrabPolicy

_COLUMNS: Final = ("grab_policy", "grab_limit", "grab_after")


def _lock_queue(order: Order) -> models.TaskQueue:
    """Lock a queue and return it as it is now; its version is the moment of its last change."""
    rows = order.workspace.task_queues.filter(sid=order.sid)
    queue = rows.first()
    if queue is None:
        raise Gone
    try:
        locking.lock_row(queue)
        queue = locking.reread(queue, "workspace")
    except StaleState:
        raise Gone from None
    if order.version is not None and microseconds(queue.date_updated) != order.version:
        raise StaleState(f"the queue {queue.friendly_name!r} has changed since it was shown")
    return queue


@transaction.atomic
def _set_grab_policy(order: Order) -> Change:
    queue = _lock_queue(order)
    wanted = {name: order.arguments[name] for name in _COLUMNS if name in order.arguments}
    before = {name: getattr(queue, name) for name in wanted}
    if before == wanted:
        raise Unchanged
    _write(order, queue, wanted)
    return Change(old=before, new=wanted)


@transaction.atomic
def _restore_grab_policy(order: Order, change: Change) -> None:
    queue = _lock_queue(order)
    for name, value in change.new.items():
        check_stands(getattr(queue, name), value, name)
    _write(order, queue, change.old)


def _write(order: Order, queue: models.TaskQueue, values: Mapping[str, Any]) -> None:
    changes: Any = dict(values)
    if "grab_policy" in changes:
        changes["grab_policy"] = GrabPolicy(changes["grab_policy"])
    task_queues.update_task_queue(queue=queue, actor=order.actor, now=order.now, **changes)


_PROMISES: Final = ("threshold", "goal", "short_abandon", "formula", "clock")


@transaction.atomic
def _set_target(order: Order) -> Change:
    queue = _lock_queue(order)
    channel, before = _read_target(order, queue)
    wanted = {name: order.arguments[name] for name in _PROMISES if name in order.arguments}
    if all(before[name] == value for name, value in wanted.items()):
        raise Unchanged
    _write_target(order, queue, channel, wanted)
    return Change(old={name: before[name] for name in wanted}, new=wanted)


@transaction.atomic
def _restore_target(order: Order, change: Change) -> None:
    queue = _lock_queue(order)
    channel, present = _read_target(order, queue)
    for name, value in change.new.items():
        check_stands(present[name], value, name)
    _write_target(order, queue, channel, change.old)


def _read_target(
    order: Order, queue: models.TaskQueue
) -> tuple[models.TaskChannel, dict[str, Any]]:
    """Return the channel of an order, and what the locked queue promises on it."""
    sid = order.arguments["channel"]
    channel = order.workspace.task_channels.filter(sid=sid).first()
    if channel is None:
        raise NotNow(f"the task channel {sid} no longer exists")
    row = queue.targets.filter(task_channel=channel).first()
    target = Target() if row is None else row.target
    present = {name: getattr(target, name) for name in _PROMISES}
    # As text, the enumerations are what is stored as JSON.
    return channel, present | {name: str(present[name].value) for name in ("formula", "clock")}


def _write_target(
    order: Order,
    queue: models.TaskQueue,
    channel: models.TaskChannel,
    values: Mapping[str, Any],
) -> None:
    changes: Any = dict(values)
    if "formula" in changes:
        changes["formula"] = ServiceLevelFormula(changes["formula"])
    if "clock" in changes:
        changes["clock"] = WaitClock(changes["clock"])
    queue_targets.set_target(
        queue=queue, channel=channel, actor=order.actor, now=order.now, **changes
    )


COMMANDS: Final[Mapping[str, Command]] = {
    "queues.set_target": Command(subject="WQ", run=_set_target, undo=_restore_target),
    "queues.set_grab_policy": Command(
        subject="WQ", run=_set_grab_policy, undo=_restore_grab_policy
    ),
}
