"""Activities: what a worker is doing, and whether they are offered work in it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from routing.models.base import Dated, sid_field, unique_sid


class Activity(Dated):
    """A state a worker can be in, such as Available, Break or Offline."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="activities"
    )
    friendly_name = models.CharField(max_length=64, help_text="The name in the agent's menu.")
    available = models.BooleanField(
        default=False,
        help_text="Whether workers in this activity are offered tasks. It cannot be changed later.",
    )

    class Meta:
        db_table = "activities"
        verbose_name_plural = "activities"
        constraints = [
            unique_sid("activities"),
            models.UniqueConstraint("workspace", Lower("friendly_name"), name="activities_name"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
