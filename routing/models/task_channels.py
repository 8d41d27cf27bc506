"""Task channels: the kinds of work, each with its own capacity per worker."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models

from routing.models.base import Dated, sid_field, unique_sid


class TaskChannel(Dated):
    """A kind of work such as voice or chat; every task is on exactly one."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="task_channels"
    )
    friendly_name = models.CharField(max_length=64, help_text="The display name.")
    unique_name = models.CharField(
        max_length=64,
        help_text=(
            "The name in expressions (worker.channel.<name>) and in the API. Lower-case letters, "
            "digits, _ and $, no digit first. It cannot be changed later."
        ),
    )
    channel_optimized_routing = models.BooleanField(
        default=False,
        help_text="Prefer workers idle longest on this channel, not over all channels.",
    )

    occupancy_weight = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        validators=[MaxValueValidator(100)],
        help_text="How much a slot of this channel counts in the occupancy of workers. 0: nothing.",
    )

    class Meta:
        db_table = "task_channels"
        constraints = [
            unique_sid("task_channels"),
            models.UniqueConstraint(fields=["workspace", "unique_name"], name="task_channels_name"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
