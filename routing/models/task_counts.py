"""Task counts: how many live tasks of each kind there are, kept by the database itself."""

from __future__ import annotations

from django.db import models


class TaskCount(models.Model):
    """How many tasks share a workspace, queue, workflow, channel, priority and status.

    Triggers on the table of tasks write here, so that nothing that changes a task can forget to.
    Several rows may speak of the same kind: what counts is their sum. SQLite, with its one writer,
    keeps one row for each kind; PostgreSQL writes differences that nobody has to wait for, and a
    job adds them up. The ids are no foreign keys: a row may outlive what it counted, with a sum of
    nothing.
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
