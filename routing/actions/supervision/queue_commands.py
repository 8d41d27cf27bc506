"""Commands on queues: their grab policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from routing import models
from routing.actions import task_queues
from routing.actions.supervision.commands import (
    Change,
    Command,
    Gone,
    Order,
    Unchanged,
    check_stands,
)
from routing.actions.support import locking
from routing.actions.support.errors import StaleState
from routing.core.clock import microseconds
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


COMMANDS: Final[Mapping[str, Command]] = {
    "queues.set_grab_policy": Command(
        subject="WQ", run=_set_grab_policy, undo=_restore_grab_policy
    ),
}
