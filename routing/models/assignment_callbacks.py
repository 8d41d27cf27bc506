"""Assignment callbacks: requests to a receiver about an offer, and their results."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import CallbackStatus
from routing.models.base import choices


class AssignmentCallbacks(models.QuerySet["AssignmentCallback"]):
    """Assignment callbacks, with their most frequent filter."""

    def pending(self) -> AssignmentCallbacks:
        """Filter those that are still to be sent."""
        return self.filter(status__spelled=[CallbackStatus.PENDING])


class AssignmentCallback(models.Model):
    """The request about one offer to its workflow's receiver, stored with the reservation."""

    reservation = models.OneToOneField(
        "routing.Reservation", on_delete=models.CASCADE, related_name="callback"
    )
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="assignment_callbacks"
    )
    workflow_sid = models.CharField(max_length=34)
    # All values are those at the time of the offer; later changes of the workflow do not count.
    url = models.CharField(max_length=2048)
    fallback_url = models.CharField(max_length=2048, default="")
    parameters = models.JSONField()
    status = models.CharField(
        max_length=9, choices=choices(CallbackStatus), default=CallbackStatus.PENDING.value
    )
    date_created = models.DateTimeField()
    date_answered = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, default="")
    # The result as text, and the number of the error in the reply; 0 for none.
    outcome = models.CharField(max_length=500, default="")
    error_code = models.PositiveIntegerField(default=0)

    objects = AssignmentCallbacks.as_manager()

    class Meta:
        db_table = "assignment_callbacks"
        indexes = [
            models.Index(
                fields=["workflow_sid", "id"],
                name="assignment_callbacks_pending",
                condition=Q(status=CallbackStatus.PENDING.value),
            ),
        ]

    def __str__(self) -> str:
        return f"assignment callback {self.pk}"
