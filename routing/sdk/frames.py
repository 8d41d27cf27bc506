"""Build the SDK's messages for events: the full resource, as it was at the time of the event.

An event's own data have nearly everything. The rest never changes or is read from current rows. The
number of queries does not depend on the number of events. Events whose message carries all data
need no query (`build_frame`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing import models
from routing.core.event_catalog import EventType as E
from routing.db.compiled import SEQUENCE, CompiledQuery
from routing.fields.declarations import unix_seconds
from routing.sdk.event_payloads import (
    CHANNELS,
    PUSHED,
    RELEASES_TASK,
    RESERVATIONS,
    TASKS,
    WORKERS,
    Event,
    RelatedRows,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A message for the SDK's socket, with what a session needs to order it.

    Arguments:
        reservation_sid, version: of its reservation, if it concerns one.
        task_sid, version: of its task, if it concerns only the task.
        worker_version: the worker's version after the event; None if the event has none.
    """

    event_sid: str
    event_type: str
    text: str
    reservation_sid: str | None = None
    version: int = 0
    worker_version: int | None = None
    task_sid: str | None = None


_EVENTS: Final = CompiledQuery(
    lambda sids=SEQUENCE: models.Event.objects.filter(
        sid__in=sids, event_type__in=sorted(PUSHED)
    ).select_related("account")
)
_RESERVATIONS: Final = CompiledQuery(
    lambda sids=SEQUENCE: models.Reservation.objects.filter(sid__in=sids).select_related(
        "worker_previous_activity"
    )
)
_WORKERS: Final = CompiledQuery(lambda sids=SEQUENCE: models.Worker.objects.filter(sid__in=sids))
_AVAILABLE: Final = CompiledQuery(
    lambda sids=SEQUENCE: models.Activity.objects.filter(sid__in=sids).values_list(
        "sid", "available"
    )
)
_CHANNELS: Final = CompiledQuery(
    lambda sids=SEQUENCE: models.WorkerChannel.objects.filter(sid__in=sids)
)
_VERSIONS: Final = CompiledQuery(
    lambda sids=SEQUENCE: models.Task.objects.filter(sid__in=sids).values_list("sid", "version")
)


def load_frames(sids: Iterable[str]) -> dict[str, Frame]:
    """Return the frames of these events; deleted events have none."""
    events = [_event_of_row(row) for row in _EVENTS(list(sids))]
    related = _load_related(events)
    return {event.sid: _write_frame(event, related) for event in events}


def build_frame(message: Mapping[str, Any], *, account_sid: str) -> Frame:
    """Return the frame of an event whose message carries all data (`CARRIES_DATA`)."""
    data = message["event_data"]
    event = Event(
        sid=message["sid"],
        event_type=E(message["event_type"]),
        account_sid=account_sid,
        workspace_sid=data["workspace_sid"],
        at=message["at"],
        data=data,
    )
    return _write_frame(event, _NOTHING_RELATED)


def _event_of_row(row: models.Event) -> Event:
    return Event(
        sid=row.sid,
        event_type=E(row.event_type),
        account_sid=row.account.sid,
        workspace_sid=row.workspace_sid,
        at=unix_seconds(row.event_date),
        data=row.event_data,
    )


_NOTHING_RELATED: Final = RelatedRows({}, {}, {}, {}, {})


def _load_related(events: list[Event]) -> RelatedRows:
    def named(field: str, types: frozenset[E]) -> list[str]:
        found = {e.data.get(field) for e in events if e.event_type in types}
        return [sid for sid in found if sid]

    return RelatedRows(
        _by_sid(_RESERVATIONS(named("reservation_sid", RESERVATIONS - {E.RESERVATION_CREATED}))),
        _by_sid(_WORKERS(named("worker_sid", WORKERS))),
        dict(_AVAILABLE(named("worker_activity_sid", WORKERS))),
        _by_sid(_CHANNELS(named("worker_channel_sid", CHANNELS))),
        dict(_VERSIONS(named("task_sid", RELEASES_TASK))),
    )


def _by_sid(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.sid: row for row in rows}


def _write_frame(event: Event, related: RelatedRows) -> Frame:
    data, kind = event.data, event.event_type
    payload = PUSHED[kind](event, data, related)
    version = data.get("worker_version")
    text = json.dumps({"event_type": kind.value, "payload": payload}, ensure_ascii=False)
    return Frame(
        event_sid=event.sid,
        event_type=kind.value,
        text=text,
        reservation_sid=payload["sid"] if kind in RESERVATIONS else None,
        version=payload["version"] if kind in RESERVATIONS | TASKS else 0,
        worker_version=None if version is None else int(version),
        task_sid=payload["sid"] if kind in TASKS else None,
    )
