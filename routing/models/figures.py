"""Figures: what happened in each interval, counted from the event log by the bookkeeper.

They name queues, workers and so on by `sids.index_key`, as events do, so they outlive them.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import models


def _key() -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(default=0)


def _count() -> models.IntegerField[int, int]:
    return models.IntegerField(default=0, db_default=0)


def _sum() -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(default=0, db_default=0)


def _workspace(name: str) -> models.ForeignKey[Any, Any]:
    # Its constraints lead with it.
    return models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name=name, db_index=False
    )


MINUTE: Final = 1
QUARTER: Final = 15
"""Lengths of intervals, in minutes."""


class Figure(models.Model):
    """Counts and sums of one interval, queue, workflow, worker, channel and origin.

    A key of 0 stands for none. Minutes are folded into quarters of an hour after a while, so a sum
    over a window adds the rows of both lengths.
    """

    workspace = _workspace("figures")
    minute = models.IntegerField(help_text="The beginning: minutes since 1970-01-01 UTC.")
    length = models.SmallIntegerField(help_text="Minutes: 1 or 15.")
    task_queue_key = _key()
    workflow_key = _key()
    worker_key = _key()
    task_channel_key = _key()
    origin = models.CharField(max_length=8, default="")

    # Stays of tasks in queues: their beginnings, and one column for each of `core.stays.StayEnd`.
    entered = _count()
    channel_entered = _count()
    answered = _count()
    answered_again = _count()
    abandoned = _count()
    withdrawn = _count()
    canceled_later = _count()
    canceled_by_staff = _count()
    expired = _count()
    fell_out = _count()
    moved = _count()
    channel_left = _count()
    deleted = _count()
    # Tasks, and offers by what became of them.
    tasks_created = _count()
    tasks_completed = _count()
    offers = _count()
    accepted = _count()
    rejected = _count()
    missed = _count()
    rescinded = _count()
    canceled_offers = _count()
    # Transfers, by the queue that takes and the queue that gives.
    transferred_in = _count()
    transferred_out = _count()
    # Work that ended: as usual, taken back by a supervisor, or with its deleted task.
    handled = _count()
    handled_ms = _sum()
    wrapped = _count()
    wrapping_ms = _sum()
    taken_back = _count()
    deleted_work = _count()

    class Meta:
        db_table = "figures"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "workspace",
                    "minute",
                    "length",
                    "task_queue_key",
                    "workflow_key",
                    "worker_key",
                    "task_channel_key",
                    "origin",
                ],
                name="figures_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.length} minutes from {self.minute}"


class FigureWait(models.Model):
    """Waits of one interval, queue, workflow, channel and origin, at one place of `core.waits`."""

    workspace = _workspace("figure_waits")
    minute = models.IntegerField()
    length = models.SmallIntegerField()
    task_queue_key = _key()
    workflow_key = _key()
    task_channel_key = _key()
    origin = models.CharField(max_length=8, default="")
    # `answered` or `abandoned`, and since when the wait is measured: `core.rates.WaitClock`.
    end = models.CharField(max_length=9)
    clock = models.CharField(max_length=8)
    place = models.SmallIntegerField()

    tasks = _count()
    total_ms = _sum()

    class Meta:
        db_table = "figure_waits"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "workspace",
                    "minute",
                    "length",
                    "task_queue_key",
                    "workflow_key",
                    "task_channel_key",
                    "origin",
                    "end",
                    "clock",
                    "place",
                ],
                name="figure_waits_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tasks} {self.end} at {self.place}"


class MetricTotal(models.Model):
    """A count of everything since the first event, by queue, channel and origin; never pruned.

    Measures are the columns of `Figure`, and `answered_wait:7` and the like for places of waits.
    """

    workspace = _workspace("metric_totals")
    task_queue_key = _key()
    task_channel_key = _key()
    origin = models.CharField(max_length=8, default="")
    measure = models.CharField(max_length=24)

    value = _sum()

    class Meta:
        db_table = "metric_totals"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "task_queue_key", "task_channel_key", "origin", "measure"],
                name="metric_totals_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.value}"


class Bookmark(models.Model):
    """How far the bookkeeper has read the event log of a workspace."""

    workspace = models.OneToOneField(
        "routing.Workspace", on_delete=models.CASCADE, related_name="bookmark"
    )
    # The last event that is counted, as the log orders them, and its date.
    transaction_id = models.BigIntegerField()
    event_id = models.BigIntegerField()
    date_counted = models.DateTimeField(null=True)
    # Minutes before this one have been folded into quarters.
    folded_minute = models.IntegerField(default=0)
    # The end of the last quarter that `slot_figures` has, in minutes since 1970; null before.
    slots_minute = models.IntegerField(null=True)
    # Whether tasks that had entered before the oldest event are in `metric_totals`, as `opening`.
    has_opening = models.BooleanField(default=False)

    class Meta:
        db_table = "bookmarks"

    def __str__(self) -> str:
        return f"{self.transaction_id}/{self.event_id}"


class SlotFigure(models.Model):
    """How long the slots of a worker on a channel were busy, free and so on, in one quarter.

    The row without a channel is about the worker: how long they had any task in hand (`busy_ms`),
    and how long they were available with none (`free_ms`). A row with nothing but `closed_ms` is
    left out.
    """

    workspace = _workspace("slot_figures")
    minute = models.IntegerField()
    worker_key = _key()
    task_channel_key = _key()

    busy_ms = _sum()
    free_ms = _sum()
    offered_ms = _sum()
    closed_ms = _sum()
    # Each moment of a task, divided by the number of tasks that the worker had in hand then.
    effort_ms = _sum()

    class Meta:
        db_table = "slot_figures"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "minute", "worker_key", "task_channel_key"],
                name="slot_figures_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.busy_ms} ms from {self.minute}"


class ActivityFigure(models.Model):
    """How long a worker was in an activity, in one quarter.

    A worker who was away with nothing in hand for the whole quarter has no row.
    """

    workspace = _workspace("activity_figures")
    minute = models.IntegerField()
    worker_key = _key()
    activity_key = _key()

    total_ms = _sum()

    class Meta:
        db_table = "activity_figures"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "minute", "worker_key", "activity_key"],
                name="activity_figures_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total_ms} ms from {self.minute}"
