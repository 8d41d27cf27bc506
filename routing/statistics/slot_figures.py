"""Write how long slots were busy and free, quarter by quarter, by walking back from the rows.

The present rows say how it is now. Every event of workers, channels and reservations says what it
changed, so undoing them one by one gives the state at every moment before. Nothing has to be kept
for that while things happen.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.db.models.fields.json import KT

from routing import sids
from routing.core.clock import microseconds, moment
from routing.core.event_catalog import EventType as E
from routing.core.slot_time import ChannelState, WorkerHistory
from routing.core.vocabulary import ReservationStatus
from routing.db.consistent import consistent_snapshot
from routing.models import (
    Activity,
    ActivityFigure,
    Bookmark,
    Event,
    Reservation,
    SlotFigure,
    Worker,
    Workspace,
)
from routing.models.figures import QUARTER
from routing.statistics import bookkeeper

SETTLED_AFTER: Final = timedelta(seconds=30)
"""How long after its end a quarter is written, when every action of it has ended."""
MOST_QUARTERS: Final = 8
"""Most quarters that one run writes, which limits its memory."""

_MINUTE_MS: Final = 60_000
_CHUNK: Final = 2_000


class _Undone(NamedTuple):
    """An event, with the data that undoing it needs."""

    event_type: str
    ms: int
    worker: int
    channel: int
    was_wrapping: bool
    previous_activity: str | None
    previous_capacity: str | None
    changes: str | None
    channels: str | None


_writing: Final = threading.Lock()
"""Held while this process writes. A second writer would compute the same quarters in vain."""


def write_slot_figures(*, now: datetime) -> int:
    """Write the quarters of every workspace that are over; return how many there were.

    Returns 0 while another thread of this process does that.
    """
    if not _writing.acquire(blocking=False):
        return 0
    try:
        return _write_workspaces(now)
    finally:
        _writing.release()


def _write_workspaces(now: datetime) -> int:
    end = bookkeeper.floor_minute(now - SETTLED_AFTER)
    written = 0
    due = Bookmark.objects.filter(Q(slots_minute=None) | Q(slots_minute__lt=end))
    for mark in due.select_related("workspace").order_by("pk"):
        written += write_workspace(mark, end=end)
    return written


def write_workspace(mark: Bookmark, *, end: int) -> int:
    """Write the quarters of a workspace before a minute that are not written yet.

    Returns 0 also when another process has written them.
    """
    start = mark.slots_minute
    if start is None:
        start = _find_first_quarter(mark.workspace, end)
    end = min(end, start + MOST_QUARTERS * QUARTER)
    rows: list[SlotFigure | ActivityFigure] = []
    if start < end:
        with consistent_snapshot():
            histories = walk_back(mark.workspace, start=start, end=end)
        for worker, history in histories.items():
            rows += _list_rows(mark.workspace, worker, history)
    with transaction.atomic():
        here = Bookmark.objects.filter(pk=mark.pk, slots_minute=mark.slots_minute)
        if not here.update(slots_minute=end):
            return 0
        for model in (SlotFigure, ActivityFigure):
            some = [row for row in rows if isinstance(row, model)]
            model._default_manager.bulk_create(some, batch_size=500)  # type: ignore[arg-type]
    return (end - start) // QUARTER


def _find_first_quarter(workspace: Workspace, end: int) -> int:
    """Return the quarter in which the log of a new workspace begins."""
    rows = Event.objects.filter(workspace_sid=workspace.sid).order_by("event_date", "id")
    oldest = rows.values_list("event_date", flat=True).first()
    return end if oldest is None else min(bookkeeper.floor_minute(oldest), end)


def walk_back(workspace: Workspace, *, start: int, end: int) -> dict[int, WorkerHistory]:
    """Return what happened to the slots of every worker between two minutes, by worker's key."""
    start_ms, end_ms = start * _MINUTE_MS, end * _MINUTE_MS
    walk = _Walk(workspace, start_ms, end_ms)
    columns = (
        *("id", "event_type", "event_date", "worker_key", "task_channel_key", "wrapping_ms"),
        KT("event_data__worker_previous_activity_sid"),
        KT("event_data__worker_channel_previous_capacity"),
        KT("event_data__changes"),
        KT("event_data__worker_channels"),
    )
    rows = Event.objects.filter(
        workspace_sid=workspace.sid,
        event_type__in=[event_type.value for event_type in _UNDO],
        event_date__gte=moment(start_ms * 1000),
    )
    # The events of one worker are written under its lock, so their ids are in order.
    for _, kind, date, worker, channel, wrapping, *texts in (
        rows.order_by("-id").values_list(*columns).iterator(chunk_size=_CHUNK)
    ):
        ms = microseconds(date) // 1000
        event = _Undone(kind, ms, worker or 0, channel or 0, wrapping is not None, *texts)
        _UNDO[E(kind)](walk, event)
    for history in walk.histories.values():
        history.go_back(start_ms)
    return walk.histories


class _Walk:
    """The workers of a workspace, at the moment up to which events are undone."""

    def __init__(self, workspace: Workspace, start_ms: int, end_ms: int) -> None:
        self._start_ms, self._end_ms = start_ms, end_ms
        self.takes_work = _load_activities(workspace)
        self.is_one_slot = not workspace.multi_task_enabled
        self.histories: dict[int, WorkerHistory] = {}
        load: dict[int, list[ReservationStatus]] = defaultdict(list)
        for slot, status in (
            Reservation.objects.open()
            .filter(workspace=workspace)
            .values_list("worker_channel_id", "reservation_status")
        ):
            load[slot or 0].append(ReservationStatus(status))
        workers = Worker.objects.filter(workspace=workspace).select_related("activity")
        for worker in workers.prefetch_related("channels__task_channel"):
            history = self.find(sids.index_key(worker.sid))
            history.exists = True
            history.activity = sids.index_key(worker.activity.sid)
            history.takes_work = worker.activity.available
            for row in worker.channels.all():
                pending = load[row.pk].count(ReservationStatus.PENDING)
                history.channels[sids.index_key(row.task_channel.sid)] = ChannelState(
                    capacity=row.configured_capacity,
                    available=row.available,
                    busy=len(load[row.pk]) - pending,
                    offered=pending,
                )

    def find(self, worker: int) -> WorkerHistory:
        """Return a worker's history; one who is not there was deleted, or is not there yet."""
        found = self.histories.get(worker)
        if found is None:
            found = self.histories[worker] = WorkerHistory(
                start_ms=self._start_ms,
                end_ms=self._end_ms,
                until_ms=self._end_ms,
                exists=False,
                is_one_slot=self.is_one_slot,
            )
        return found

    def before(self, event: _Undone) -> WorkerHistory:
        """Return the worker of an event, as they were right after it."""
        history = self.find(event.worker)
        history.go_back(event.ms)
        return history

    def slot(self, event: _Undone) -> ChannelState:
        """Return the slots that an event is about, as they were right after it."""
        return self.before(event).channels.setdefault(event.channel, ChannelState())


def _load_activities(workspace: Workspace) -> dict[str, bool]:
    """Return for every activity, deleted ones too, whether its workers take work."""
    rows = Event.objects.filter(
        workspace_sid=workspace.sid, event_type=E.ACTIVITY_DELETED.value
    ).values_list("resource_sid", KT("event_data__activity_available"))
    found = {sid: text == "true" for sid, text in rows}
    present = Activity.objects.filter(workspace=workspace).values_list("sid", "available")
    return found | dict(present)


def _undo_activity(walk: _Walk, event: _Undone) -> None:
    history = walk.before(event)
    sid = event.previous_activity or ""
    history.activity = sids.index_key(sid) if sid else 0
    history.takes_work = walk.takes_work.get(sid, False)


def _undo_deletion(walk: _Walk, event: _Undone) -> None:
    """Bring a worker back, who left the activity that the event names."""
    _undo_activity(walk, event)
    history = walk.find(event.worker)
    history.exists = True
    for sid, (capacity, available, _) in json.loads(event.channels or "{}").items():
        history.channels[sids.index_key(sid)] = ChannelState(capacity, available)


def _undo_creation(walk: _Walk, event: _Undone) -> None:
    walk.before(event).exists = False


def _undo_capacity(walk: _Walk, event: _Undone) -> None:
    walk.slot(event).capacity = int(event.previous_capacity or 0)


def _undo_availability(walk: _Walk, event: _Undone) -> None:
    slot = walk.slot(event)
    slot.available = not slot.available


def _undo_new_channel(walk: _Walk, event: _Undone) -> None:
    for history in walk.histories.values():
        history.go_back(event.ms)
        history.channels.pop(event.channel, None)


def _undo_deleted_channel(walk: _Walk, event: _Undone) -> None:
    for sid, (capacity, available, _) in json.loads(event.channels or "{}").items():
        history = walk.find(sids.index_key(sid))
        history.go_back(event.ms)
        history.channels[event.channel] = ChannelState(capacity, available)


def _undo_workspace(walk: _Walk, event: _Undone) -> None:
    changes = json.loads(event.changes or "{}")
    if "multi_task_enabled" not in changes:
        return
    walk.is_one_slot = changes["multi_task_enabled"][0] == "false"
    for history in walk.histories.values():
        history.go_back(event.ms)
        history.is_one_slot = walk.is_one_slot


def _change_slot(busy: int, offered: int) -> Callable[[_Walk, _Undone], None]:
    """Return what undoes an event that has changed the slots in use by the opposite of this."""

    def undo(walk: _Walk, event: _Undone) -> None:
        slot = walk.slot(event)
        slot.busy += busy
        slot.offered += offered

    return undo


_UNDO: Final[Mapping[E, Callable[[_Walk, _Undone], None]]] = {
    E.WORKER_ACTIVITY_UPDATE: _undo_activity,
    E.WORKER_DELETED: _undo_deletion,
    E.WORKER_CREATED: _undo_creation,
    E.WORKER_CAPACITY_UPDATE: _undo_capacity,
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: _undo_availability,
    E.TASK_CHANNEL_CREATED: _undo_new_channel,
    E.TASK_CHANNEL_DELETED: _undo_deleted_channel,
    E.WORKSPACE_UPDATED: _undo_workspace,
    E.RESERVATION_CREATED: _change_slot(0, -1),
    E.RESERVATION_ACCEPTED: _change_slot(-1, 1),
    E.RESERVATION_REJECTED: _change_slot(0, 1),
    E.RESERVATION_TIMEOUT: _change_slot(0, 1),
    E.RESERVATION_CANCELED: _change_slot(0, 1),
    E.RESERVATION_RESCINDED: _change_slot(0, 1),
    E.RESERVATION_COMPLETED: _change_slot(1, 0),
}


def _list_rows(
    workspace: Workspace, worker: int, history: WorkerHistory
) -> list[SlotFigure | ActivityFigure]:
    rows: list[SlotFigure | ActivityFigure] = []
    seen = set()
    for (quarter, channel), time in history.slots.items():
        if time.is_shown:
            seen.add(quarter)
            rows.append(
                SlotFigure(
                    workspace=workspace,
                    minute=quarter * QUARTER,
                    worker_key=worker,
                    task_channel_key=channel,
                    busy_ms=time.busy,
                    free_ms=time.free,
                    offered_ms=time.offered,
                    closed_ms=time.closed,
                    effort_ms=round(time.effort),
                )
            )
    rows += [
        ActivityFigure(
            workspace=workspace,
            minute=quarter * QUARTER,
            worker_key=worker,
            activity_key=activity,
            total_ms=total,
        )
        for (quarter, activity), total in history.activities.items()
        if quarter in seen
    ]
    return rows
