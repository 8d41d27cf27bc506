"""Who changed what: supervisors' acts and all other recorded changes, in one list, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from routing import models
from routing.core.clock import microseconds, moment
from routing.core.event_catalog import EventType as E
from supervisors.commands import COMMANDS

PAGE: Final = 50
MOST_EVENTS: Final = 10_000
"""Events that a filtered list looks at; it says so where this ends it."""
_CHUNK: Final = 500

SHOWN: Final = (
    *(E.WORKSPACE_CREATED, E.WORKSPACE_UPDATED),
    *(E.ACTIVITY_CREATED, E.ACTIVITY_UPDATED, E.ACTIVITY_DELETED),
    *(E.TASK_CHANNEL_CREATED, E.TASK_CHANNEL_UPDATED, E.TASK_CHANNEL_DELETED),
    *(E.OUTCOME_CODE_CREATED, E.OUTCOME_CODE_UPDATED, E.OUTCOME_CODE_DELETED),
    *(E.THRESHOLD_CREATED, E.THRESHOLD_UPDATED, E.THRESHOLD_DELETED, E.ALERT_ACKNOWLEDGED),
    *(E.TASK_QUEUE_CREATED, E.TASK_QUEUE_UPDATED, E.TASK_QUEUE_EXPRESSION_UPDATED),
    *(E.TASK_QUEUE_DELETED, E.WORKFLOW_CREATED, E.WORKFLOW_UPDATED, E.WORKFLOW_DELETED),
    *(E.WORKER_CREATED, E.WORKER_ATTRIBUTES_UPDATE, E.WORKER_ACTIVITY_UPDATE, E.WORKER_DELETED),
    *(E.WORKER_CAPACITY_UPDATE, E.WORKER_CHANNEL_AVAILABILITY_UPDATE),
    *(E.TASK_UPDATED, E.TASK_CANCELED, E.TASK_DELETED, E.TASK_TAKEN_BACK),
)
"""Event types that record a change by a person, a program or the router."""
_SUBJECT_NAMES: Final = (
    *(
        "worker_name",
        "threshold_figure",
        "alert_figure",
        "task_queue_name",
        "workflow_name",
        "activity_name",
    ),
    *("task_channel_name", "outcome_code_name", "task_sid", "workspace_name"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is narrowed to; an empty value is no restriction."""

    person: str = ""
    subject: str = ""
    command: str = ""
    field: str = ""

    def __bool__(self) -> bool:
        return any((self.person, self.subject, self.command, self.field))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value that changed."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the list: an act of a supervisor, or an event.

    Arguments:
        kind: the command, or the event type.
        subject_sid: the sid of the one row that it concerns; empty for several.
        attributes: those of the task that it concerns; empty for another subject.
        batch: the act; None for an event.
    """

    sid: str
    at: datetime
    who: str
    actor_type: str
    source: str
    ip_address: str
    kind: str
    subject: str
    subject_sid: str = ""
    attributes: str = ""
    note: str = ""
    lines: Sequence[Line] = ()
    batch: models.Batch | None = None

    @property
    def place(self) -> str:
        """Return the place in the list after which the next page begins."""
        return f"{microseconds(self.at)}.{self.sid}"


@dataclass(slots=True)
class Listed:
    """A page of the list. `is_cut` tells that a filter looked at `MOST_EVENTS` events only."""

    entries: list[Entry] = field(default_factory=list)
    after: str = ""
    is_cut: bool = False


def list_changes(
    workspace: models.Workspace, filters: Filters, *, after: str = "", most: int = PAGE
) -> Listed:
    """Return the newest changes after a place, merged from acts and events."""
    found = Listed()
    acts = _list_acts(workspace, filters, after)
    events = _list_events(workspace, filters, after, found)
    for entry in _merge(acts, events):
        if len(found.entries) == most:
            found.after = found.entries[-1].place
            break
        found.entries.append(entry)
    return found


def _merge(acts: Iterator[Entry], events: Iterator[Entry]) -> Iterator[Entry]:
    """Yield the entries of two lists, each newest first, in one order."""
    act, event = next(acts, None), next(events, None)
    while act is not None or event is not None:
        if event is None or (act is not None and (act.at, act.sid) > (event.at, event.sid)):
            assert act is not None
            yield act
            act = next(acts, None)
        else:
            yield event
            event = next(events, None)


def parse_place(after: str) -> tuple[datetime, str] | None:
    """Return the moment and sid of a place; None if it is malformed."""
    text, _, sid = after.partition(".")
    if not text.isdecimal() or len(text) > 17:
        return None
    return moment(int(text)), sid


def _before(after: str, column: str) -> Q:
    place = parse_place(after)
    if place is None:
        return Q()
    at, sid = place
    return Q(**{f"{column}__lt": at}) | Q(**{column: at, "sid__lt": sid})


def _list_acts(workspace: models.Workspace, filters: Filters, after: str) -> Iterator[Entry]:
    wanted = Q(rows__new__has_key=filters.field) if filters.field else Q()
    rows = models.Batch.objects.filter(wanted, _before(after, "date_created"), workspace=workspace)
    if filters.person:
        rows = rows.filter(actor_sid__iexact=filters.person)
    if filters.command:
        rows = rows.filter(command=filters.command)
    if filters.subject:
        named = Q(rows__subject_name__iexact=filters.subject)
        rows = rows.filter(named | Q(rows__subject_sid=filters.subject))
    if filters.field or filters.subject:
        rows = rows.distinct()
    rows = rows.select_related("workspace").order_by("-date_created", "-sid")
    for batch in rows.iterator(chunk_size=PAGE):
        first = batch.rows.order_by("position").first() if batch.size == 1 else None
        yield Entry(
            sid=batch.sid,
            at=batch.date_created,
            who=batch.actor_sid,
            actor_type="user",
            source="supervisor",
            ip_address=batch.ip_address or "",
            kind=batch.command,
            subject="" if first is None else first.subject_name or first.subject_sid,
            subject_sid="" if first is None else first.subject_sid,
            note=batch.note or "",
            lines=() if first is None else list_lines(first.old, first.new),
            batch=batch,
        )


def _list_events(
    workspace: models.Workspace, filters: Filters, after: str, found: Listed
) -> Iterator[Entry]:
    """Yield the events that change something and are no part of an act."""
    if filters.command in COMMANDS:
        return
    kinds = [each.value for each in SHOWN if filters.command in ("", each.value)]
    if not kinds:
        return
    looked_at, place = 0, after
    while True:
        rows = models.Event.objects.filter(
            _before(place, "event_date"), workspace_sid=workspace.sid, event_type__in=kinds
        )
        if filters.person:
            rows = rows.filter(actor_sid__iexact=filters.person)
        chunk = list(rows.order_by("-event_date", "-sid")[:_CHUNK])
        for event in chunk:
            entry = _build_entry(event)
            if entry is not None and _fits(entry, event, filters):
                yield entry
        if len(chunk) < _CHUNK:
            return
        looked_at += len(chunk)
        if looked_at >= MOST_EVENTS:
            found.is_cut = True
            return
        place = f"{microseconds(chunk[-1].event_date)}.{chunk[-1].sid}"


def _build_entry(event: models.Event) -> Entry | None:
    data = event.event_data
    lines = _read_lines(event)
    if data.get("batch_sid") or (event.event_type == E.TASK_UPDATED and not lines):
        return None
    return Entry(
        sid=event.sid,
        at=event.event_date,
        who=event.actor_sid or "",
        actor_type=event.actor_type,
        source=event.source,
        ip_address=event.source_ip_address or "",
        kind=event.event_type,
        subject=_name_subject(event),
        subject_sid=_find_subject(event),
        attributes=data.get("task_attributes") or "" if event.resource_type == "task" else "",
        lines=lines,
    )


def _find_subject(event: models.Event) -> str:
    kind = event.resource_type.replace("-", "_")
    return str(event.event_data.get(f"{kind}_sid") or "")


def _name_subject(event: models.Event) -> str:
    data, first = event.event_data, event.resource_type.replace("-", "_")
    own = data.get(f"{first}_name") or data.get(f"{first}_sid")
    return str(own or next((data[name] for name in _SUBJECT_NAMES if data.get(name)), ""))


def _fits(entry: Entry, event: models.Event, filters: Filters) -> bool:
    subject = filters.subject.casefold()
    if subject and subject not in (entry.subject.casefold(), event.resource_sid.casefold()):
        return False
    return not filters.field or any(line.field == filters.field for line in entry.lines)


def _read_lines(event: models.Event) -> list[Line]:
    """Return the values that an event changed, from its field `changes` or from its own fields."""
    data: Mapping[str, Any] = event.event_data
    try:
        changes = json.loads(data.get("changes") or "{}")
    except ValueError:
        changes = {}
    if isinstance(changes, dict) and changes:
        return [
            Line(field=name, old=_text(pair[0]), new=_text(pair[1]))
            for name, pair in changes.items()
            if isinstance(pair, list) and len(pair) == 2
        ]
    match event.event_type:
        case E.WORKER_ACTIVITY_UPDATE:
            names = ("worker_previous_activity_name", "worker_activity_name")
            return [
                Line(field="activity", old=_text(data.get(names[0])), new=_text(data.get(names[1])))
            ]
        case E.WORKER_CAPACITY_UPDATE:
            old = data.get("worker_channel_previous_capacity")
            new = data.get("worker_channel_available_capacity")
            return [Line(field="configured_capacity", old=_text(old), new=_text(new))]
        case E.TASK_CANCELED | E.TASK_TAKEN_BACK if data.get("reason"):
            return [Line(field="reason", old="", new=_text(data["reason"]))]
        case E.WORKER_CHANNEL_AVAILABILITY_UPDATE:
            on = data.get("worker_channel_available")
            return [Line(field="available", old="", new=_text(on))]
        case _:
            return []


def list_lines(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    names: Mapping[str, str] | None = None,
) -> list[Line]:
    """Return what a row of an act had and got, by field.

    Arguments:
        names: names of what sids refer to.
    """
    before, after, names = old or {}, new or {}, names or {}

    def write(value: Any) -> str:
        return names.get(value, _text(value)) if isinstance(value, str) else _text(value)

    return [
        Line(field=name, old=write(before.get(name)), new=write(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_NAMED: Final[Mapping[str, Any]] = {
    "WA": models.Activity,
    "WK": models.Worker,
    "WQ": models.TaskQueue,
    "WW": models.Workflow,
    "TC": models.TaskChannel,
}


def load_actors(workspace: models.Workspace, wanted: Iterable[str]) -> dict[str, str]:
    """Return the names of the programs and workers among these actors, by sid."""
    found = {one for one in wanted if one}
    names = load_names(workspace, found)
    keys = models.ApiKey.objects.filter(account=workspace.account_id, sid__in=found)
    names.update((sid, name) for sid, name in keys.values_list("sid", "friendly_name") if name)
    if workspace.account.sid in found:
        names[workspace.account.sid] = workspace.account.friendly_name
    return names


def load_names(workspace: models.Workspace, values: Iterable[Any]) -> dict[str, str]:
    """Return the names of the rows of a workspace that these values name by their sids."""
    wanted: dict[str, set[str]] = {}
    for value in values:
        if isinstance(value, str) and value[:2] in _NAMED and len(value) == 34:
            wanted.setdefault(value[:2], set()).add(value)
    names: dict[str, str] = {}
    for prefix, found in wanted.items():
        rows = _NAMED[prefix]._default_manager.filter(workspace=workspace, sid__in=found)
        names.update(rows.values_list("sid", "friendly_name"))
    return names
