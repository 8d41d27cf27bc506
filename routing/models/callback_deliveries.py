"""Callback deliveries: events that somebody outside is owed, and what they answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import CallbackStatus
from routing.models.base import choices


class CallbackDeliveries(models.QuerySet["CallbackDelivery"]):
    """Deliveries, with the question that is asked of them most."""

    def pending(self) -> CallbackDeliveries:
        """Keep those that are still to be made."""
        return self.filter(status__spelled=[CallbackStatus.PENDING])


class CallbackDelivery(models.Model):
    """One event that is owed to the receiver of its workspace, written beside the event."""

    # Housekeeping forgets deliveries before their events; nothing else deletes events.
    event = models.ForeignKey(
        "routing.Event",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    workspace_sid = models.CharField(max_length=34)
    # Whose order is kept: the task's where the event is about one, else the resource's.
    order_key = models.BigIntegerField()
    status = models.CharField(
        max_length=9, choices=choices(CallbackStatus), default=CallbackStatus.PENDING.value
    )
    attempts = models.PositiveIntegerField(default=0)
    # Since when it is owed: since its event, or since somebody asked for it again.
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
            # What a receiver is owed, first things first. Not by id: a planner that may choose
            # would go through the whole table by its key, past all that was delivered.
            models.Index(
                fields=["workspace_sid", "date_due", "id"],
                name="callback_deliveries_due",
                condition=Q(status=CallbackStatus.PENDING.value),
            ),
            # Whether something about the same task is owed from before.
            models.Index(
                fields=["workspace_sid", "order_key", "id"],
                name="callback_deliveries_in_order",
                condition=Q(status=CallbackStatus.PENDING.value),
            ),
            # What supervisors look at.
            models.Index(
                fields=["workspace_sid", "status", "id"], name="callback_deliveries_shown"
            ),
        ]

    def __str__(self) -> str:
        return f"event callback {self.pk}"
