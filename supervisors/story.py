"""The story of a task: its events in sentences, those of one moment together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models, sids
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import ReservationEnd
from supervisors import spans
from supervisors.change_words import name_field
from supervisors.changes import load_actors
from supervisors.panel import Context, Panel, Scene
from supervisors.spans import Happening, Kind
from supervisors.task import find_task
from supervisors.tasks import STALE_ON

MOST_EVENTS: Final = 500
"""The number of events that are shown, the newest ones."""
LONGEST_VALUE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field that an event changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one act or one decision did to a task.

    Arguments:
        kind: what the entry is about, for its mark: `waiting`, `offer`, `work` or `end`.
        note: what the supervisor wrote beside it.
        gap_ms: the time since the entry before; None for the first.
    """

    at_us: int
    kind: str
    sentences: Sequence[str]
    changes: Sequence[Change]
    actor: str
    note: str
    gap_ms: int | None


_SENTENCES: Final[Mapping[str, Promise]] = {
    E.TASK_CREATED: gettext_lazy("Created with priority %(priority)s."),
    E.TASK_UPDATED: gettext_lazy("Changed."),
    E.TASK_QUEUE_ENTERED: gettext_lazy("Entered the queue %(queue)s."),
    E.TASK_QUEUE_TIMEOUT: gettext_lazy("The step in the queue %(queue)s ended by its timeout."),
    E.TASK_QUEUE_MOVED: gettext_lazy("Moved to the queue %(queue)s."),
    E.WORKFLOW_ENTERED: gettext_lazy("Entered the workflow %(workflow)s."),
    E.WORKFLOW_TARGET_MATCHED: gettext_lazy("Matched the filter %(filter)s."),
    E.WORKFLOW_TIMEOUT: gettext_lazy("The workflow ended without an agent."),
    E.WORKFLOW_SKIPPED: gettext_lazy("All steps of the workflow were skipped."),
    E.TASK_WRAPUP: gettext_lazy("Wrap-up began."),
    E.TASK_COMPLETED: gettext_lazy("Completed. %(reason)s"),
    E.TASK_CANCELED: gettext_lazy("Canceled. %(reason)s"),
    E.TASK_TAKEN_BACK: gettext_lazy("Taken back, so that it waits again. %(reason)s"),
    E.TASK_TRANSFER_INITIATED: gettext_lazy("A transfer began."),
    E.TASK_TRANSFER_ATTEMPT_FAILED: gettext_lazy("An offer of the transfer failed."),
    E.TASK_TRANSFER_FAILED: gettext_lazy("The transfer failed."),
    E.TASK_TRANSFER_CANCELED: gettext_lazy("The transfer was canceled."),
    E.TASK_TRANSFER_COMPLETED: gettext_lazy("The transfer was completed."),
    E.RESERVATION_CREATED: gettext_lazy("Offered to %(worker)s."),
    E.RESERVATION_ACCEPTED: gettext_lazy("%(worker)s accepted it."),
    E.RESERVATION_REJECTED: gettext_lazy("%(worker)s rejected it. %(rejection)s"),
    E.RESERVATION_TIMEOUT: gettext_lazy("%(worker)s let the offer expire."),
    E.RESERVATION_CANCELED: gettext_lazy("The offer to %(worker)s was canceled."),
    E.RESERVATION_RESCINDED: gettext_lazy("The offer to %(worker)s was withdrawn."),
    E.RESERVATION_WRAPUP: gettext_lazy("%(worker)s began to wrap up."),
    E.RESERVATION_WRAPUP_EXTENDED: gettext_lazy("%(worker)s got more time to wrap up."),
    E.RESERVATION_COMPLETED: gettext_lazy("%(worker)s completed it. %(outcome)s"),
}
_TAKEN_FROM: Final = gettext_lazy("Taken from %(worker)s.")
"""The end of a reservation whose task was taken back: the worker did not complete it."""
_SPANS: Final[Mapping[Kind, Promise]] = {
    Kind.WAITING: gettext_lazy("Waiting"),
    Kind.OFFER: gettext_lazy("On offer"),
    Kind.WORK: gettext_lazy("In work"),
    Kind.WRAPPING: gettext_lazy("Wrapping up"),
}
_ENDS: Final = frozenset((E.TASK_COMPLETED, E.TASK_CANCELED))
_WORK: Final = frozenset(
    (
        *(E.RESERVATION_ACCEPTED, E.RESERVATION_WRAPUP, E.RESERVATION_WRAPUP_EXTENDED),
        *(E.RESERVATION_COMPLETED, E.TASK_WRAPUP),
    )
)


def load_story(scene: Scene) -> Context:
    """Return the events of a task in order, the newest ones of many."""
    task = find_task(scene)
    rows = models.Event.objects.filter(
        task_key=sids.index_key(task.sid), workspace_sid=scene.workspace.sid
    ).order_by("-event_date", "-pk")
    found = [row for row in rows[: MOST_EVENTS + 1] if row.event_data.get("task_sid") == task.sid]
    actors = load_actors(scene.workspace, [row.actor_sid or "" for row in found])
    entries = build_entries(found[:MOST_EVENTS][::-1], actors)
    happenings = [
        Happening(
            event.event_type,
            microseconds(event.event_date),
            event.event_data.get("reservation_sid") or "",
        )
        for event in found[:MOST_EVENTS][::-1]
    ]
    bar = spans.build_spans(happenings, now_us=microseconds(scene.now))
    return {
        "entries": entries,
        "is_cut": len(found) > MOST_EVENTS,
        "most": MOST_EVENTS,
        "bar": [{"span": one, "name": _SPANS[one.kind]} for one in bar],
        "width": spans.WIDTH,
        "times": [
            {"kind": kind.value, "name": _SPANS[kind], "took_ms": took_ms}
            for kind, took_ms in spans.sum_spans(bar).items()
        ],
    }


def build_entries(events: Sequence[models.Event], actors: Mapping[str, str]) -> list[Entry]:
    """Return the entries of a story; events of one moment and one cause are one entry.

    Arguments:
        actors: the names of actors by sid.
    """
    groups: list[list[models.Event]] = []
    for event in events:
        if groups and _cause(groups[-1][0]) == _cause(event):
            groups[-1].append(event)
        else:
            groups.append([event])
    entries: list[Entry] = []
    for group in groups:
        at_us = microseconds(group[0].event_date)
        # The creation is recorded last of what it brings about.
        group.sort(key=lambda event: event.event_type != E.TASK_CREATED)
        sentences = [_write_sentence(event) for event in group]
        entries.append(
            Entry(
                at_us=at_us,
                kind=_find_kind(group),
                sentences=list(dict.fromkeys(sentences)),
                changes=[change for event in group for change in _list_changes(event)],
                actor=_name_actor(group[0], actors),
                note=group[0].event_data.get("note") or "",
                gap_ms=(at_us - entries[-1].at_us) // 1000 if entries else None,
            )
        )
    return entries


def _cause(event: models.Event) -> tuple[Any, ...]:
    return event.event_date, event.actor_type, event.actor_sid


def _write_sentence(event: models.Event) -> str:
    data = event.event_data
    reason, outcome = data.get("reason"), data.get("reservation_outcome_code")
    rejection = data.get("reservation_rejection_reason")
    sentence = _SENTENCES.get(event.event_type)
    if data.get("reservation_ended_by") == ReservationEnd.TAKEN_BACK:
        sentence = _TAKEN_FROM
    if sentence is None:
        return event.description
    return (
        str(sentence)
        % {
            "priority": data.get("task_priority") or 0,
            "queue": data.get("task_queue_name") or "–",
            "workflow": data.get("workflow_name") or "–",
            "filter": data.get("workflow_filter_name") or "–",
            "worker": data.get("worker_name") or "–",
            "reason": _("Reason: %(reason)s") % {"reason": reason} if reason else "",
            "rejection": _("Reason: %(reason)s") % {"reason": rejection} if rejection else "",
            "outcome": _("Outcome: %(outcome)s") % {"outcome": outcome} if outcome else "",
        }
    ).strip()


def _find_kind(events: Sequence[models.Event]) -> str:
    types = {event.event_type for event in events}
    if types & _ENDS:
        return "end"
    if types & _WORK:
        return "work"
    return "offer" if any(name.startswith("reservation.") for name in types) else "waiting"


def _list_changes(event: models.Event) -> list[Change]:
    """Return the fields that an event changed, each with its old and its new value."""
    try:
        changed = json.loads(event.event_data.get("changes") or "{}")
    except ValueError:
        return []
    return [
        Change(field=name_field(name), before=_shorten(old), after=_shorten(new))
        for name, (old, new) in changed.items()
    ]


def _shorten(value: str | None) -> str:
    text = "–" if value is None else value
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _name_actor(event: models.Event, actors: Mapping[str, str]) -> str:
    match event.actor_type:
        case "system":
            return _("the router")
        case "worker":
            return event.event_data.get("worker_name") or event.actor_sid or ""
        case _:
            sid = event.actor_sid or event.actor_type
            return actors.get(sid, sid)


PANELS: Final = (Panel(name="story", load=load_story, from_picture=False, stale_on=STALE_ON),)
