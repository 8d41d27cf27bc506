"""Lock rows in one global order, so that actions cannot deadlock.

The order is: a workspace's row, then workers by id, then a task. Locking and reading are two
statements. A locked row comes back in its newest version, but rows that the same statement joins
are as old as the statement's snapshot. (On SQLite a transaction has the database to itself, and
there is nothing to lock.)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import QuerySet

from routing import models
from routing.actions.support.errors import StaleState
from routing.db.compiled import MANY, CompiledQuery
from routing.models.base import Dated

Row = TypeVar("Row", bound=Dated)


def lock_workers(rows: QuerySet[models.Worker]) -> None:
    """Lock these workers by id; also before an update of many at once."""
    _lock(rows.order_by("pk"))


def lock_tasks(rows: QuerySet[models.Task]) -> None:
    """Lock these tasks by id, before they are changed one by one."""
    _lock(rows.order_by("pk"))


def lock_some_workers(pks: Collection[int]) -> None:
    """Lock the workers with these ids, in that order."""
    if connection.features.has_select_for_update:
        _WORKERS(list(pks))


def lock_task(task_id: int) -> None:
    """Lock a task, for a caller who has locked every worker whose reservation is to change."""
    if connection.features.has_select_for_update:
        _TASK.ask(task_id)


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


_WORKERS: Final = CompiledQuery(
    lambda pks: _locking(models.Worker.objects.filter(pk__in=pks).order_by("pk")), MANY
)
_TASK: Final = CompiledQuery(lambda pk: _locking(models.Task.objects.filter(pk=pk)), 0)
