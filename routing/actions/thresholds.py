"""Create, change, mute and delete the thresholds of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction

from routing import models, sids
from routing.actions import alerts
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput
from routing.actors import Actor
from routing.core.alerting import AlertFigure, AlertScope
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.core.floor_figures import FigureUnit
from routing.events import payloads, recorder
from routing.fields.shapes import Answer, describe_changes
from routing.models.alerts import MOST_HOLD, MOST_MARGIN

LIMIT: Final = 200
"""The most thresholds one workspace may have."""
_MOST: Final = {
    FigureUnit.COUNT: 1_000_000,
    FigureUnit.SECONDS: 86_400,
    FigureUnit.PERCENT: 100,
}
"""The largest limit, by the unit of a figure."""


class ThresholdValues(TypedDict, total=False):
    """Values of a threshold; absent ones stay, or are the default.

    Arguments:
        watch, act: a limit in the figure's unit: tasks, agents, seconds or percent. None for none.
        hold: seconds, at most `MOST_HOLD`.
        margin: percent of a limit, at most `MOST_MARGIN`.
    """

    scope: AlertScope
    task_queue: models.TaskQueue | None
    task_channel: models.TaskChannel | None
    figure: AlertFigure
    watch: int | None
    act: int | None
    hold: int
    margin: int


@transaction.atomic
def create_threshold(
    *,
    workspace: models.Workspace,
    actor: Actor,
    now: datetime,
    **values: Unpack[ThresholdValues],
) -> models.Threshold:
    """Create a threshold; raises `InvalidInput` when the workspace has `LIMIT` of them."""
    locking.lock_row(workspace)
    if workspace.thresholds.count() >= LIMIT:
        raise InvalidInput(
            f"a workspace has at most {LIMIT} thresholds; delete one first", field="figure"
        )
    row = models.Threshold(
        sid=sids.new_sid("TH"), workspace=workspace, date_created=now, date_updated=now
    )
    _set_values(row, values)
    row.save(force_insert=True)
    _record(EventType.THRESHOLD_CREATED, row, {}, actor, now)
    return row


@transaction.atomic
def update_threshold(
    *,
    threshold: models.Threshold,
    actor: Actor,
    now: datetime,
    **values: Unpack[ThresholdValues],
) -> models.Threshold:
    """Change a threshold; its open alerts are cleared where what it is about has changed."""
    locking.lock_row(threshold)
    stored = models.Threshold.objects.select_related("task_queue", "task_channel").get(
        pk=threshold.pk
    )
    before = _list_values(stored)
    _set_values(stored, values)
    if _list_values(stored) == before:
        return stored
    about = ("scope", "queue", "channel", "figure")
    if any(before[name] != _list_values(stored)[name] for name in about):
        alerts.clear_alerts(stored, now=now, actor=actor)
    stored.date_updated = now
    stored.save()
    _record(EventType.THRESHOLD_UPDATED, stored, before, actor, now)
    return stored


@transaction.atomic
def mute_threshold(
    *, threshold: models.Threshold, until: datetime | None, actor: Actor, now: datetime
) -> models.Threshold:
    """Mute the alerts of a threshold until a moment; None ends it.

    Muted alerts are raised and cleared as usual, but they neither sound nor count in the badge.
    """
    locking.lock_row(threshold)
    before = _list_values(threshold)
    threshold.muted_until = until
    threshold.date_updated = now
    threshold.save(update_fields=["muted_until", "date_updated"])
    _record(EventType.THRESHOLD_UPDATED, threshold, before, actor, now)
    return threshold


@transaction.atomic
def delete_threshold(*, threshold: models.Threshold, actor: Actor, now: datetime) -> None:
    """Delete a threshold; its open alerts are cleared."""
    locking.lock_row(threshold, to_delete=True)
    alerts.clear_alerts(threshold, now=now, actor=actor)
    _record(EventType.THRESHOLD_DELETED, threshold, {}, actor, now)
    threshold.delete()


def _set_values(row: models.Threshold, values: ThresholdValues) -> None:
    for name in ("scope", "figure"):
        if name in values:
            setattr(row, name, values[name].value)
    if "task_queue" in values:
        row.task_queue = values["task_queue"]
    if "task_channel" in values:
        row.task_channel = values["task_channel"]
    for name, most in (("hold", MOST_HOLD), ("margin", MOST_MARGIN)):
        if name in values:
            number = values[name]  # type: ignore[literal-required]
            setattr(row, name, inputs.check_integer(number, field=name, least=0, most=most))
    for name in ("watch", "act"):
        if name in values:
            setattr(row, name, values[name])  # type: ignore[literal-required]
    _check_scope(row)
    _check_limits(row)


def _check_scope(row: models.Threshold) -> None:
    if not row.scope or not row.figure:
        raise InvalidInput(
            "scope and figure are required", field="scope" if row.figure else "figure"
        )
    if (row.scope == AlertScope.QUEUE.value) != (row.task_queue is not None):
        raise InvalidInput(
            "name a queue for the scope 'queue', and none for the others", field="task_queue"
        )
    for field in ("task_queue", "task_channel"):
        named = getattr(row, field)
        if named is not None and named.workspace_id != row.workspace_id:
            raise InvalidInput(f"{field} {named.sid} belongs to another workspace", field=field)


def _check_limits(row: models.Threshold) -> None:
    """Check that limits are in range, and that *act* is worse than *watch*."""
    figure = AlertFigure(row.figure)
    least = 0 if figure.is_low_bad else 1
    if row.watch is None and row.act is None:
        raise InvalidInput("set a limit for watch, for act, or for both", field="watch")
    for field, limit in (("watch", row.watch), ("act", row.act)):
        if limit is not None:
            inputs.check_integer(limit, field=field, least=least, most=_MOST[figure.unit])
    if row.watch is None or row.act is None:
        return
    if not figure.is_worse(row.act, row.watch):
        worse = "smaller" if figure.is_low_bad else "larger"
        raise InvalidInput(
            f"act is {row.act} and watch is {row.watch}; act must be {worse} than watch",
            field="act",
        )


def _list_values(row: models.Threshold) -> Answer:
    muted = row.muted_until
    return {
        "scope": row.scope,
        "queue": None if row.task_queue is None else row.task_queue.friendly_name,
        "channel": None if row.task_channel is None else row.task_channel.unique_name,
        "figure": row.figure,
        "watch": row.watch,
        "act": row.act,
        "hold": row.hold,
        "margin": row.margin,
        "muted_until": None if muted is None else microseconds(muted) // 1_000_000,
    }


def _record(
    event_type: EventType, row: models.Threshold, before: Answer, actor: Actor, now: datetime
) -> None:
    changes = describe_changes(before, _list_values(row)) if before else {}
    recorder.record(
        event_type,
        workspace=row.workspace,
        resource_sid=row.sid,
        data=payloads.describe_threshold(row) | changes,
        actor=actor,
        now=now,
    )
