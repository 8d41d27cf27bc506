"""Targets of queues: the service that a queue promises on a channel."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.waits import EDGES
from routing.models.base import Dated, choices

_SECONDS = [(edge, f"{edge} s") for edge in EDGES]


class QueueTarget(Dated):
    """What a queue promises for one channel; without a row the defaults of `Target` hold."""

    task_queue = models.ForeignKey(
        "routing.TaskQueue", on_delete=models.CASCADE, related_name="targets", db_index=False
    )
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.CASCADE, related_name="targets"
    )
    threshold = models.PositiveIntegerField(
        default=60,
        choices=_SECONDS,
        help_text="Within how many seconds tasks should be answered.",
    )
    goal = models.PositiveSmallIntegerField(
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Which share of the tasks, in percent.",
    )
    short_abandon = models.PositiveIntegerField(
        default=5,
        choices=_SECONDS,
        help_text="Who gives up in fewer seconds is not counted, with formula B.",
    )
    formula = models.CharField(
        max_length=1,
        choices=choices(ServiceLevelFormula),
        default=ServiceLevelFormula.SHORT_IGNORED.value,
        help_text="How abandoned tasks count in the service level.",
    )
    clock = models.CharField(
        max_length=8,
        choices=choices(WaitClock),
        default=WaitClock.QUEUE.value,
        help_text="From when waits are measured: entering the queue, or creation.",
    )

    class Meta:
        db_table = "queue_targets"
        constraints = [
            models.UniqueConstraint(
                fields=["task_queue", "task_channel"], name="queue_targets_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.goal} % in {self.threshold} s"

    @property
    def target(self) -> Target:
        """Return it as the formulas take it."""
        return Target(
            threshold=self.threshold,
            goal=self.goal,
            short_abandon=self.short_abandon,
            formula=ServiceLevelFormula(self.formula),
            clock=WaitClock(self.clock),
        )
