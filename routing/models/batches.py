"""Batches: the acts of supervisors, each on one row or on many."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import BatchState, RowOutcome
from routing.models.base import Dated, choices, sid_field, unique_sid

LONGEST_NOTE = 200
"""Characters of a supervisor's note."""


class Batch(Dated):
    """One act of a supervisor: a command, its arguments, and a frozen list of rows."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="batches", db_index=False
    )
    command = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    note = models.CharField(max_length=LONGEST_NOTE, null=True)
    # Who acted, as their login, and from which address.
    actor_sid = models.CharField(max_length=64)
    ip_address = models.GenericIPAddressField(null=True)
    state = models.CharField(
        max_length=8, choices=choices(BatchState), default=BatchState.RUNNING.value
    )
    # The batch whose values this one sets back.
    undo_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="undone_by"
    )
    date_finished = models.DateTimeField(null=True)
    # Until when the process that works on the rows has them; after that another may continue.
    lease_until = models.DateTimeField()
    # How many rows it has, and how many of each outcome once it is finished.
    size = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    not_reached = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "batches"
        constraints = [
            unique_sid("batches"),
            models.UniqueConstraint(
                fields=["undo_of"],
                name="batches_undone_once",
                condition=Q(undo_of__isnull=False),
            ),
        ]
        indexes = [
            # The page of changes, newest first.
            models.Index(fields=["workspace", "date_created", "id"], name="batches_listed"),
            # Those that a process must continue.
            models.Index(
                fields=["lease_until"],
                name="batches_running",
                condition=Q(state=BatchState.RUNNING.value),
            ),
        ]

    def __str__(self) -> str:
        return self.sid


class BatchRow(models.Model):
    """One row of a batch: its subject, and what became of it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # Rows are worked off in this order, which is that of their locks.
    position = models.PositiveSmallIntegerField()
    subject_sid = models.CharField(max_length=34)
    subject_name = models.CharField(max_length=64, blank=True)
    # The version of the subject that the supervisor saw; null if it does not matter.
    seen_version = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=11, choices=choices(RowOutcome), blank=True)
    reason = models.TextField(blank=True)
    # What the row had and what it got, by name.
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    # How often it was tried while the database gave no answer.
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "batch_rows"
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_rows_place"),
        ]
        indexes = [
            models.Index(
                fields=["batch", "position"], name="batch_rows_left", condition=Q(outcome="")
            ),
            # What was done to one subject: for the page of changes, and to erase a customer.
            models.Index(fields=["subject_sid"], name="batch_rows_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.batch_id}"
