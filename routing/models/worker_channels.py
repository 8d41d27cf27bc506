"""Worker channels: how many tasks of one kind a worker takes at once."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from routing.core.snapshot import free_percentage
from routing.models.base import Dated, sid_field, unique_sid

MAX_CAPACITY = 50
"""Highest number of simultaneous tasks of one worker on one channel."""


class WorkerChannel(Dated):
    """A worker's capacity on one task channel, and how much of it is in use."""

    sid = sid_field()
    worker = models.ForeignKey("routing.Worker", on_delete=models.CASCADE, related_name="channels")
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.CASCADE, related_name="worker_channels"
    )
    configured_capacity = models.PositiveSmallIntegerField(
        "capacity",
        default=1,
        validators=[MaxValueValidator(MAX_CAPACITY)],
        help_text="How many tasks at once (0 to 50). 0: no new tasks on this channel.",
    )
    available = models.BooleanField(
        default=True,
        help_text="Off: no new tasks on this channel for now. The capacity is kept.",
    )
    # Whether the worker's activity is an available one. Copied here by every move, so that the
    # query for free workers reads no unavailable ones.
    worker_available = models.BooleanField(default=False, editable=False)
    reserved_for_manual = models.PositiveSmallIntegerField(
        "kept for grabbing",
        default=0,
        validators=[MaxValueValidator(MAX_CAPACITY)],
        help_text="Slots that the router never fills. Agents fill them by grabbing tasks.",
    )
    # Open reservations on this channel: pending, accepted and wrapping ones use a slot each.
    consumed = models.PositiveSmallIntegerField(default=0, editable=False)
    # Accepted ones only, which `assigned_tasks` counts.
    assigned = models.PositiveSmallIntegerField(default=0, editable=False)
    last_reserved_us = models.BigIntegerField(null=True, editable=False)

    class Meta:
        db_table = "worker_channels"
        constraints = [
            unique_sid("worker_channels"),
            models.UniqueConstraint(fields=["worker", "task_channel"], name="worker_channels_once"),
            models.CheckConstraint(
                condition=Q(assigned__lte=F("consumed")),
                name="worker_channels_assigned_in_consumed",
            ),
        ]
        indexes = [
            # A cycle begins with the query for free slots; in a busy hour most workers have none.
            models.Index(
                fields=["task_channel", "worker"],
                name="worker_channels_free",
                condition=Q(
                    available=True, worker_available=True, consumed__lt=F("configured_capacity")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_channel} of {self.worker}"

    @property
    def available_capacity_percentage(self) -> int:
        """Return how much of the capacity is free: 100 for all, 0 for none, floored."""
        return free_percentage(self.configured_capacity, self.consumed)
