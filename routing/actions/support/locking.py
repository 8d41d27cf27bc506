"""Lock a task together with its open reservations and their workers.

Every action that changes them first calls `lock_task_and_workers`. It locks the workers with a
reservation by id, and then the task, so that no two actions can deadlock. (On SQLite a transaction
has the database to itself, and the locks are no-ops.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Final, ParamSpec, TypeVar

from django.db import transaction

from routing import models
from routing.actions.support import row_locks
from routing.actions.support.errors import NotHeld, StaleState
from routing.core import lifecycle
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline

P = ParamSpec("P")
T = TypeVar("T")


class TaskWithReservations:
    """A task with its open reservations, read under lock."""

    def __init__(self, task: models.Task, reservations: list[models.Reservation]) -> None:
        self.task = task
        self.reservations = reservations

    def drop_ended(self) -> None:
        """Drop the reservations that have ended."""
        self.reservations = [
            r for r in self.reservations if r.reservation_status in lifecycle.OPEN_RESERVATION
        ]

    def open_reservation(self, sid: str) -> models.Reservation | None:
        """Return the reservation with this sid if it is still open."""
        return next((r for r in self.reservations if r.sid == sid), None)

    def insist_held_by(self, worker: models.Worker | None) -> None:
        """Raise `NotHeld` unless this worker holds the task; None skips the check."""
        if worker is None:
            return
        own = [r for r in self.reservations if r.worker_id == worker.pk]
        if any(r.reservation_status in lifecycle.HELD_RESERVATION for r in own):
            return
        if self.task.assignment_status in lifecycle.FINAL_TASK:
            ended = models.Reservation.objects.filter(task=self.task, worker=worker)
            if ended.held().exists():
                return
        raise NotHeld


class _ReservationAppeared(Exception):
    """A reservation appeared while locks were being taken; start over."""


def retry_on_conflict(action: Callable[P, T]) -> Callable[P, T]:
    """Run an action in one transaction; start over if a reservation appeared during locking.

    Starting over releases the locks: taking more of them late would break the lock order.
    """

    @functools.wraps(action)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(5):
            try:
                with transaction.atomic():
                    return action(*args, **kwargs)
            except _ReservationAppeared:
                continue
        raise StaleState("the task kept changing; read it again and retry")

    return run


def lock_task_and_workers(task_id: int, *, joining: Iterable[int] = ()) -> TaskWithReservations:
    """Lock a task with its workers and return its newest version.

    The calling action must be wrapped by `retry_on_conflict`.

    Arguments:
        joining: ids of workers who are about to get a reservation.

    Raises `StaleState` when the task is gone.
    """
    locked = {worker for (worker,) in _PARTS(task_id)} | set(joining)
    row_locks.lock_some_workers(locked)
    story = lock_task_alone(task_id)
    if not {r.worker_id for r in story.reservations} <= locked:
        raise _ReservationAppeared
    return story


def lock_task_alone(task_id: int) -> TaskWithReservations:
    """Lock a task for a caller who has locked every worker whose reservation is to change."""
    with pipeline():
        row_locks.lock_task(task_id)
        found, reservations = _TASK.ask(task_id), _RESERVATIONS.ask(task_id)
    for task in found():
        story = TaskWithReservations(task, reservations())
        under_way = {r.outgoing_id: r.outgoing for r in story.reservations}
        for reservation in story.reservations:
            reservation.task = task
            if reservation.incoming_id in under_way:
                # The same object for the same row, so that its offers see changes of the transfer.
                reservation.incoming = under_way[reservation.incoming_id]
        return story
    raise StaleState("the task no longer exists; it was deleted")


def _open(task_id: int) -> models.Reservations:
    return models.Reservation.objects.filter(task_id=task_id).open()


_PARTS: Final = CompiledQuery(lambda task_id: _open(task_id).values_list("worker_id"), 0)
_RESERVATIONS: Final = CompiledQuery(
    lambda task_id: (
        _open(task_id)
        .select_related("worker__activity", "worker_channel__task_channel", "incoming", "outgoing")
        .order_by("pk")
    ),
    0,
)
_TASK: Final = CompiledQuery(
    lambda pk: models.Task.objects.filter(pk=pk).select_related(
        "workspace", "task_channel", "task_queue", "workflow", "lane"
    ),
    0,
)
