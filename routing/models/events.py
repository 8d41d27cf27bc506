"""Events: what happened; the audit trail, the outbox and the source of statistics in one table."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import EventType, ResourceType
from routing.models.base import choices, sid_field, unique_sid


class Event(models.Model):
    """One thing that happened, written in the transaction that made it happen.

    It names what it is about by sid, not by foreign key: events outlive their tasks.
    """

    sid = sid_field()
    account = models.ForeignKey("routing.Account", on_delete=models.CASCADE, related_name="events")
    workspace_sid = models.CharField(max_length=34)
    event_type = models.CharField(max_length=40, choices=choices(EventType))
    event_date = models.DateTimeField()
    description = models.CharField(max_length=255)
    event_data = models.JSONField()
    actor_type = models.CharField(max_length=32)
    actor_sid = models.CharField(max_length=64, null=True)
    resource_type = models.CharField(max_length=16, choices=choices(ResourceType))
    resource_sid = models.CharField(max_length=34)
    source = models.CharField(max_length=32)
    source_ip_address = models.GenericIPAddressField(null=True)
    # Whether the world was told. Telling happens after the commit, so a row that stays False for
    # more than a moment was left behind by a process that died, and is told again.
    delivered = models.BooleanField(default=False)

    class Meta:
        db_table = "events"
        constraints = [unique_sid("events")]
        indexes = [
            models.Index(fields=["workspace_sid", "id"], name="events_listed"),
            models.Index(fields=["id"], name="events_undelivered", condition=Q(delivered=False)),
            models.Index(fields=["event_date"], name="events_old"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.resource_sid}"
