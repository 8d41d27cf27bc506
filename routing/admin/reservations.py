"""Reservations, read-only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing import models, subjects
from routing.admin import searching
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import HistoryAdmin
from routing.admin.times import format_microseconds, format_short_age, format_time


@admin.register(models.Reservation)
class ReservationAdmin(HistoryAdmin):
    """Admin of reservations: the offers and their outcomes."""

    list_display = ("subject", "status", "worker_name", "age", "channel", "workspace")
    list_display_links = ("subject",)
    list_filter = (WorkspaceFilter, "reservation_status")
    search_help_text = (
        "Words of the subject, the customer or any attribute of the task, the worker's name, or"
        " the sid of a reservation, task or worker."
    )
    sid_lookups: ClassVar[Mapping[str, str]] = {
        "WR": "sid",
        "WT": "task__sid",
        "WK": "worker__sid",
    }
    searched_columns = ("task__attributes", "worker__friendly_name", "former_worker_name")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("sid", "workspace", "status", "rejection_reason"),
                    *("outcome_code", "outcome_note"),
                    *("worker_shown", "task", "channel"),
                )
            },
        ),
        (
            "Times",
            {"fields": ("created", "reservation_timeout", "deadline", "updated")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load each reservation with the rows that it shows."""
        return (
            super()
            .get_queryset(request)
            .select_related("worker", "task__task_channel", "workspace")
            .select_related("worker_channel__task_channel")
        )

    @admin.display(description="worker")
    def worker_name(self, reservation: models.Reservation) -> str:
        """Return the name of the worker, deleted or not."""
        return reservation.worker_name

    @admin.display(description="worker")
    def worker_shown(self, reservation: models.Reservation) -> str:
        """Return the name of the worker, and whether it was deleted."""
        name = reservation.worker_name
        return name if reservation.worker is not None else f"{name} (deleted)"

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return the values of the task's attributes, and the worker's name."""
        for pk, attributes, name, former_name in rows:
            yield pk, [*searching.attribute_texts(attributes), name or former_name or ""]

    @admin.display(description="task")
    def subject(self, reservation: models.Reservation) -> str:
        """Return the task's subject and customer."""
        return subjects.describe_task(reservation.task.attributes) or reservation.task.sid

    @admin.display(description="offered")
    def age(self, reservation: models.Reservation) -> SafeString:
        """Return the offer's age."""
        return format_short_age(reservation.date_created)

    def title_of(self, row: Any) -> str:
        """Return the task's subject."""
        return self.subject(row)

    @admin.display(description="status")
    def status(self, reservation: models.Reservation) -> SafeString:
        """Return the status with its CSS class."""
        return format_html('<span class="status {0}">{0}</span>', reservation.reservation_status)

    @admin.display(description="channel")
    def channel(self, reservation: models.Reservation) -> str:
        """Return the channel whose capacity it uses."""
        if reservation.worker_channel is not None:
            return str(reservation.worker_channel.task_channel)
        return reservation.task.channel_name

    @admin.display(description="expires")
    def deadline(self, reservation: models.Reservation) -> str:
        """Return when the offer expires or expired."""
        return format_microseconds(reservation.deadline_us)

    @admin.display(description="offered")
    def created(self, reservation: models.Reservation) -> str:
        """Return when the offer was made."""
        return format_time(reservation.date_created)

    @admin.display(description="last changed")
    def updated(self, reservation: models.Reservation) -> str:
        """Return when it last changed."""
        return format_time(reservation.date_updated)
