"""Task queues: the workers who serve them, their order, and picking by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing import models
from routing.actions import task_queues
from routing.admin import eligible_workers
from routing.admin.base import action_context
from routing.admin.fields import ExpressionText
from routing.admin.filters import WorkspaceFilter
from routing.admin.queue_targets import QueueTargetInline, save_targets
from routing.admin.scoped import ScopedAdmin, ScopedForm
from routing.core.vocabulary import GrabPolicy, OutcomePolicy, QueueOrder, WrapUpEnd
from workflows import expressions

MOST_NAMED = 50

_POLICIES = {
    GrabPolicy.OFF: "Nothing: the router assigns all tasks",
    GrabPolicy.ANYTHING: "Anything that waits",
    GrabPolicy.OLDEST: "Only the oldest few",
    GrabPolicy.WAITED: "Only what has waited a while",
}


_OUTCOME_POLICIES = {
    OutcomePolicy.OFF: "Not asked",
    OutcomePolicy.ASKED: "Asked, may be left out",
    OutcomePolicy.REQUIRED: "Required",
}


class TaskQueueForm(ScopedForm):
    """Form of a queue."""

    target_workers = ExpressionText(
        subject="worker",
        required=False,
        initial="1==1",
        label="Workers who serve it",
        help_text="An expression over a worker's attributes, such as languages HAS 'en' AND "
        "level >= 2. 1==1 means everyone; empty means nobody, and tasks wait.",
    )
    grab_policy = forms.ChoiceField(
        choices=[(policy.value, words) for policy, words in _POLICIES.items()],
        initial=GrabPolicy.ANYTHING.value,
        label="Agents may pick",
        help_text="What agents who serve this queue may take from it themselves. Their "
        "availability and their capacity count either way.",
    )

    outcome_policy = forms.ChoiceField(
        choices=[(policy.value, words) for policy, words in _OUTCOME_POLICIES.items()],
        initial=OutcomePolicy.OFF.value,
        label="Outcome at Complete",
        help_text="Whether the desk asks agents for one of the workspace's outcome codes and a "
        "note. Programs may complete tasks without one.",
    )

    wrap_up_end = forms.ChoiceField(
        choices=[
            (WrapUpEnd.COMPLETE.value, "The task is completed"),
            (WrapUpEnd.STAY.value, "It stays, and the desk shows that it takes longer"),
        ],
        initial=WrapUpEnd.COMPLETE.value,
        label="When that is over",
        help_text="An agent may take as much time again, once.",
    )

    def clean_wrap_up_end(self) -> WrapUpEnd:
        """Return the end as an enum member."""
        return WrapUpEnd(self.cleaned_data["wrap_up_end"])

    def clean_outcome_policy(self) -> OutcomePolicy:
        """Return the policy as an enum member."""
        return OutcomePolicy(self.cleaned_data["outcome_policy"])

    def clean_grab_policy(self) -> GrabPolicy:
        """Return the policy as an enum member."""
        return GrabPolicy(self.cleaned_data["grab_policy"])

    def clean_task_order(self) -> QueueOrder:
        """Return the order as an enum member."""
        return QueueOrder(self.cleaned_data["task_order"])


@admin.register(models.TaskQueue)
class TaskQueueAdmin(ScopedAdmin):
    """Admin of task queues."""

    form = TaskQueueForm
    list_display = ("friendly_name", "expression", "task_order", "grab_rule", "workspace")
    list_filter = (WorkspaceFilter, "task_order", "grab_policy")
    list_select_related = ("workspace",)
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("workspace__friendly_name", "friendly_name", "pk")
    readonly_fields = ("workspace", "matching", "sid", "date_created", "date_updated")
    goes_with = ("finished tasks stay, without their queue",)
    fieldsets = (
        (None, {"fields": ("workspace", "friendly_name", "target_workers")}),
        ("Serving", {"fields": ("task_order", "max_reserved_workers")}),
        ("Picking by hand", {"fields": ("grab_policy", "grab_limit", "grab_after")}),
        ("Completion", {"fields": ("outcome_policy",)}),
        ("Time", {"fields": ("expected_handling_time", "wrap_up_limit", "wrap_up_end")}),
        (
            "With multitasking off",
            {
                "fields": ("reservation_activity", "assignment_activity"),
                "classes": ("collapse",),
            },
        ),
        (
            "For programs",
            {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the workers who serve an existing queue under its expression."""
        if obj is None:
            return self.fieldsets[:-1]
        first = (None, {"fields": ("workspace", "friendly_name", "target_workers", "matching")})
        return (first, *self.fieldsets[1:])

    @admin.display(description="workers who serve it")
    def expression(self, queue: models.TaskQueue) -> SafeString | str:
        """Return the expression, or that no worker serves the queue."""
        if not queue.target_workers:
            return "nobody"
        return format_html("<code>{}</code>", queue.target_workers)

    @admin.display(description="agents may pick")
    def grab_rule(self, queue: models.TaskQueue) -> str:
        """Return the grab policy in words, with its number."""
        policy = GrabPolicy(queue.grab_policy)
        if policy == GrabPolicy.OLDEST:
            return f"the oldest {queue.grab_limit}"
        if policy == GrabPolicy.WAITED:
            return f"after {queue.grab_after} s"
        return "nothing" if policy == GrabPolicy.OFF else "anything"

    @admin.display(description="who that is now")
    def matching(self, queue: models.TaskQueue) -> SafeString | str:
        """Return the workers who serve the saved queue, available or not."""
        found, asked = eligible_workers.find_eligible_workers(queue)
        if not found:
            waits = "No worker: tasks in this queue wait."
            return format_html('<strong class="nobody">{}</strong>', waits)
        found.sort(key=lambda worker: worker.friendly_name.lower())
        of = (
            f"the first {asked} workers"
            if asked == eligible_workers.MAX_CHECKED_WORKERS
            else f"{asked}"
        )
        names = format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            (
                (reverse("admin:routing_worker_change", args=[w.id]), w.friendly_name)
                for w in found[:MOST_NAMED]
            ),
        )
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        return format_html("<strong>{} of {}</strong>: {}{}", len(found), of, names, more)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Return the targets of an existing queue."""
        return [QueueTargetInline] if obj else []

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the targets that were changed."""
        save_targets(request, formset)

    def create_row(self, request: HttpRequest, form: Any) -> models.TaskQueue:
        """Create the queue."""
        queue = task_queues.create_task_queue(
            workspace=form.workspace, **_without_unset(form.given), **action_context(request)
        )
        _warn(request, queue)
        return queue

    def update_row(self, request: HttpRequest, row: models.TaskQueue, form: Any) -> None:
        """Change the queue; its waiting tasks are matched again at once."""
        changes = form.changes
        queue = task_queues.update_task_queue(queue=row, **changes, **action_context(request))
        if "target_workers" in changes:
            _warn(request, queue)

    def delete_row(self, request: HttpRequest, row: models.TaskQueue) -> None:
        """Delete the queue, unless it is in use."""
        task_queues.delete_task_queue(queue=row, **action_context(request))


def _without_unset(values: dict[str, Any]) -> dict[str, Any]:
    """Remove activities that were not chosen, so that a new queue gets the default ones."""
    return {name: value for name, value in values.items() if value is not None}


def _warn(request: HttpRequest, queue: models.TaskQueue) -> None:
    if queue.target_workers:
        expression = expressions.compile_expression(queue.target_workers, subject="worker")
        for advice in expressions.find_warnings(expression):
            messages.warning(request, f"{queue}: {advice.message}")
