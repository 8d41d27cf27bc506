"""Lock rows in one global order, so that actions cannot deadlock.

The order is: a workspace's row, then workers by id, then a task. Every action that changes a task
or its reservations first calls `lock_task_and_workers`.

Locking and reading are two statements of one round trip. A locked row comes back in its newest
version, but rows that the same statement joins are as old as the statement's snapshot. (On SQLite a
transaction has the database to itself, and there is nothing to lock.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, ParamSpec, TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet

from routing import models
from routing.actions.support.errors import NotHeld, StaleState
from routing.core import lifecycle
from routing.db.compiled import SEQUENCE, CompiledQuery
from routing.db.pipeline import Pending, open_cursor, pipeline
from routing.db.sql import locking as sql
from routing.models.base import Dated

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row", bound=Dated)


class TaskWithReservations:
    """A task with its open reservations, read under lock."""

    def __init__(self, task: models.Task, reservations: list[models.Reservation]) -> None:
        self.task = task
        self.reservations = reservations

    @property
    def worker_ids(self) -> set[int | None]:
        """Return the ids of the workers with an open reservation."""
        return {r.worker_id for r in self.reservations}

    def drop_ended(self) -> None:
        """Drop the reservations that have ended."""
        self.reservations = [
            r for r in self.reservations if r.reservation_status in lifecycle.OPEN_RESERVATION
        ]

    def open_reservation(self, sid: str) -> models.Reservation | None:
        """Return the reservation with this sid if it is still open."""
        return next((r for r in self.reservations if r.sid == sid), None)

    def check_held_by(self, worker: models.Worker | None) -> None:
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
    if not connection.features.has_select_for_update:
        return lock_task_alone(task_id)
    with pipeline():
        workers = _send_lock_of_workers(task_id, joining)
        read_task = _send_task(task_id)
    return read_task(workers.result())


def lock_task_alone(task_id: int) -> TaskWithReservations:
    """Lock a task for a caller who has locked every worker whose reservation is to change."""
    with pipeline():
        read_task = _send_task(task_id)
    return read_task(None)


def _send_lock_of_workers(task_id: int, joining: Iterable[int]) -> Pending[set[int]]:
    """Send what locks the workers of a task and those who join; the result is their ids."""
    cursor = open_cursor()
    cursor.execute(sql.LOCK_WORKERS_OF_TASK, [task_id, [*joining]])

    def read_ids() -> set[int]:
        with cursor:
            return {worker for (worker,) in cursor.fetchall()}

    return Pending(read_ids)


def _send_task(task_id: int) -> Callable[[set[int] | None], TaskWithReservations]:
    """Send what locks a task and reads it, see `pipeline`; return what reads the result.

    The argument of that function are the ids of the locked workers. It raises
    `_ReservationAppeared` if a worker of the task is not among them; None skips this.
    """
    lock_task(task_id)
    found, reservations = _TASK.send(task_id), _RESERVATIONS.send(task_id)

    def read(locked: set[int] | None) -> TaskWithReservations:
        for task in found.result():
            locked_task = TaskWithReservations(task, reservations.result())
            if locked is not None and not locked_task.worker_ids <= locked:
                raise _ReservationAppeared
            transfers = {r.outgoing_id: r.outgoing for r in locked_task.reservations}
            for reservation in locked_task.reservations:
                reservation.task = task
                if reservation.incoming_id in transfers:
                    # The same object for the same row, so that its offers see changes of the
                    # transfer.
                    reservation.incoming = transfers[reservation.incoming_id]
            return locked_task
        raise StaleState("the task no longer exists; it was deleted")

    return read


def _open(task_id: int) -> models.Reservations:
    return models.Reservation.objects.filter(task_id=task_id).open()


_RESERVATIONS: Final = CompiledQuery(
    lambda task_id: (
        _open(task_id)
        .select_related("worker__activity", "worker_channel__task_channel", "incoming", "outgoing")
        .order_by("pk")
    )
)
_TASK: Final = CompiledQuery(
    lambda pk: models.Task.objects.filter(pk=pk).select_related(
        "workspace", "task_channel", "task_queue", "workflow", "lane"
    )
)


def lock_workers(rows: QuerySet[models.Worker]) -> None:
    """Lock these workers by id; also before an update of many at once."""
    _lock(rows.order_by("pk"))


def lock_tasks(rows: QuerySet[models.Task]) -> None:
    """Lock these tasks by id, before they are changed one by one."""
    _lock(rows.order_by("pk"))


def lock_some_workers(pks: Collection[int]) -> None:
    """Lock the workers with these ids, in that order."""
    if connection.features.has_select_for_update:
        _LOCK_WORKERS(list(pks))


def lock_task(task_id: int) -> None:
    """Lock a task, for a caller who has locked every worker whose reservation is to change."""
    if connection.features.has_select_for_update:
        _LOCK_TASK.send(task_id)


def lock_workspace(workspace: models.Workspace) -> None:
    """Lock a workspace against others who add workers or task channels.

    Every worker has a worker channel for every task channel. If one of each is added at the same
    moment, the second transaction must see the first one's row. Raises `StaleState` when the
    workspace is gone.
    """
    lock_row(workspace)


def lock_row(row: Dated, *, to_delete: bool = False) -> None:
    """Lock a row that is to be changed or deleted; raises `StaleState` when it is gone already.

    Arguments:
        to_delete: keep others from adding references to it; they wait, and find it gone.
    """
    rows = type(row)._default_manager.filter(pk=row.pk)
    if not rows.select_for_update(no_key=not to_delete).values_list("pk"):
        raise StaleState(f"the {row._meta.verbose_name} no longer exists; it was deleted")


def reread(row: Row, *related: str) -> Row:
    """Return a fresh copy of a row with relations; raises `StaleState` when it is gone."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    found = rows.select_related(*related).first() if related else rows.first()
    if found is None:
        raise StaleState(f"the {row._meta.verbose_name} no longer exists; it was deleted")
    return found


def _lock(rows: QuerySet[Any]) -> None:
    if connection.features.has_select_for_update:
        list(_locking(rows))


def _locking(rows: QuerySet[Any]) -> QuerySet[Any, tuple[int]]:
    return rows.select_for_update(no_key=True).values_list("pk")


_LOCK_WORKERS: Final = CompiledQuery(
    lambda pks=SEQUENCE: _locking(models.Worker.objects.filter(pk__in=pks).order_by("pk"))
)
_LOCK_TASK: Final = CompiledQuery(lambda pk: _locking(models.Task.objects.filter(pk=pk)))
