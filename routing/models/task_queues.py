"""Task queues: where tasks wait, and which workers serve them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from routing.core.vocabulary import GrabPolicy, OutcomePolicy, QueueOrder, WrapUpEnd
from routing.models.base import Dated, choices, sid_field, unique_sid


class TaskQueue(Dated):
    """Waiting tasks in order, with an expression that selects the workers who serve them."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="task_queues"
    )
    friendly_name = models.CharField(max_length=64)
    target_workers = models.TextField(
        blank=True,
        default="1==1",
        help_text=(
            "An expression over a worker's attributes. It selects the workers of this queue. "
            "1==1 selects all workers. Empty selects none, and tasks wait."
        ),
    )
    max_reserved_workers = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=(
            "How many workers are offered the same task at once (1 to 50). "
            "The first to accept gets it."
        ),
    )
    task_order = models.CharField(
        max_length=4,
        choices=choices(QueueOrder),
        default=QueueOrder.FIFO.value,
        help_text="FIFO: by priority, then by age. LIFO: the newest first, without priority.",
    )
    reservation_activity = models.ForeignKey(
        "routing.Activity",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="With multitasking off: the activity of a worker with an open offer.",
    )
    assignment_activity = models.ForeignKey(
        "routing.Activity",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="With multitasking off: the activity of a worker who has accepted a task.",
    )
    grab_policy = models.CharField(
        max_length=8,
        choices=choices(GrabPolicy),
        default=GrabPolicy.ANYTHING.value,
        help_text=(
            "Which tasks workers may grab: none, any, only the oldest, "
            "or only those that have waited for some time."
        ),
    )
    grab_limit = models.PositiveIntegerField(
        default=10, help_text="With the policy 'oldest': the number of oldest tasks."
    )
    grab_after = models.PositiveIntegerField(
        default=60, help_text="With the policy 'waited': the seconds a task must have waited."
    )
    outcome_policy = models.CharField(
        max_length=8,
        choices=choices(OutcomePolicy),
        default=OutcomePolicy.OFF.value,
        db_default=OutcomePolicy.OFF.value,
        help_text="Whether the desk asks for an outcome when an agent completes a task.",
    )
    expected_handling_time = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=(
            "Seconds from acceptance to completion. The desk shows when a task takes longer. "
            "Empty: no limit."
        ),
    )
    wrap_up_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds for wrapping up. Empty: no limit.",
    )
    wrap_up_end = models.CharField(
        max_length=8,
        choices=choices(WrapUpEnd),
        default=WrapUpEnd.COMPLETE.value,
        db_default=WrapUpEnd.COMPLETE.value,
        help_text="What happens to a task when the time for wrapping it up is over.",
    )

    class Meta:
        db_table = "task_queues"
        constraints = [
            unique_sid("task_queues"),
            models.UniqueConstraint("workspace", Lower("friendly_name"), name="task_queues_name"),
        ]
        indexes = [
            # The list.
            models.Index(fields=["workspace", "date_created", "id"], name="task_queues_listed"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
