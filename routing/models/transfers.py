"""Transfers: a task that its worker gives to another worker or to a queue."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.core.vocabulary import TransferMode, TransferStatus, TransferType
from routing.models.base import Dated, choices, sid_field, unique_sid

_UNDER_WAY = Q(transfer_status=TransferStatus.INITIATED.value)


class Transfer(Dated):
    """One attempt of a worker to transfer a task; the initial values are kept."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="transfers", db_index=False
    )
    task = models.ForeignKey("routing.Task", on_delete=models.CASCADE, related_name="transfers")
    initiating_reservation_sid = models.CharField(max_length=34)
    initiating_worker_sid = models.CharField(max_length=34)
    initiating_queue_sid = models.CharField(max_length=34, null=True)
    initiating_workflow_sid = models.CharField(max_length=34, null=True)
    transfer_mode = models.CharField(max_length=4, choices=choices(TransferMode))
    transfer_type = models.CharField(max_length=6, choices=choices(TransferType))
    transfer_to = models.CharField(max_length=34)
    transfer_status = models.CharField(
        max_length=9, choices=choices(TransferStatus), default=TransferStatus.INITIATED.value
    )
    transfer_failed_reason = models.TextField(null=True)
    # What the sender writes to the receiver.
    note = models.TextField(null=True)
    deadline_us = models.BigIntegerField()
    # The router must find the next worker of the queue.
    seeking = models.BooleanField(default=False)

    class Meta:
        db_table = "transfers"
        constraints = [
            unique_sid("transfers"),
            models.UniqueConstraint(
                fields=["task"], name="transfers_one_under_way", condition=_UNDER_WAY
            ),
            models.CheckConstraint(
                name="transfers_seek_under_way", condition=Q(seeking=False) | _UNDER_WAY
            ),
        ]
        indexes = [
            # Transfers for which the router must find a worker.
            models.Index(
                fields=["workspace", "id"],
                name="transfers_seeking",
                condition=Q(seeking=True),
            ),
        ]

    def __str__(self) -> str:
        return self.sid
