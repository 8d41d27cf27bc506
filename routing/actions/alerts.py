"""Raise, change, clear and acknowledge alerts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from routing import models, sids
from routing.actions.support import inputs
from routing.actions.support.errors import NotNow
from routing.actors import SYSTEM, Actor
from routing.core.alerting import AlertLevel, PlaceState
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder

NOTE_LIMIT: Final = 200
"""Characters of the note of an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMove:
    """A change of a threshold's switches for one place.

    Arguments:
        queue_sid, queue_name: those of the queue of the place; empty for the whole workspace.
        value: the figure that was read.
    """

    place: int
    queue_sid: str
    queue_name: str
    before: PlaceState
    after: PlaceState
    value: float | None


def apply_moves(threshold: models.Threshold, moves: Iterable[PlaceMove], *, now: datetime) -> int:
    """Store new states of a threshold, and raise, change or clear its alerts.

    A move whose state another process has changed since it was read is left out. Returns how many
    alerts were raised, changed or cleared.
    """
    return sum(_apply_move(threshold, move, now) for move in moves)


def _apply_move(threshold: models.Threshold, move: PlaceMove, now: datetime) -> bool:
    try:
        with transaction.atomic():
            if not _store_state(threshold, move):
                return False
            level = move.after.level
            if level == move.before.level:
                return False
            _change_alert(threshold, move, level, now)
            return True
    except IntegrityError:
        # Another process inserted the state, or the threshold or queue was deleted.
        return False


def _store_state(threshold: models.Threshold, move: PlaceMove) -> bool:
    """Store the state if it is still the one that was read."""
    rows = models.AlertPlace.objects.filter(threshold=threshold, place=move.place)
    if move.after == PlaceState():
        return bool(rows.filter(**_columns(move.before)).delete()[0])
    if move.before == PlaceState():
        models.AlertPlace.objects.create(
            threshold=threshold, place=move.place, **_columns(move.after)
        )
        return True
    return bool(rows.filter(**_columns(move.before)).update(**_columns(move.after)))


def _columns(state: PlaceState) -> dict[str, Any]:
    return {
        "watch_on": state.watch.on,
        "watch_pending_us": state.watch.pending_us,
        "act_on": state.act.on,
        "act_pending_us": state.act.pending_us,
    }


def _change_alert(
    threshold: models.Threshold, move: PlaceMove, level: AlertLevel | None, now: datetime
) -> None:
    rows = models.Alert.objects.filter(
        threshold=threshold, place=move.place, date_cleared__isnull=True
    )
    row = rows.select_for_update().first()
    if level is None:
        if row is not None:
            _clear(row, move.value, now, SYSTEM)
        return
    is_new = row is None
    if row is None:
        row = models.Alert(
            sid=sids.new_sid("AL"),
            workspace=threshold.workspace,
            threshold=threshold,
            place=move.place,
            queue_sid=move.queue_sid,
            queue_name=move.queue_name,
            channel_name=threshold.task_channel.friendly_name if threshold.task_channel else "",
            figure=threshold.figure,
            date_raised=now,
        )
    elif row.level == AlertLevel.WATCH and level is AlertLevel.ACT:
        # A worse alert asks for another acknowledgement.
        row.date_acknowledged, row.acknowledged_by, row.note = None, "", ""
    row.level = level.value
    row.limit = (threshold.act if level is AlertLevel.ACT else threshold.watch) or 0
    row.value = move.value
    row.date_changed = now
    row.save()
    _record(EventType.ALERT_RAISED if is_new else EventType.ALERT_CHANGED, row, now, SYSTEM)


def clear_alerts(threshold: models.Threshold, *, now: datetime, actor: Actor = SYSTEM) -> None:
    """Clear the open alerts of a threshold that ends or is about something else now."""
    models.AlertPlace.objects.filter(threshold=threshold).delete()
    open_ = threshold.alerts.filter(date_cleared__isnull=True).select_for_update()
    for row in open_.select_related("workspace", "threshold").order_by("pk"):
        _clear(row, None, now, actor)


@transaction.atomic
def clear_orphans(workspace: models.Workspace, *, now: datetime) -> None:
    """Clear open alerts whose threshold was deleted together with its queue or channel."""
    orphans = workspace.alerts.filter(date_cleared__isnull=True, threshold__isnull=True)
    for row in orphans.select_for_update().order_by("pk"):
        _clear(row, None, now, SYSTEM)


@transaction.atomic
def acknowledge_alert(*, alert: models.Alert, note: str, actor: Actor, now: datetime) -> None:
    """Record that a person takes care of an open alert; raises `NotNow` if it is not open."""
    rows = models.Alert.objects.select_for_update(of=("self",)).select_related(
        "workspace", "threshold"
    )
    alert = rows.get(pk=alert.pk)
    if alert.date_cleared is not None:
        raise NotNow(f"alert {alert.sid} was cleared; only open alerts can be acknowledged")
    if alert.date_acknowledged is not None:
        raise NotNow(f"alert {alert.sid} was acknowledged by {alert.acknowledged_by} already")
    alert.note = inputs.check_text(note.strip(), field="note", limit=NOTE_LIMIT)
    alert.acknowledged_by = actor.sid or ""
    alert.date_acknowledged = now
    alert.save(update_fields=["note", "acknowledged_by", "date_acknowledged"])
    _record(EventType.ALERT_ACKNOWLEDGED, alert, now, actor)


def _clear(row: models.Alert, value: float | None, now: datetime, actor: Actor) -> None:
    row.value = value
    row.date_cleared = row.date_changed = now
    row.save(update_fields=["value", "date_cleared", "date_changed"])
    _record(EventType.ALERT_CLEARED, row, now, actor)


def _record(event_type: EventType, row: models.Alert, now: datetime, actor: Actor) -> None:
    recorder.record(
        event_type,
        workspace=row.workspace,
        resource_sid=row.sid,
        data=payloads.describe_alert(row, now=now),
        actor=actor,
        now=now,
    )
