"""Workspaces: separate sets of workers, queues and rules."""

from __future__ import annotations

from django.db import models

from routing.core.vocabulary import QueueOrder
from routing.models.base import Dated, choices, sid_field, unique_sid


class Workspace(Dated):
    """A separate set of workers and tasks: nothing is routed from one workspace to another."""

    sid = sid_field()
    account = models.ForeignKey(
        "routing.Account", on_delete=models.CASCADE, related_name="workspaces"
    )
    friendly_name = models.CharField(max_length=64, help_text="The display name.")
    # Null only while the workspace and its first activities are being created together.
    default_activity = models.ForeignKey(
        "routing.Activity",
        on_delete=models.RESTRICT,
        null=True,
        related_name="+",
        help_text="The activity of a new worker.",
    )
    timeout_activity = models.ForeignKey(
        "routing.Activity",
        on_delete=models.RESTRICT,
        null=True,
        related_name="+",
        help_text="The activity of a worker who lets an offer expire.",
    )
    multi_task_enabled = models.BooleanField(
        "multitasking",
        default=True,
        help_text=(
            "On: workers take several tasks at once, up to their capacity on each channel. "
            "Off: one task per worker over all channels. Capacities are kept either way."
        ),
    )
    prioritize_queue_order = models.CharField(
        max_length=4,
        choices=choices(QueueOrder),
        default=QueueOrder.FIFO.value,
        help_text="Which kind of queue is served first by a worker who serves both kinds.",
    )
    desk_grace = models.PositiveIntegerField(
        "seconds without a desk",
        default=30,
        help_text=(
            "Seconds after the last desk of a worker closes. Then the worker is moved to the "
            "timeout activity, and their offers go to other workers. 0: never."
        ),
    )
    # Every change of a queue advances it, so that a process may keep who serves which queue.
    queues_version = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    rejection_pause = models.PositiveIntegerField(
        "pause after a rejection",
        default=0,
        db_default=0,
        help_text=(
            "Seconds for which a task is not offered again to a worker who has rejected it, unless "
            "no other worker may ever take it. 0: no pause."
        ),
    )
    rejection_reasons = models.TextField(
        "reasons to reject",
        blank=True,
        default="",
        db_default="",
        help_text="Reasons that agents may choose when they reject an offer, one on each line.",
    )
    title_attributes = models.TextField(
        "titles",
        blank=True,
        default="",
        db_default="",
        help_text=(
            "Paths of task attributes, one on each line, such as order.subject. The first with a "
            "text is a task’s title at the desk. Empty: the usual names, such as subject."
        ),
    )
    subtitle_attributes = models.TextField(
        "subtitles",
        blank=True,
        default="",
        db_default="",
        help_text=(
            "The same for the customer of a task, such as customer.name. "
            "Empty: the usual names, such as customer or name."
        ),
    )
    attribute_labels = models.TextField(
        "order and labels",
        blank=True,
        default="",
        db_default="",
        help_text=(
            "Paths of task attributes in the order in which the desk shows them, one on each line, "
            "each with a label if wanted: order.number = Order. Others follow."
        ),
    )
    hidden_attributes = models.TextField(
        "hidden attributes",
        blank=True,
        default="",
        db_default="",
        help_text=(
            "Paths of task attributes that the desk neither shows nor searches, one on each line, "
            "with all below them."
        ),
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        help_text="The time zone in which the admin shows times, such as Europe/Berlin.",
    )
    day_starts_at = models.CharField(
        max_length=5,
        default="00:00",
        db_default="00:00",
        help_text="When a day of figures begins in that time zone: hours and quarters, as 06:30.",
    )
    withdrawn_reasons = models.TextField(
        "reasons that are no abandonment",
        blank=True,
        default="",
        db_default="",
        help_text=(
            "Reasons, one on each line, with which a program cancels tasks that no customer gave "
            "up, such as duplicates and tests."
        ),
    )
    event_callback_url = models.CharField(max_length=2048, blank=True, default="")
    events_filter = models.TextField(
        null=True, blank=True, help_text="Event types to send, separated by commas. Empty: all."
    )

    class Meta:
        db_table = "workspaces"
        constraints = [
            unique_sid("workspaces"),
            models.UniqueConstraint(fields=["account", "friendly_name"], name="workspaces_name"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
