"""Find the reservation of a task that an agent holds."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

from routing import models
from routing.core.lifecycle import HELD_RESERVATION
from routing.core.vocabulary import ReservationStatus
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import Pending


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
    return send_held_reservation(worker, task_sid, statuses=statuses).result()


def send_held_reservation(
    worker: models.Worker,
    task_sid: str,
    *,
    statuses: Collection[ReservationStatus] | None = HELD_RESERVATION,
) -> Pending[models.Reservation | None]:
    """Send the query of `find_held_reservation`, see `pipeline`."""
    query = _compile_query(None if statuses is None else frozenset(statuses))
    sent = query.send(worker.pk, task_sid)

    def read() -> models.Reservation | None:
        row = min(sent.result(), key=lambda row: row.pk, default=None)
        if row is not None:
            row.workspace = worker.workspace
        return row

    return Pending(read)


@functools.cache
def _compile_query(
    statuses: frozenset[ReservationStatus] | None,
) -> CompiledQuery[models.Reservation]:
    def make(worker: Any, task_sid: Any) -> models.Reservations:
        # In no order: PostgreSQL would search the whole table in the order of a limit.
        rows = models.Reservation.objects.filter(worker_id=worker, task__sid=task_sid)
        rows = (
            rows.held() if statuses is None else rows.filter(reservation_status__spelled=statuses)
        )
        return rows.select_related("outgoing", "task__task_channel", "task__task_queue")

    return CompiledQuery(make)
