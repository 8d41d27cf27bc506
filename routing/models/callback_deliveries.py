"""Callback deliveries: events to send to a receiver, and the answers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import CallbackStatus
from routing.models.base import choices


class CallbackDeliveries(models.QuerySet["CallbackDelivery"]):
    """Deliveries, with their most frequent filter."""

    def pending(self) -> CallbackDeliveries:
        """Filter those that are still to be sent."""
        return self.filter(status__spelled=[CallbackStatus.PENDING])


class CallbackDelivery(models.Model):
    """One event to send to its workspace's receiver, stored with the event."""

    # Housekeeping deletes deliveries before their events; nothing else deletes events.
    event = models.ForeignKey(
        "routing.Event",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    workspace_sid = models.CharField(max_length=34)
    # Deliveries with the same key keep their order: the task's key, else the resource's.
    order_key = models.BigIntegerField()
    status = models.CharField(
        max_length=9, choices=choices(CallbackStatus), default=CallbackStatus.PENDING.value
    )
    attempts = models.PositiveIntegerField(default=0)
    # When it became due first: with its event, or when a user asked to send it again.
    date_created = models.DateTimeField()
    date_due = models.DateTimeField()
    date_answered = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, default="")

    objects = CallbackDeliveries.as_manager()

    class Meta:
        db_table = "callback_deliveries"
        verbose_name = "event callback"
        constraints = [
            models.UniqueConstraint(fields=["event"], name="callback_deliveries_event"),
        ]
        indexes = [
            # Due deliveries of a receiver, in order of time. In order of id the planner might use
            # the primary key instead, and scan all delivered rows.
            models.Index(
                fields=["workspace_sid", "date_due", "id"],
                name="callback_deliveries_due",
                condition=Q(status=CallbackStatus.PENDING.value),
            ),
            # Whether an earlier delivery with the same order key is pending.
            models.Index(
                fields=["workspace_sid", "order_key", "id"],
                name="callback_deliveries_in_order",
                condition=Q(status=CallbackStatus.PENDING.value),
            ),
            # Lists for supervisors.
            models.Index(
                fields=["workspace_sid", "status", "id"], name="callback_deliveries_shown"
            ),
        ]

    def __str__(self) -> str:
        return f"event callback {self.pk}"
