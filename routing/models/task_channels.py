"""Task channels: the kinds of work, each with its own capacity per worker."""

from __future__ import annotations

from django.db import models

from routing.models.base import Dated, sid_field, unique_sid


class TaskChannel(Dated):
    """A kind of work such as voice or chat; every task is on exactly one."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="task_channels"
    )
    friendly_name = models.CharField(max_length=64, help_text="What people read.")
    unique_name = models.CharField(
        max_length=64,
        help_text=(
            "What expressions and the API call it (worker.channel.<name>). Lower-case letters, "
            "digits, _ and $, not beginning with a digit. Fixed once created."
        ),
    )
    channel_optimized_routing = models.BooleanField(
        default=False,
        help_text="Choose who has been idle longest on this channel rather than over all channels.",
    )

    class Meta:
        db_table = "task_channels"
        constraints = [
            unique_sid("task_channels"),
            models.UniqueConstraint(fields=["workspace", "unique_name"], name="task_channels_name"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
