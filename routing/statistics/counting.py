"""Count live tasks with triggers on their table; a job merges the counts.

Counting half a million tasks takes time in proportion to their number. So every statement that
changes tasks also changes `task_counts`, in the same transaction, whichever code sent it. Real-time
statistics read only some dozens of rows, however many tasks wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from routing.core.lifecycle import FINAL_TASK
from routing.core.vocabulary import AssignmentStatus
from routing.db.sql import task_counts as sql
from routing.models import TaskCount

LIVE: Final = tuple(status for status in AssignmentStatus if status not in FINAL_TASK)
"""The statuses of tasks that are counted: all that are not final."""

MERGE_ABOVE: Final = 1_000
"""Number of rows from which they are merged; reading that many costs about a millisecond."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of task whose count differs from the number of tasks; 0 stands for no row."""

    workspace_id: int
    task_queue_id: int
    workflow_id: int
    task_channel_id: int
    assignment_status: str
    priority: int
    counted: int
    there: int


def install_triggers(*, using: str = "default", **_: Any) -> None:
    """Create the triggers if they are missing, and then count all tasks.

    Called after every migration, because SQLite drops a table's triggers when it alters the table.
    """
    database = connections[using]
    if not {"tasks", "task_counts"} <= set(database.introspection.table_names()):
        return
    if _has_triggers(database):
        return
    with transaction.atomic(using=using), database.cursor() as cursor:
        for statement in sql.CREATE_TRIGGERS[database.vendor]:
            cursor.execute(statement)
        _recount_tasks(cursor)


def _has_triggers(database: BaseDatabaseWrapper) -> bool:
    with database.cursor() as cursor:
        cursor.execute(sql.INSTALLED_TRIGGERS[database.vendor], sql.TRIGGERS)
        return bool(cursor.fetchone()[0] == len(sql.TRIGGERS))


def recount_tasks() -> None:
    """Delete all counts and count again."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(sql.LOCK_TASKS)
        _recount_tasks(cursor)


def _recount_tasks(cursor: Any) -> None:
    cursor.execute(sql.DELETE_COUNTS)
    cursor.execute(sql.COUNT_TASKS)


def merge_counts() -> None:
    """Merge rows of the same kind, when there are enough of them."""
    if not TaskCount.objects.order_by("pk").values("pk")[MERGE_ABOVE : MERGE_ABOVE + 1]:
        return
    if connection.vendor != "postgresql":
        TaskCount.objects.filter(tasks=0).delete()
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.LOCK_MERGE)
        if cursor.fetchone()[0]:
            cursor.execute(sql.MERGE_COUNTS)


def find_differences() -> list[Difference]:
    """Return where the counts differ from the tasks; empty if all are right."""
    with connection.cursor() as cursor:
        cursor.execute(sql.DIFFERENCES)
        return [Difference(*row) for row in cursor.fetchall()]
