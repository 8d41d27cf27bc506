"""The list "What happened": what others did to a worker, from recorded events, until dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth import get_user_model
from django.db.models import Q

from agents import cards, sentences
from agents.sentences import Happening
from routing import models, sids, task_layouts
from routing.actions import dismissals
from routing.core.event_catalog import EventType

MOST_ROWS: Final = 50
_MOST_EVENTS: Final = 2 * MOST_ROWS + 20
"""Events loaded for the rows, as some are merged with others."""
_TYPES: Final = [each.value for each in sentences.SENTENCES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list. `is_missed` marks an offer that the agent did not answer in time."""

    sid: str
    at: datetime
    sentence: str
    is_missed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HappenedPanel:
    """The list, newest first.

    Arguments:
        pinned: the line about the change that took the agent out of work, while they are out.
        back: the activity that takes work again.
        begun: whether the agent has opened a desk before; there is no list of the time before that.
    """

    rows: Sequence[Row]
    begun: bool = True
    pinned: Row | None = None
    back: models.Activity | None = None

    @property
    def newest(self) -> Row | None:
        """Return the newest line."""
        lines = [*self.rows, *([] if self.pinned is None else [self.pinned])]
        return max(lines, key=lambda row: row.at, default=None)

    @property
    def total(self) -> int:
        """Return the number of lines."""
        return len(self.rows) + (self.pinned is not None)


def load_panel(worker: models.Worker, *, now: datetime) -> HappenedPanel:
    """Return the list of a worker who has just been loaded."""
    dismissed = models.Dismissals.objects.filter(worker=worker.pk).first()
    if dismissed is None:
        return HappenedPanel(rows=[], begun=False)
    happenings, names = _load_happenings(worker, dismissed, now=now)
    rows = [
        Row(
            sid=each.sid,
            at=each.at,
            sentence=sentence,
            is_missed=each.event_type == EventType.RESERVATION_TIMEOUT,
        )
        for each in happenings
        if (sentence := sentences.describe(each, names)) is not None
    ]
    move = None if worker.activity.available else _find_move(worker, happenings)
    if move is None:
        return HappenedPanel(rows=rows)
    return HappenedPanel(
        rows=[row for row in rows if row.sid != move.sid],
        pinned=next(row for row in rows if row.sid == move.sid),
        back=_find_way_back(worker, move),
    )


def list_events(
    worker: models.Worker, *, up_to: str, with_older: bool, now: datetime
) -> dict[str, datetime]:
    """Return the moment of an event on the list, by its sid; empty if it is not there.

    Arguments:
        with_older: whether to return the events below it on the list, too.
    """
    dismissed = models.Dismissals.objects.filter(worker=worker.pk).first()
    if dismissed is None:
        return {}
    happenings, _ = _load_happenings(worker, dismissed, now=now)
    listed = [(each.sid, each.at) for each in happenings]
    known = [sid for sid, _ in listed]
    if up_to not in known:
        return {}
    place = known.index(up_to)
    return dict(listed[place:] if with_older else listed[place : place + 1])


def _load_happenings(
    worker: models.Worker, dismissed: models.Dismissals, *, now: datetime
) -> tuple[list[Happening], Mapping[str, str]]:
    """Return what happened to a worker and was not dismissed, newest first, and names by sid."""
    since = max(now - dismissals.LISTED_FOR, dismissed.until)
    login = get_user_model().objects.filter(workers=worker.pk)
    rows = models.Event.objects.filter(
        worker_key=sids.index_key(worker.sid), event_type__in=_TYPES, event_date__gt=since
    ).exclude(
        Q(actor_type="worker", actor_sid=worker.sid)
        | Q(actor_type="user", actor_sid__in=login.values("username"))
    )
    events = [
        event
        for event in rows.order_by("-event_date", "-id")[:_MOST_EVENTS]
        if event.event_data.get("worker_sid") == worker.sid
    ]
    names = _load_names(events)
    layout = task_layouts.load_layout(worker.workspace)
    happenings = sentences.merge(_build_happening(event, names, layout) for event in events)
    return [each for each in happenings if each.sid not in dismissed.events][:MOST_ROWS], names


def _build_happening(
    event: models.Event, names: Mapping[str, str], layout: task_layouts.Layout
) -> Happening:
    data = event.event_data
    task = ""
    if "task_sid" in data:
        channel = names.get(data.get("task_channel_sid") or "")
        channel = channel or data.get("task_channel_unique_name") or ""
        task = cards.name_task(data.get("task_attributes") or "", channel, layout)
    return Happening(
        sid=event.sid,
        event_type=EventType(event.event_type),
        at=event.event_date,
        actor_type=event.actor_type,
        source=event.source,
        by=names.get(event.actor_sid or "", ""),
        task=task,
        data=data,
    )


def _load_names(events: Iterable[models.Event]) -> Mapping[str, str]:
    """Return the names of what these events refer to, by sid, and of users by their login."""
    wanted: dict[type[models.Worker | models.TaskQueue | models.TaskChannel], set[str]] = {}
    users: set[str] = set()
    for event in events:
        if event.actor_type == "user" and event.actor_sid:
            users.add(event.actor_sid)
        data = event.event_data
        for sid in (event.actor_sid, data.get("transfer_to"), data.get("task_channel_sid")):
            if sid and (model := _NAMED.get(sid[:2])) is not None:
                wanted.setdefault(model, set()).add(sid)
    names = {login: login for login in users}
    if users:
        for user in get_user_model().objects.filter(username__in=users):
            names[user.get_username()] = user.get_full_name() or user.get_username()
    for model, found in wanted.items():
        rows = model._default_manager.filter(sid__in=found)
        names.update(rows.values_list("sid", "friendly_name"))
    return names


_NAMED: Final[Mapping[str, type[models.Worker | models.TaskQueue | models.TaskChannel]]] = {
    "WK": models.Worker,
    "WQ": models.TaskQueue,
    "TC": models.TaskChannel,
}


def _find_move(worker: models.Worker, happenings: Iterable[Happening]) -> Happening | None:
    """Return the happening that moved a worker into the activity they are in now, if one did."""
    for each in happenings:
        moved = each.move or (
            each.data if each.event_type == EventType.WORKER_ACTIVITY_UPDATE else None
        )
        is_absence = each.event_type == EventType.RESERVATION_TIMEOUT or each.source == "desk"
        if moved is not None and is_absence and each.at == worker.date_status_changed:
            return each
    return None


def _find_way_back(worker: models.Worker, happening: Happening) -> models.Activity | None:
    """Return the activity that a worker was in before, or else the first that takes work."""
    available = list(
        models.Activity.objects.filter(workspace=worker.workspace_id, available=True).order_by(
            "friendly_name"
        )
    )
    before = (happening.move or happening.data).get("worker_previous_activity_sid")
    previous = [activity for activity in available if activity.sid == before]
    return next(iter(previous or available), None)
