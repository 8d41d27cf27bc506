"""Thresholds of figures, and the alerts that are raised at them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from routing.core.alerting import AlertFigure, AlertLevel, AlertScope, Limits, PlaceState, Switch
from routing.models.base import Dated, choices, sid_field, unique_sid

FLOOR = 0
"""The place of a threshold for the whole workspace; others are the ids of queues."""
MOST_HOLD = 3_600
"""Seconds that a figure may have to stay beyond a limit."""
MOST_MARGIN = 50
"""Percent of a limit by which a figure may have to be better."""


class Threshold(Dated):
    """The limits of one figure, for a queue, for each queue or for the whole workspace."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="thresholds"
    )
    scope = models.CharField(max_length=10, choices=choices(AlertScope))
    task_queue = models.ForeignKey(
        "routing.TaskQueue", on_delete=models.CASCADE, related_name="thresholds", null=True
    )
    # Null stands for all channels together.
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.CASCADE, related_name="thresholds", null=True
    )
    figure = models.CharField(max_length=14, choices=choices(AlertFigure))
    watch = models.PositiveIntegerField(null=True)
    act = models.PositiveIntegerField(null=True)
    hold = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MOST_HOLD)])
    margin = models.PositiveSmallIntegerField(
        default=10, validators=[MaxValueValidator(MOST_MARGIN)]
    )
    muted_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "thresholds"
        constraints = [
            unique_sid("thresholds"),
            models.CheckConstraint(
                condition=Q(watch__isnull=False) | Q(act__isnull=False), name="thresholds_limited"
            ),
            models.CheckConstraint(
                condition=Q(scope=AlertScope.QUEUE.value, task_queue__isnull=False)
                | (~Q(scope=AlertScope.QUEUE.value) & Q(task_queue__isnull=True)),
                name="thresholds_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.watch} {self.act}"

    @property
    def limits(self) -> Limits:
        """Return the limits as the core takes them."""
        return Limits(
            figure=AlertFigure(self.figure),
            watch=self.watch,
            act=self.act,
            hold=self.hold,
            margin=self.margin,
        )


class Alert(models.Model):
    """A figure that passed a limit, until it is better; cleared ones are kept for reports.

    It keeps the names of its queue and channel, so that it outlives them.
    """

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="alerts", db_index=False
    )
    threshold = models.ForeignKey(
        Threshold, on_delete=models.SET_NULL, related_name="alerts", null=True
    )
    place = models.BigIntegerField()
    queue_sid = models.CharField(max_length=34, blank=True)
    queue_name = models.CharField(max_length=64, blank=True)
    channel_name = models.CharField(max_length=64, blank=True)
    figure = models.CharField(max_length=14, choices=choices(AlertFigure))
    level = models.CharField(max_length=5, choices=choices(AlertLevel))
    # The limit of the level, and what the figure was when the level was last changed.
    limit = models.PositiveIntegerField()
    value = models.FloatField(null=True)
    date_raised = models.DateTimeField()
    date_changed = models.DateTimeField()
    date_cleared = models.DateTimeField(null=True)
    date_acknowledged = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "alerts"
        constraints = [
            unique_sid("alerts"),
            models.UniqueConstraint(
                fields=["threshold", "place"],
                name="alerts_open_once",
                condition=Q(date_cleared__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "date_raised", "id"], name="alerts_listed"),
            models.Index(
                fields=["workspace"], name="alerts_open", condition=Q(date_cleared__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.sid


class AlertPlace(models.Model):
    """The switches of a threshold for one place; without a row both are off."""

    threshold = models.ForeignKey(
        Threshold, on_delete=models.CASCADE, related_name="places", db_index=False
    )
    place = models.BigIntegerField()
    watch_on = models.BooleanField(default=False)
    watch_pending_us = models.BigIntegerField(null=True)
    act_on = models.BooleanField(default=False)
    act_pending_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "alert_places"
        constraints = [
            models.UniqueConstraint(fields=["threshold", "place"], name="alert_places_once"),
        ]

    def __str__(self) -> str:
        return f"{self.threshold_id} at {self.place}"

    @property
    def state(self) -> PlaceState:
        """Return the switches as the core takes them."""
        return PlaceState(
            Switch(self.watch_on, self.watch_pending_us), Switch(self.act_on, self.act_pending_us)
        )
