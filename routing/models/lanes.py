"""Lanes: tasks that wait alike, so that a cycle looks at each kind of waiting once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import models

SEEN_TO_WITHIN: Final = timedelta(hours=1)
KEPT_EMPTY_FOR: Final = timedelta(days=1)


class Lane(models.Model):
    """A distinct way of waiting: queue, channel, and what is left to ask of a worker.

    Every pending task is on one lane. Within a lane tasks differ only in priority and age, so its
    head speaks for all of them.
    """

    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="lanes"
    )
    # The identity of everything below, so that two tasks that wait alike find one row.
    digest = models.CharField(max_length=64)
    task_queue = models.ForeignKey(
        "routing.TaskQueue", on_delete=models.CASCADE, null=True, related_name="lanes"
    )
    # Not indexed by itself: it leads the index below.
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.CASCADE, related_name="lanes", db_index=False
    )
    # The target's expression with the task's attributes worked in; empty asks nothing.
    expression = models.TextField(blank=True)
    order_by = models.TextField(blank=True)
    # The one worker a known-worker target or a direct routing names: a sid, or a lower-case name.
    # Null asks for nobody in particular; empty names nobody who could exist.
    known_worker_sid = models.TextField(null=True)
    known_worker_name = models.TextField(null=True)
    ignore_capacity = models.BooleanField(default=False)
    # By what the lane is found for a worker who is free (`core.seeks`).
    seek_path = models.TextField(default="")
    seek_value = models.CharField(max_length=80, default="")
    # When a task last came onto this lane, to within `SEEN_TO_WITHIN`; an empty lane is collected
    # only long after, so that none vanishes under a task that is just coming.
    date_seen = models.DateTimeField()

    class Meta:
        db_table = "lanes"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="lanes_digest"),
        ]
        indexes = [
            # Which ways of seeking there are on a channel, and the lanes found by each value.
            models.Index(fields=["task_channel", "seek_path", "seek_value"], name="lanes_sought"),
        ]

    def __str__(self) -> str:
        return self.expression or "anyone"
