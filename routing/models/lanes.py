"""Lanes: groups of waiting tasks with equal requirements, so that a cycle matches each once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import models

SEEN_TO_WITHIN: Final = timedelta(hours=1)
KEPT_EMPTY_FOR: Final = timedelta(days=1)


class Lane(models.Model):
    """Distinct requirements of waiting tasks: queue, channel, and conditions on a worker.

    Every pending task is on one lane. Within a lane tasks differ only in priority and age, so the
    first tasks of a lane are enough for matching.
    """

    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="lanes"
    )
    # A hash of all fields below, so that two tasks with equal requirements find one row.
    digest = models.CharField(max_length=64)
    task_queue = models.ForeignKey(
        "routing.TaskQueue", on_delete=models.CASCADE, null=True, related_name="lanes"
    )
    # No index of its own: it is the first column of the index below.
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.CASCADE, related_name="lanes", db_index=False
    )
    # The target's expression with the task's attributes bound; empty for no condition.
    expression = models.TextField(blank=True)
    order_by = models.TextField(blank=True)
    # The worker named by a known-worker target or a direct routing: a sid, or a lower-case name.
    # Null requires no particular worker; empty matches no worker.
    known_worker_sid = models.TextField(null=True)
    known_worker_name = models.TextField(null=True)
    ignore_capacity = models.BooleanField(default=False)
    # The index key by which lanes for a free worker are found (`core.matching.lane_keys`).
    seek_path = models.TextField(default="")
    seek_value = models.CharField(max_length=80, default="")
    # When a task last came onto this lane, accurate to `SEEN_TO_WITHIN`. An empty lane is deleted
    # only long after, so that none disappears under a task that is about to use it.
    date_seen = models.DateTimeField()

    class Meta:
        db_table = "lanes"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="lanes_digest"),
        ]
        indexes = [
            # The distinct paths of a channel's lanes, and the lanes for each value.
            models.Index(fields=["task_channel", "seek_path", "seek_value"], name="lanes_sought"),
        ]

    def __str__(self) -> str:
        return self.expression or "anyone"
