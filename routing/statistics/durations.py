"""Measure how long workers were in each activity within a window of time.

When a worker leaves an activity, an event stores which one and for how long. Stays that have not
ended come from the workers' rows. Both are cut to the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from routing import sids
from routing.models import Event, Worker, Workspace
from routing.statistics.cumulative import ENDS_STAY, MOST_KEYS, Durations
from routing.statistics.windows import Window

_MILLISECOND: Final = timedelta(milliseconds=1)


def measure_activities(
    workspace: Workspace,
    window: Window,
    *,
    workers: QuerySet[Worker],
    include_deleted: bool,
    now: datetime,
) -> dict[str, Durations]:
    """Return how long workers were in each of the workspace's activities, by its sid.

    Arguments:
        include_deleted: whether workers who have been deleted since count too.
    """
    activities = workspace.activities.order_by("date_created", "pk")
    found = {sid: Durations() for sid in activities.values_list("sid", flat=True)}
    present = workers.order_by("pk").values_list("sid", "activity__sid", "date_status_changed")
    worker_keys: set[int] = set()
    for worker_sid, activity_sid, since in present:
        worker_keys.add(sids.index_key(worker_sid))
        _add_stay(found, activity_sid, since, now, window)
    few = None if include_deleted or len(worker_keys) > MOST_KEYS else worker_keys
    for worker_key, activity_sid, since, until in _load_ended_stays(workspace, window, of=few):
        if include_deleted or worker_key in worker_keys:
            _add_stay(found, activity_sid, since, until, window)
    return found


def _add_stay(
    found: dict[str, Durations], activity_sid: str, since: datetime, until: datetime, window: Window
) -> None:
    """Add the part of a stay within the window, unless it is empty or the activity is gone."""
    inside = min(until, window.end) - max(since, window.start)
    if inside > timedelta() and activity_sid in found:
        found[activity_sid].add(inside // _MILLISECOND)


def _load_ended_stays(
    workspace: Workspace, window: Window, *, of: set[int] | None
) -> Iterator[tuple[int, str, datetime, datetime]]:
    """Yield every stay that ended after the window began: worker, activity, start and end.

    Arguments:
        of: the keys of the workers to load; None for all.
    """
    rows = Event.objects.filter(
        workspace_sid=workspace.sid, event_type__in=ENDS_STAY, event_date__gt=window.start
    )
    if of is not None:
        rows = rows.filter(worker_key__in=of)
    stays = rows.order_by("event_type", "event_date", "pk").values_list(
        "worker_key",
        "event_date",
        KeyTextTransform("worker_previous_activity_sid", "event_data"),
        KeyTextTransform("worker_time_in_previous_activity_ms", "event_data"),
    )
    for worker_key, until, activity_sid, milliseconds in stays.iterator(chunk_size=2_000):
        yield worker_key, activity_sid, until - int(milliseconds or 0) * _MILLISECOND, until
