"""Dismissals: the events that a worker has removed from the list on their desk."""

from __future__ import annotations

from django.db import models


class Dismissals(models.Model):
    """The events that a worker has read and dismissed at the desk, since they first opened one."""

    worker = models.OneToOneField(
        "routing.Worker", on_delete=models.CASCADE, primary_key=True, related_name="dismissals"
    )
    # Every event up to this moment counts as dismissed.
    until = models.DateTimeField()
    # Later events that were dismissed: the moment in microseconds of each, by its sid.
    events = models.JSONField(default=dict)

    class Meta:
        db_table = "dismissals"

    def __str__(self) -> str:
        return f"dismissals of {self.worker_id}"
