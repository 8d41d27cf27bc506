"""Tasks: look, and step in by cancelling, wrapping up or completing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from routing import models, sids
from routing.actions import task_statuses
from routing.actions.errors import ActionError
from routing.admin.base import acting
from routing.admin.filters import TaskChannelFilter, TaskQueueFilter, WorkspaceFilter
from routing.admin.moments import moment, moment_us
from routing.admin.scoped import HistoryAdmin
from routing.core.vocabulary import AssignmentStatus as S

MOST_EVENTS = 200
_STEPS: dict[str, tuple[str, frozenset[str]]] = {
    "complete": ("Complete task", frozenset({S.ASSIGNED.value, S.WRAPPING.value})),
    "wrap_up": ("Wrap up task", frozenset({S.ASSIGNED.value})),
    "cancel": ("Cancel task", frozenset({S.PENDING.value, S.RESERVED.value})),
}
"""What a supervisor may do, and in which states."""


@admin.register(models.Task)
class TaskAdmin(HistoryAdmin):
    """What waits, is on offer, is in work, is done."""

    list_display = ("created", "status", "priority", "task_queue", "channel", "sid")
    list_display_links = ("created", "sid")
    list_filter = (WorkspaceFilter, "assignment_status", TaskQueueFilter, TaskChannelFilter)
    search_fields = ("sid__exact",)
    search_help_text = "A task's sid (WT…). The list goes back 2000 tasks; older ones by sid."
    sortable_by = ()
    change_form_template = "admin/routing/task_change_form.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "sid",
                    "workspace",
                    "status",
                    "reason",
                    "priority",
                    "channel",
                    "task_queue",
                    "workflow",
                    "written_attributes",
                )
            },
        ),
        ("Offers", {"fields": ("offers",)}),
        (
            "Times",
            {
                "fields": (
                    "created",
                    "virtual_start",
                    "entered",
                    "expires",
                    "finished",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read with a task what its row and its page name."""
        named = ("workspace", "task_queue", "task_channel", "workflow")
        return super().get_queryset(request).select_related(*named)

    @admin.display(description="status")
    def status(self, task: models.Task) -> SafeString:
        """Return the status, by shape and word."""
        return format_html('<span class="status {0}">{0}</span>', task.assignment_status)

    @admin.display(description="attributes")
    def written_attributes(self, task: models.Task) -> SafeString:
        """Return the attributes, laid out."""
        text = json.dumps(json.loads(task.attributes), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)

    @admin.display(description="created")
    def created(self, task: models.Task) -> str:
        """Return when the task came."""
        return moment(task.date_created)

    @admin.display(description="aged from")
    def virtual_start(self, task: models.Task) -> str:
        """Return from when the task's age counts."""
        return moment_us(task.virtual_start_us)

    @admin.display(description="in its queue since")
    def entered(self, task: models.Task) -> str:
        """Return when the task came into its present queue."""
        return moment(task.task_queue_entered_date)

    @admin.display(description="canceled unless accepted by")
    def expires(self, task: models.Task) -> str:
        """Return when the task's time to live ends."""
        return moment_us(task.expires_us)

    @admin.display(description="finished")
    def finished(self, task: models.Task) -> str:
        """Return when the task was completed or canceled."""
        return moment(task.date_finished)

    @admin.display(description="task channel")
    def channel(self, task: models.Task) -> str:
        """Return the channel, also one that was deleted after the task was finished."""
        if task.former_channel_name is not None:
            return f"{task.former_channel_name} (deleted)"
        return str(task.task_channel)

    @admin.display(description="offered to")
    def offers(self, task: models.Task) -> SafeString | str:
        """Return every reservation, newest first."""
        rows = task.reservations.select_related("worker").order_by("-pk")[:MOST_EVENTS]
        return (
            format_html_join(
                "",
                '<div><a href="{}">{}</a> {} – <span class="status {}">{}</span></div>',
                (
                    (
                        reverse("admin:routing_reservation_change", args=[r.pk]),
                        r.worker_name,
                        moment(r.date_created),
                        r.reservation_status,
                        r.reservation_status,
                    )
                    for r in rows
                ),
            )
            or "nobody yet"
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Add the history, and what can be done now."""
        task = context["original"]
        context["history"] = history_of(task)
        context["steps"] = [
            (name, label, task.assignment_status in states)
            for name, (label, states) in _STEPS.items()
        ]
        return super().render_change_form(request, context, *args, **kw)

    def get_urls(self) -> list[Any]:
        """Add where the buttons lead."""
        view = self.admin_site.admin_view(require_POST(self.step_in_view))
        return [
            path("<path:object_id>/step-in/", view, name="routing_task_step_in"),
            *super().get_urls(),
        ]

    def step_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel, wrap up or complete a task; a refusal is said in words."""
        task = self.get_object(request, object_id)
        if task is None:
            raise Http404("there is no such task here")
        try:
            _step_in(task, request)
        except ActionError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(self.url("change", task.pk))


def _step_in(task: models.Task, request: HttpRequest) -> None:
    reason = request.POST.get("reason", "").strip()[:1000] or None
    match request.POST.get("do"):
        case "cancel":
            task_statuses.cancel_task(task=task, reason=reason, **acting(request))
            messages.success(request, "Canceled.")
        case "complete":
            task_statuses.complete_task(task=task, reason=reason, **acting(request))
            messages.success(request, "Completed: its slot is free.")
        case "wrap_up":
            task_statuses.wrap_up_task(task=task, **acting(request))
            messages.success(request, "Wrapping up: its slot stays taken until it is completed.")
        case _:
            messages.error(request, "Nothing was done: the request names no step.")


def history_of(task: models.Task) -> Iterable[models.Event]:
    """Return the newest events of a task and of its offers, oldest first."""
    rows = models.Event.objects.filter(
        task_key=sids.key(task.sid), workspace_sid=task.workspace.sid
    )
    return reversed(rows.order_by("-pk")[:MOST_EVENTS])
