"""Find the reservation of a task that an agent holds."""

from __future__ import annotations

from collections.abc import Collection

from routing import models
from routing.core.lifecycle import HELD_RESERVATION
from routing.core.vocabulary import ReservationStatus


def find_held_reservation(
    worker: models.Worker,
    task_sid: str,
    *,
    statuses: Collection[ReservationStatus] | None = HELD_RESERVATION,
) -> models.Reservation | None:
    """Return the agent's reservation of a task, with what its card needs.

    Arguments:
        statuses: by default those in which the agent holds the task; None also finds the
            reservation of a task that was completed while they held it.
    """
    rows = models.Reservation.objects.filter(worker=worker, task__sid=task_sid)
    rows = rows.held() if statuses is None else rows.filter(reservation_status__spelled=statuses)
    row = rows.select_related("outgoing", "task__task_channel", "task__task_queue").first()
    if row is not None:
        row.workspace = worker.workspace
    return row
