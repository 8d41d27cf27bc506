"""Judge the thresholds of a workspace, whether or not a cockpit is open.

The picture of this process is followed, see `supervisors.following`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import Min, Q

from routing import models
from routing.actions import alerts
from routing.actions.alerts import PlaceMove
from routing.core.alerting import AlertFigure, AlertScope, PlaceState, judge_figure
from routing.core.clock import microseconds
from routing.core.vocabulary import ReservationStatus
from supervisors.floor_values import WrapUps, read_places
from supervisors.following import follow_picture
from supervisors.picture import Picture

MOST_MOVES: Final = 500
"""Changes of switches that one look at a workspace stores; the next look stores more."""


def list_watched_workspaces() -> list[str]:
    """Return the sids of workspaces with thresholds, or with alerts whose threshold is gone."""
    orphans = Q(alerts__date_cleared__isnull=True, alerts__isnull=False)
    rows = models.Workspace.objects.filter(Q(thresholds__isnull=False) | orphans)
    return list(rows.distinct().values_list("sid", flat=True))


def watch_workspace(workspace_sid: str, *, now: datetime) -> int:
    """Judge all thresholds of a workspace; return how many alerts changed."""
    workspace = models.Workspace.objects.filter(sid=workspace_sid).first()
    if workspace is None:
        return 0
    alerts.clear_orphans(workspace, now=now)
    thresholds = list(
        workspace.thresholds.select_related("workspace", "task_channel").order_by("pk")
    )
    if not thresholds:
        return 0
    picture = follow_picture(workspace)
    if picture is None:
        return 0
    needs_wrap_ups = any(row.figure == AlertFigure.OLDEST_WRAP_UP for row in thresholds)
    wrap_ups = _read_wrap_ups(workspace) if needs_wrap_ups else {}
    states = _read_states(thresholds)
    changed = moved = 0
    for threshold in thresholds:
        found = _judge(picture, threshold, states.get(threshold.pk, {}), wrap_ups, now)
        moves = found[: MOST_MOVES - moved]
        moved += len(moves)
        changed += alerts.apply_moves(threshold, moves, now=now)
    return changed


def _judge(
    picture: Picture,
    threshold: models.Threshold,
    states: dict[int, PlaceState],
    wrap_ups: WrapUps,
    now: datetime,
) -> list[PlaceMove]:
    """Return the changes of a threshold's switches; a queue that is gone counts as better."""
    limits = threshold.limits
    if limits.figure is AlertFigure.NO_DESK and not picture.knows_desks:
        return []  # while Redis is away, an alert neither comes nor goes
    values = read_places(
        picture,
        limits.figure,
        AlertScope(threshold.scope),
        queue=threshold.task_queue_id,
        channel=threshold.task_channel_id,
        now_us=microseconds(now),
        wrap_ups=wrap_ups,
    )
    found = []
    for place in {*values, *states}:
        before = states.get(place, PlaceState())
        value = values.get(place)
        after = judge_figure(limits, before, value, now_us=microseconds(now))
        if after != before:
            queue = picture.setup.queues.get(place)
            found.append(
                PlaceMove(
                    place=place,
                    queue_sid="" if queue is None else queue.sid,
                    queue_name="" if queue is None else queue.name,
                    before=before,
                    after=after,
                    value=value,
                )
            )
    return found


def _read_states(thresholds: Iterable[models.Threshold]) -> dict[int, dict[int, PlaceState]]:
    found: dict[int, dict[int, PlaceState]] = {}
    for row in models.AlertPlace.objects.filter(threshold__in=list(thresholds)):
        found.setdefault(row.threshold_id, {})[row.place] = row.state
    return found


def _read_wrap_ups(workspace: models.Workspace) -> WrapUps:
    """Return when the oldest wrap-up of each queue and channel began."""
    rows = models.Reservation.objects.filter(
        workspace=workspace,
        reservation_status__spelled=[ReservationStatus.WRAPPING],
        date_wrapping__isnull=False,
    )
    grouped = rows.order_by().values_list("task__task_queue_id", "task__task_channel_id")
    return {
        (queue or 0, channel): microseconds(begun)
        for queue, channel, begun in grouped.annotate(Min("date_wrapping"))
    }
