"""Metrics of workspaces and channels, from their pictures and from totals that never fall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Sum

from config.metrics import catalog
from config.metrics.sheet import Sheet
from routing import sids
from routing.core.alerting import AlertLevel
from routing.core.clock import microseconds
from routing.core.stays import StayEnd
from routing.core.vocabulary import AssignmentStatus, ReservationOrigin
from routing.core.waits import Waits
from routing.models import MetricTotal, Workspace
from supervisors import reading
from supervisors.picture import Picture, State, Tasks

NO_CHANNEL: Final = ""
"""The label of what belongs to a deleted channel, so that sums over channels never fall."""
UNKNOWN: Final = "unknown"
STATUSES: Final = (
    (AssignmentStatus.PENDING, "waiting"),
    (AssignmentStatus.RESERVED, "offered"),
    (AssignmentStatus.ASSIGNED, "in_work"),
    (AssignmentStatus.WRAPPING, "wrapping"),
)
"""Statuses, with their fields of `Tasks`."""
_OUTCOMES: Final = (*("accepted", "rejected", "missed", "rescinded", "canceled_offers"),)
_NOT_OFFERED: Final = frozenset({ReservationOrigin.GRAB.value, ReservationOrigin.ASSIGNED.value})
"""Origins of reservations that were never an offer: the worker has accepted before."""

ChannelNames = Mapping[int, str]
"""The label of each channel by its key."""


def add_picture(sheet: Sheet, workspace: Workspace, picture: Picture, *, now: datetime) -> None:
    """Add what is true now."""
    setup, everyone, sid = picture.setup, picture.everyone, workspace.sid
    sheet.put(catalog.WORKSPACE_INFO, 1, sid, workspace.friendly_name)
    for pk, channel in setup.channels.items():
        name = channel.unique_name
        put_tasks(sheet, catalog.TASKS, picture.tasks_of(None, [pk]), sid, name)
        longest = picture.longest_of(None, [pk])
        seconds = age_seconds(longest.since_us, now) if longest else 0.0
        sheet.put(catalog.LONGEST_WAIT, seconds, sid, name)
        sheet.put(catalog.OVERDUE, picture.recent_of(None, [pk]).overdue, sid, name)
        if setup.multi_task:
            slots = everyone.channel(pk)
            for state, number in (
                ("busy", slots.busy),
                ("offered", slots.offered),
                ("free", slots.for_router),
                ("kept", slots.kept),
                ("closed", slots.closed),
            ):
                sheet.put(catalog.SLOTS, number, sid, name, state)
    for each in State:
        sheet.put(catalog.WORKERS, everyone.by_state.get(each.value, 0), sid, each.value)
    for level in AlertLevel:
        open_ = sum(alert.level == level.value for alert in picture.alerts)
        sheet.put(catalog.ALERTS, open_, sid, level.value)
    if reading.find_connected(now=now) is not None:
        sheet.put(catalog.WITHOUT_DESK, len(picture.unreachable), sid)


def put_tasks(sheet: Sheet, family: catalog.Family, tasks: Tasks, *labels: str) -> None:
    """Add the numbers of tasks by status."""
    for status, name in STATUSES:
        sheet.put(family, max(getattr(tasks, name), 0), *labels, status.value)


def age_seconds(since_us: int, now: datetime) -> float:
    """Return for how long something has lasted."""
    return max(microseconds(now) - since_us, 0) / 1_000_000


def list_channels(picture: Picture) -> ChannelNames:
    """Return the labels of a workspace's channels."""
    channels = picture.setup.channels.values()
    return {sids.index_key(each.sid): each.unique_name for each in channels}


def add_totals(sheet: Sheet, floors: Sequence[tuple[Workspace, Picture]]) -> None:
    """Add counters and histograms, which the bookkeeper keeps in rows."""
    found = {workspace.pk: (workspace.sid, list_channels(each)) for workspace, each in floors}
    for sid, channels in found.values():
        for name in channels.values():
            _put_zeros(sheet, sid, name)
    waits: dict[tuple[catalog.Family, tuple[str, ...]], Waits] = defaultdict(Waits)
    rows = MetricTotal.objects.filter(workspace__in=list(found)).order_by()
    grouped = rows.values_list("workspace", "task_channel_key", "origin", "measure")
    for workspace, channel, origin, measure, total in grouped.annotate(Sum("value")):
        sid, channels = found[workspace]
        labels = sid, channels.get(channel, NO_CHANNEL)
        _put_total(sheet, measure, origin, int(total), *labels)
        name, _, place = measure.partition(":")
        if name in _HISTOGRAMS:
            family, more = _HISTOGRAMS[name]
            is_count = bool(place)
            waits[family, (*labels, *more)].add_place(
                int(place) if is_count else 0,
                int(total) if is_count else 0,
                0 if is_count else int(total),
            )
    for (family, every), each in waits.items():
        if each.count:
            sheet.put_waits(family, each, *every)


_HISTOGRAMS: Final[Mapping[str, tuple[catalog.Family, tuple[str, ...]]]] = {
    **{
        f"{end}_{name}": (catalog.WAIT, (end,))
        for end in (StayEnd.ANSWERED.value, StayEnd.ABANDONED.value)
        for name in ("wait", "wait_ms")
    },
    "handled": (catalog.HANDLE, ()),
    "handled_ms": (catalog.HANDLE, ()),
}


def _put_zeros(sheet: Sheet, sid: str, channel: str) -> None:
    """Begin every counter at 0, as a rate needs a value before the first increase."""
    sheet.put(catalog.TASKS_CREATED, 0, sid, channel)
    for end in StayEnd:
        sheet.put(catalog.STAYS_ENDED, 0, sid, channel, end.value)
    for origin in ReservationOrigin:
        sheet.put(catalog.ANSWERS, 0, sid, channel, origin.value)
    for outcome in _OUTCOMES:
        sheet.put(catalog.OFFERS, 0, sid, channel, _name_outcome(outcome))


def _put_total(sheet: Sheet, measure: str, origin: str, total: int, sid: str, channel: str) -> None:
    if measure == "tasks_created":
        sheet.put(catalog.TASKS_CREATED, total, sid, channel)
    elif measure in _ENDS:
        sheet.put(catalog.STAYS_ENDED, total, sid, channel, measure)
    if measure == "accepted":
        sheet.put(catalog.ANSWERS, total, sid, channel, origin or UNKNOWN)
    if measure in _OUTCOMES and not (measure == "accepted" and origin in _NOT_OFFERED):
        sheet.put(catalog.OFFERS, total, sid, channel, _name_outcome(measure))


_ENDS: Final = frozenset(end.value for end in StayEnd)


def _name_outcome(measure: str) -> str:
    return "canceled" if measure == "canceled_offers" else measure
