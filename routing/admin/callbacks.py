"""Callbacks: what was posted where, the answers, and sending again."""

from __future__ import annotations

import functools
import json
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing import models
from routing.actions import callbacks
from routing.admin.base import action_context
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import HistoryAdmin
from routing.admin.times import format_plain_time, format_time
from routing.core.vocabulary import CallbackStatus
from routing.webhooks import queue


@admin.register(models.CallbackDelivery)
class CallbackDeliveryAdmin(HistoryAdmin):
    """Event callbacks that were posted or are due, with the last answer."""

    workspace_sid_path = "workspace_sid"
    list_display = ("created", "event_type", "resource", "state", "attempts", "last_answer")
    list_filter = (WorkspaceFilter, "status")
    search_fields = ("event__sid__exact", "event__resource_sid__exact")
    search_help_text = "An event's sid (EV…), or that of what it is about."
    sortable_by = ()
    actions = ("send_again",)  # type: ignore[assignment]  # a history has none as a rule
    fieldsets = (
        (None, {"fields": ("event_link", "resource", "state", "address")}),
        ("Attempts", {"fields": ("attempts", "last_answer", "answered", "due", "created")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load each delivery with its event."""
        return super().get_queryset(request).select_related("event")

    def workspace_of(self, obj: Any) -> models.Workspace | None:
        """Return the workspace; None if it was deleted, which only operators may view."""
        return models.Workspace.objects.filter(sid=obj.workspace_sid).first()

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Allow supervisors to send again the deliveries they may see."""
        return self.may(request)

    @admin.action(description="Send selected callbacks again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[models.CallbackDelivery]) -> None:
        """Send the selected deliveries once more, whatever their status."""
        count = queryset.count()
        now = action_context(request)["now"]
        for sid in callbacks.resend_deliveries(deliveries=queryset, now=now):
            transaction.on_commit(functools.partial(queue.enqueue, sid))
        what = "callback is" if count == 1 else "callbacks are"
        messages.success(request, f"{count} {what} sent again now.")

    @admin.display(description="owed since")
    def created(self, delivery: models.CallbackDelivery) -> str:
        """Return when the delivery was recorded."""
        return format_time(delivery.date_created)

    @admin.display(description="event")
    def event_type(self, delivery: models.CallbackDelivery) -> str:
        """Return the event type."""
        return delivery.event.event_type

    @admin.display(description="about")
    def resource(self, delivery: models.CallbackDelivery) -> str:
        """Return the sid of the event's resource."""
        return delivery.event.resource_sid

    @admin.display(description="event")
    def event_link(self, delivery: models.CallbackDelivery) -> SafeString:
        """Return a link to the event."""
        page = reverse("admin:routing_event_change", args=[delivery.event_id])
        return format_html('<a href="{}">{}</a>', page, delivery.event)

    @admin.display(description="status")
    def state(self, delivery: models.CallbackDelivery) -> SafeString:
        """Return the status with its CSS class."""
        return _status(delivery.status)

    @admin.display(description="last answer")
    def last_answer(self, delivery: models.CallbackDelivery) -> str:
        """Return the last answer, or why there was none."""
        return delivery.answer or "none yet"

    @admin.display(description="last attempt")
    def answered(self, delivery: models.CallbackDelivery) -> str:
        """Return the time of the last attempt."""
        return format_time(delivery.date_answered)

    @admin.display(description="next attempt")
    def due(self, delivery: models.CallbackDelivery) -> str:
        """Return the earliest next attempt; a paused receiver or earlier events may delay it."""
        over = delivery.status != CallbackStatus.PENDING
        return "none" if over else f"{format_plain_time(delivery.date_due)} at the earliest"

    @admin.display(description="address")
    def address(self, delivery: models.CallbackDelivery) -> str:
        """Return the receiver's URL, and whether deliveries to it are paused."""
        receiver = models.CallbackReceiver.objects.filter(sid=delivery.workspace_sid).first()
        if receiver is None or not receiver.url:
            return "none any more"
        if receiver.rests_until is None:
            return receiver.url
        retried = format_plain_time(receiver.rests_until)
        return f"{receiver.url} (took nothing lately; next tried {retried})"


@admin.register(models.AssignmentCallback)
class AssignmentCallbackAdmin(HistoryAdmin):
    """Assignment callbacks: what was posted about an offer, and the outcome."""

    list_display = ("created", "reservation", "state", "outcome", "error_code", "workspace")
    list_filter = (WorkspaceFilter, "status")
    search_fields = ("reservation__sid__exact", "workflow_sid__exact")
    search_help_text = "A reservation's sid (WR…), or a workflow's (WW…)."
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("reservation", "workspace", "workflow_sid", "url", "fallback_url")}),
        ("Answer", {"fields": ("state", "outcome", "error_code", "answer", "created", "answered")}),
        ("Question", {"fields": ("asked",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load each callback with the rows that it shows."""
        return super().get_queryset(request).select_related("reservation", "workspace")

    @admin.display(description="asked")
    def created(self, question: models.AssignmentCallback) -> str:
        """Return when the offer was made."""
        return format_time(question.date_created)

    @admin.display(description="answered")
    def answered(self, question: models.AssignmentCallback) -> str:
        """Return when it was completed."""
        return format_time(question.date_answered)

    @admin.display(description="status")
    def state(self, question: models.AssignmentCallback) -> SafeString:
        """Return the status with its CSS class."""
        return _status(question.status)

    @admin.display(description="what was asked")
    def asked(self, question: models.AssignmentCallback) -> SafeString:
        """Return the posted form as formatted JSON."""
        text = json.dumps(question.parameters, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)


def _status(status: str) -> SafeString:
    return format_html('<span class="status {0}">{0}</span>', status)
