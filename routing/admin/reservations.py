"""Reservations, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing import models
from routing.admin.filters import WorkspaceFilter
from routing.admin.moments import moment, moment_us
from routing.admin.scoped import HistoryAdmin


@admin.register(models.Reservation)
class ReservationAdmin(HistoryAdmin):
    """What was offered to whom, and what became of it."""

    list_display = ("created", "status", "worker_name", "channel", "task", "sid")
    list_display_links = ("created", "sid")
    list_filter = (WorkspaceFilter, "reservation_status")
    search_fields = ("sid__exact", "task__sid__exact")
    search_help_text = "A reservation's sid (WR…) or a task's (WT…)."
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("sid", "workspace", "status", "worker_shown", "task", "channel")}),
        (
            "Times",
            {"fields": ("created", "reservation_timeout", "deadline", "updated")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read with a reservation what its row names."""
        return (
            super()
            .get_queryset(request)
            .select_related("worker", "task__task_channel", "workspace")
            .select_related("worker_channel__task_channel")
        )

    @admin.display(description="worker")
    def worker_name(self, reservation: models.Reservation) -> str:
        """Return who it was offered to, whether or not they are still there."""
        return reservation.worker_name

    @admin.display(description="worker")
    def worker_shown(self, reservation: models.Reservation) -> str:
        """Return who it was offered to, and whether they are still there."""
        name = reservation.worker_name
        return name if reservation.worker is not None else f"{name} (deleted)"

    @admin.display(description="status")
    def status(self, reservation: models.Reservation) -> SafeString:
        """Return the status, by shape and word."""
        return format_html('<span class="status {0}">{0}</span>', reservation.reservation_status)

    @admin.display(description="channel")
    def channel(self, reservation: models.Reservation) -> str:
        """Return the channel on which it takes a slot."""
        if reservation.worker_channel is not None:
            return str(reservation.worker_channel.task_channel)
        return reservation.task.channel_name

    @admin.display(description="expires")
    def deadline(self, reservation: models.Reservation) -> str:
        """Return until when the offer stands, or stood."""
        return moment_us(reservation.deadline_us)

    @admin.display(description="offered")
    def created(self, reservation: models.Reservation) -> str:
        """Return when the offer was made."""
        return moment(reservation.date_created)

    @admin.display(description="last changed")
    def updated(self, reservation: models.Reservation) -> str:
        """Return when it was answered, or otherwise changed."""
        return moment(reservation.date_updated)
