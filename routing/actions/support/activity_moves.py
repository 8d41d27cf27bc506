"""Move a worker from one activity to another, by request or as the result of an offer."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from routing import models
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ReservationStatus
from routing.events import payloads, recorder


def move_worker(
    worker: models.Worker, activity: models.Activity, *, actor: Actor, now: datetime
) -> None:
    """Move a worker to an activity; the present activity means no change and no event."""
    previous = worker.activity
    if previous.pk == activity.pk:
        return
    since = worker.date_status_changed
    worker.activity = activity
    worker.date_status_changed = worker.date_updated = now
    worker.version += 1
    models.Worker.objects.filter(pk=worker.pk).update(
        activity=activity, date_status_changed=now, date_updated=now, version=F("version") + 1
    )
    if activity.available != previous.available:
        worker.channels.update(worker_available=activity.available)
    recorder.record(
        EventType.WORKER_ACTIVITY_UPDATE,
        workspace=worker.workspace,
        resource_sid=worker.sid,
        data=payloads.describe_worker(worker)
        | payloads.describe_activity_left(previous, since=since, now=now),
        actor=actor,
        now=now,
    )


def move_worker_for_reservation(
    reservation: models.Reservation, status: ReservationStatus, *, actor: Actor, now: datetime
) -> None:
    """Move a worker to the activity that their reservation's new status requires.

    An expired offer moves them to the workspace's timeout activity. Other statuses move workers
    only where multitasking is off (behaviour.md §4.2).
    """
    workspace = reservation.task.workspace
    queue = reservation.task.task_queue
    activity: models.Activity | None = None
    if status == ReservationStatus.TIMEOUT:
        activity = workspace.timeout_activity
    elif workspace.multi_task_enabled:
        return
    elif status == ReservationStatus.PENDING:
        activity = None if queue is None else queue.reservation_activity
    elif status == ReservationStatus.ACCEPTED:
        activity = None if queue is None else queue.assignment_activity
    elif status in _RETURNS_ACTIVITY:
        activity = reservation.worker_previous_activity
    if activity is not None:
        move_worker(reservation.current_worker, activity, actor=actor, now=now)


_RETURNS_ACTIVITY = frozenset(
    {ReservationStatus.REJECTED, ReservationStatus.CANCELED, ReservationStatus.RESCINDED}
)
