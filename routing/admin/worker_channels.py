"""A worker's channels, inline: capacity, switch, slots kept for grabbing, and current use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing import models
from routing.admin.base import ActionForm

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline

MOST_DRAWN: Final = 5
"""Maximum number of channels drawn in a list row; the others are summed up."""


class WorkerChannelForm(ActionForm):
    """Form of a worker's channel."""

    class Meta:
        widgets = {
            "configured_capacity": forms.NumberInput(attrs={"min": 0, "max": 50}),
            "reserved_for_manual": forms.NumberInput(attrs={"min": 0, "max": 50}),
        }


class WorkerChannelInline(TabularInline):
    """Every channel of the workspace, with this worker's settings."""

    model = models.WorkerChannel
    form = WorkerChannelForm
    template = "admin/routing/worker_channels.html"
    verbose_name = "channel"
    verbose_name_plural = "channels"
    fields = ("task_channel", "configured_capacity", "available", "reserved_for_manual", "in_use")
    readonly_fields = ("task_channel", "in_use")
    ordering = ("task_channel__pk",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.WorkerChannel]:
        """Load the channels' names too."""
        return super().get_queryset(request).select_related("task_channel")

    @admin.display(description="in use now")
    def in_use(self, channel: models.WorkerChannel) -> SafeString | str:
        """Return the slots in use."""
        return slots(channel, named=False)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow every user who may see the worker."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow every user; the worker's page has checked the permission."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse additions: each worker has every channel of the workspace."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse deletions: use a capacity of 0 or the switch."""
        return False


def slots(channel: models.WorkerChannel, *, named: bool = True) -> SafeString:
    """Return a worker's slots on a channel as HTML: used, free, and in figures."""
    full = channel.consumed >= channel.configured_capacity
    state = "off" if not channel.available else "full" if full else "free"
    words = {"off": "switched off", "full": "full", "free": f"{_free(channel)} free"}[state]
    return format_html(
        '<span class="slots slots-{}" title="{}">{}<b>{}/{}</b>'
        ' <span class="words">{}</span></span>',
        state,
        f"{channel.task_channel}: {channel.consumed} of {channel.configured_capacity} in use,"
        f" {channel.assigned} of them accepted; {words}",
        format_html("<i>{}</i> ", channel.task_channel.unique_name) if named else "",
        channel.consumed,
        channel.configured_capacity,
        "" if named and state == "free" else words,
    )


def load(worker: models.Worker) -> SafeString:
    """Return a worker's channels with any capacity or use as HTML, those in use first."""
    channels = [c for c in worker.channels.all() if c.configured_capacity or c.consumed]
    if len(channels) <= MOST_DRAWN:
        return format_html_join(" ", "{}", ((slots(channel),) for channel in channels))
    channels.sort(key=lambda channel: (not channel.consumed, channel.available))
    drawn, rest = channels[: MOST_DRAWN - 1], channels[MOST_DRAWN - 1 :]
    listed = ", ".join(f"{c.task_channel} {c.consumed}/{c.configured_capacity}" for c in rest)
    return format_html(
        '{} <span class="slots slots-rest" title="{}">and {} more'
        '<span class="visually-hidden">: {}</span></span>',
        format_html_join(" ", "{}", ((slots(channel),) for channel in drawn)),
        listed,
        len(rest),
        listed,
    )


def _free(channel: models.WorkerChannel) -> int:
    return max(channel.configured_capacity - channel.consumed, 0)
