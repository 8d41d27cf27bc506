"""Commands on workers: their channels, their activity, their attributes."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction

from routing import models
from routing.actions import worker_channels, workers
from routing.actions.supervision.commands import (
    Change,
    ChangedSince,
    Command,
    Gone,
    Order,
    Unchanged,
    check_stands,
)
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput, NotNow, StaleState
from routing.core.attribute_edits import (
    MISSING,
    Edit,
    EditKind,
    EditRefused,
    apply_edits,
    read_path,
)
from routing.core.clock import microseconds

_WORDS: Final = {
    "configured_capacity": "capacity",
    "reserved_for_manual": "kept",
    "available": "available",
}
"""The name of each column of a worker channel in messages."""


def _lock_worker(order: Order) -> models.Worker:
    """Lock a worker and return them as they are now; raises `Gone` or `StaleState`.

    The version of a worker is the moment in microseconds when they came into their activity. The
    column `version` counts their offers, too, so it changes all the time.
    """
    rows = models.Worker.objects.filter(workspace=order.workspace, sid=order.sid)
    locking.lock_workers(rows)
    worker = rows.select_related("activity", "workspace").first()
    if worker is None:
        raise Gone
    if order.version not in (None, microseconds(worker.date_status_changed)):
        raise StaleState(f"{worker.friendly_name} is no longer in the activity that was shown")
    return worker


def _lock_channel(order: Order) -> models.WorkerChannel:
    worker = _lock_worker(order)
    sid = order.arguments["channel"]
    found = worker.channels.filter(task_channel__sid=sid).select_related("task_channel").first()
    if found is None:
        raise NotNow(f"the task channel {sid} no longer exists")
    found.worker = worker
    return found


@transaction.atomic
def _change_channel(order: Order, *, column: str) -> Change:
    """Set a column of a worker's channel, or change it by a number."""
    channel = _lock_channel(order)
    before = getattr(channel, column)
    arguments = order.arguments
    wanted = arguments["to"] if "to" in arguments else before + arguments["by"]
    if wanted == before:
        raise Unchanged
    _write_channel(order, channel, column, wanted)
    return Change(old={column: before}, new={column: wanted})


@transaction.atomic
def _restore_channel(order: Order, change: Change, *, column: str) -> None:
    channel = _lock_channel(order)
    check_stands(getattr(channel, column), change.new[column], _WORDS[column])
    _write_channel(order, channel, column, change.old[column])


def _write_channel(
    order: Order, channel: models.WorkerChannel, column: str, value: int | bool
) -> None:
    changes: Any = {column: value}
    worker_channels.update_worker_channel(
        channel=channel, actor=order.actor, now=order.now, **changes
    )


def _channel_command(column: str) -> Command:
    return Command(
        subject="WK",
        run=functools.partial(_change_channel, column=column),
        undo=functools.partial(_restore_channel, column=column),
    )


@transaction.atomic
def _set_activity(order: Order) -> Change:
    worker, before = _move(order, order.arguments["to"], reject=order.arguments["reject_offers"])
    return Change(old={"activity": before}, new={"activity": worker.activity.sid})


@transaction.atomic
def _restore_activity(order: Order, change: Change) -> None:
    present = _lock_worker(order).activity.sid
    check_stands(present, change.new["activity"], "activity")
    _move(order, change.old["activity"], reject=False)


def _move(order: Order, sid: str, *, reject: bool) -> tuple[models.Worker, str]:
    """Move a worker to an activity; return them and the activity before."""
    worker = _lock_worker(order)
    before = worker.activity.sid
    activity = order.workspace.activities.filter(sid=sid).first()
    if activity is None:
        raise NotNow(f"the activity {sid} no longer exists")
    if before == sid:
        raise Unchanged
    pending = worker.reservations.pending().count()
    if pending and not activity.available and not reject:
        raise NotNow(
            f"{worker.friendly_name} has open offers ({pending}); wait for the answers, or let the"
            " act reject them"
        )
    moved = workers.set_activity(
        worker=worker,
        activity=activity,
        reject_pending_reservations=reject and not activity.available,
        actor=order.actor,
        now=order.now,
    )
    return moved, before


def parse_edits(given: Iterable[Mapping[str, Any]]) -> list[Edit]:
    """Return the edits in the arguments of `set_attributes`."""
    return [
        Edit(kind=EditKind(each["kind"]), path=each["path"], value=each["value"]) for each in given
    ]


@transaction.atomic
def _set_attributes(order: Order) -> Change:
    edits = parse_edits(order.arguments["edits"])
    before, after = _edit(order, edits)
    paths = {edit.path for edit in edits}
    changed = [path for path in sorted(paths) if read_path(before, path) != read_path(after, path)]
    return Change(old=_pick(before, changed), new=_pick(after, changed))


@transaction.atomic
def _restore_attributes(order: Order, change: Change) -> None:
    present = _read_attributes(_lock_worker(order))
    paths = change.old.keys() | change.new.keys()
    for path in paths:
        if read_path(present, path) != change.new.get(path, MISSING):
            raise ChangedSince(f"the attribute {path!r} has changed since")
    _edit(
        order,
        [
            Edit(kind=EditKind.SET, path=path, value=change.old.get(path, MISSING))
            for path in sorted(paths)
        ],
    )


def _edit(order: Order, edits: Iterable[Edit]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Edit a worker's attributes; return those before and after."""
    worker = _lock_worker(order)
    before = _read_attributes(worker)
    try:
        after = apply_edits(before, edits)
    except EditRefused as error:
        raise NotNow(f"{worker.friendly_name}: {error}") from error
    if after == before:
        raise Unchanged
    workers.update_worker(
        worker=worker,
        attributes=json.dumps(after, ensure_ascii=False),
        actor=order.actor,
        now=order.now,
    )
    return before, after


def _read_attributes(worker: models.Worker) -> dict[str, Any]:
    try:
        return inputs.parse_attributes(worker.attributes or "{}")
    except InvalidInput as error:
        raise NotNow(
            f"the attributes of {worker.friendly_name} cannot be read: {error.message}"
        ) from error


def _pick(attributes: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    found = {path: read_path(attributes, path) for path in paths}
    return {path: value for path, value in found.items() if value is not MISSING}


COMMANDS: Final[Mapping[str, Command]] = {
    "workers.set_capacity": _channel_command("configured_capacity"),
    "workers.set_kept": _channel_command("reserved_for_manual"),
    "workers.set_available": _channel_command("available"),
    "workers.set_activity": Command(subject="WK", run=_set_activity, undo=_restore_activity),
    "workers.set_attributes": Command(subject="WK", run=_set_attributes, undo=_restore_attributes),
}
