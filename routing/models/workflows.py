"""Workflows: rules that route tasks to queues, in steps."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from routing.models.base import Dated, sid_field, unique_sid


class Workflow(Dated):
    """A named configuration of filters and targets; its text lives in revisions."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="workflows"
    )
    friendly_name = models.CharField(max_length=64)
    # Null only while the workflow and its first revision are being created together.
    revision = models.ForeignKey(
        "routing.WorkflowRevision", on_delete=models.RESTRICT, null=True, related_name="+"
    )
    assignment_callback_url = models.CharField(max_length=2048, null=True, blank=True)
    fallback_assignment_callback_url = models.CharField(max_length=2048, null=True, blank=True)
    task_reservation_timeout = models.PositiveIntegerField(
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
        help_text="Seconds until an offer expires (1 to 86400).",
    )

    class Meta:
        db_table = "workflows"
        constraints = [
            unique_sid("workflows"),
            models.UniqueConstraint("workspace", Lower("friendly_name"), name="workflows_name"),
        ]

    def __str__(self) -> str:
        return self.friendly_name


class WorkflowRevision(models.Model):
    """One text of a workflow's configuration, never changed; waiting tasks refer to theirs."""

    # A random id from the action that creates the revision. Parsed revisions are cached by id, and
    # an id from a transaction that was rolled back must not be used by another revision.
    id = models.BigIntegerField(primary_key=True)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="revisions")
    # From 1 for each workflow. Null if a process of an older release has written the revision.
    number = models.PositiveIntegerField(null=True)
    configuration = models.TextField()
    # Who wrote it, as in events; "" for revisions that are older than these fields. The name is
    # stored as it was, because people leave.
    actor_type = models.CharField(max_length=32, default="", db_default="")
    actor_sid = models.CharField(max_length=64, null=True)
    actor_name = models.CharField(max_length=150, default="", db_default="")
    source = models.CharField(max_length=32, default="", db_default="")
    message = models.CharField(max_length=255, default="", db_default="")
    restored_from = models.PositiveIntegerField(null=True)
    date_created = models.DateTimeField(editable=False)

    class Meta:
        db_table = "workflow_revisions"
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "number"], name="workflow_revisions_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} of {self.date_created:%Y-%m-%d %H:%M}"
