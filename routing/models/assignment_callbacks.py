"""Assignment callbacks: offers about which somebody outside is asked, and what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import CallbackStatus
from routing.models.base import choices


class AssignmentCallbacks(models.QuerySet["AssignmentCallback"]):
    """Assignment callbacks, with the question that is asked of them most."""

    def pending(self) -> AssignmentCallbacks:
        """Keep those that are still to be made."""
        return self.filter(status__spelled=[CallbackStatus.PENDING])


class AssignmentCallback(models.Model):
    """One offer that a workflow's receiver is asked about, written beside the reservation."""

    reservation = models.OneToOneField(
        "routing.Reservation", on_delete=models.CASCADE, related_name="callback"
    )
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="assignment_callbacks"
    )
    workflow_sid = models.CharField(max_length=34)
    # All of it as it was when the offer was made, whatever becomes of the workflow meanwhile.
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
    # What was done, and the number by which what was wrong is known; 0 where nothing was.
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
