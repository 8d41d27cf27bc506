"""Workers: the people and bots that take tasks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from routing.models.base import Dated, sid_field, unique_sid


class Worker(Dated):
    """Someone who takes tasks: an activity, attributes to match on, a capacity per channel."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="workers"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="workers",
        help_text="The login of this worker at the agent's desk. Empty: none.",
    )
    friendly_name = models.CharField(max_length=64, help_text="Unique in the workspace.")
    activity = models.ForeignKey(
        "routing.Activity",
        on_delete=models.RESTRICT,
        related_name="workers",
        help_text="Only an available activity gets new tasks. Accepted tasks continue in any.",
    )
    attributes = models.TextField(
        default="{}",
        help_text='A JSON object that expressions match on, such as {"languages": ["en"]}.',
    )
    date_status_changed = models.DateTimeField(editable=False)
    last_reserved_us = models.BigIntegerField(
        null=True, editable=False, help_text="When the worker was last offered a task."
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    # Counts every change of a worker's load or capacity: reservations, capacity, availability. A
    # decision names the version of its snapshot, and fails when the version has changed.
    workload_version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "workers"
        constraints = [
            unique_sid("workers"),
            models.UniqueConstraint("workspace", Lower("friendly_name"), name="workers_name"),
            models.UniqueConstraint(
                fields=["workspace", "user"],
                name="workers_one_per_user",
                condition=models.Q(user__isnull=False),
            ),
        ]
        indexes = [
            # The list.
            models.Index(fields=["workspace", "date_created", "id"], name="workers_listed"),
        ]

    def __str__(self) -> str:
        return self.friendly_name
