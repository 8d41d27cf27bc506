"""Task counts: the number of live tasks of each kind, maintained by database triggers."""

from __future__ import annotations

from django.db import models


class TaskCount(models.Model):
    """The number of tasks with one workspace, queue, workflow, channel, priority and status.

    Triggers on the table of tasks write here, so that no code path can forget to. Several rows may
    be about the same kind, and their sum is the count. SQLite, with its one writer, keeps one row
    for each kind. PostgreSQL inserts differences, which needs no row lock, and a job adds them up.
    The ids are no foreign keys: a row may outlive what it counted, with a sum of 0.
    """

    workspace_id = models.BigIntegerField()
    task_queue_id = models.BigIntegerField(default=0)  # 0: none
    workflow_id = models.BigIntegerField(default=0)  # 0: none
    task_channel_id = models.BigIntegerField()
    priority = models.BigIntegerField()
    assignment_status = models.CharField(max_length=10)
    tasks = models.BigIntegerField()

    class Meta:
        db_table = "task_counts"
        indexes = [
            models.Index(
                fields=[
                    "workspace_id",
                    "task_queue_id",
                    "workflow_id",
                    "task_channel_id",
                    "assignment_status",
                    "priority",
                ],
                name="task_counts_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tasks} {self.assignment_status}"
