"""Tasks: view them, and cancel, wrap up or complete them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Prefetch
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from routing import models, sids, subjects
from routing.actions import task_transitions
from routing.actions.support.errors import ActionError
from routing.admin import searching, time_zones
from routing.admin.base import action_context
from routing.admin.events import actor_name, attach_actors
from routing.admin.filters import TaskChannelFilter, TaskQueueFilter, WorkspaceFilter
from routing.admin.scoped import HistoryAdmin
from routing.admin.times import format_microseconds, format_short_age, format_time
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import AssignmentStatus as S
from routing.explanations import facts, wording

MOST_EVENTS = 200
_BEGINNING = (
    E.TASK_CREATED,
    E.WORKFLOW_ENTERED,
    E.WORKFLOW_TARGET_MATCHED,
    E.TASK_QUEUE_ENTERED,
)
"""The first events of a task, in causal order."""
MOST_LINES = 80
"""The maximum number of lines of an explanation on a page, one per worker."""
_HOLDING = ("pending", "accepted", "wrapping", "completed")
_STEPS: dict[str, tuple[str, frozenset[str]]] = {
    "complete": ("Complete task", frozenset({S.ASSIGNED.value, S.WRAPPING.value})),
    "wrap_up": ("Wrap up task", frozenset({S.ASSIGNED.value})),
    "cancel": ("Cancel task", frozenset({S.PENDING.value, S.RESERVED.value})),
}
"""The steps a supervisor may take, and the states that allow them."""


@admin.register(models.Task)
class TaskAdmin(HistoryAdmin):
    """Admin of tasks: waiting, on offer, in work or done."""

    list_display = (
        "subject",
        "status",
        "age",
        "worker",
        "priority",
        "task_queue",
        "channel",
        "workspace",
    )
    list_display_links = ("subject",)
    list_filter = (WorkspaceFilter, "assignment_status", TaskQueueFilter, TaskChannelFilter)
    search_help_text = (
        "Words of the subject, the customer or any attribute, a worker's name, or the sid of a"
        " task or reservation."
    )
    sid_lookups: ClassVar[Mapping[str, str]] = {
        "WT": "sid",
        "WR": "reservations__sid",
        "WK": "reservations__worker__sid",
    }
    searched_columns = ("attributes",)
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
        """Load each task with the rows that it shows."""
        named = ("workspace", "task_queue", "task_channel", "workflow")
        holding = models.Reservation.objects.filter(reservation_status__in=_HOLDING)
        holders = holding.select_related("worker").order_by("pk")
        return (
            super()
            .get_queryset(request)
            .select_related(*named)
            .prefetch_related(Prefetch("reservations", holders, to_attr="holders"))
        )

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return a task's attribute values, and the names of workers it was offered to."""
        offers = models.Reservation.objects.filter(task__in=[pk for pk, _ in rows])
        name_of_worker = Coalesce("worker__friendly_name", "former_worker_name")
        names: dict[int, set[str]] = {}
        for task, name in offers.values_list("task_id", name_of_worker):
            names.setdefault(task, set()).add(name or "")
        for pk, attributes in rows:
            yield pk, [*searching.attribute_texts(attributes), *names.get(pk, ())]

    @admin.display(description="subject")
    def subject(self, task: models.Task) -> str:
        """Return the task's subject and customer."""
        return subjects.describe_task(task.attributes) or task.sid

    @admin.display(description="age")
    def age(self, task: models.Task) -> SafeString:
        """Return the task's age."""
        return format_short_age(task.date_created)

    @admin.display(description="worker")
    def worker(self, task: Any) -> str:
        """Return the workers who are offered the task, have it or had it."""
        return ", ".join(each.worker_name for each in task.holders) or "–"

    def title_of(self, row: Any) -> str:
        """Return the task's subject."""
        return self.subject(row)

    @admin.display(description="status")
    def status(self, task: models.Task) -> SafeString:
        """Return the status with its CSS class."""
        return format_html('<span class="status {0}">{0}</span>', task.assignment_status)

    @admin.display(description="attributes")
    def written_attributes(self, task: models.Task) -> SafeString:
        """Return the attributes as formatted JSON."""
        text = json.dumps(json.loads(task.attributes), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)

    @admin.display(description="created")
    def created(self, task: models.Task) -> str:
        """Return when the task was created."""
        return format_time(task.date_created)

    @admin.display(description="aged from")
    def virtual_start(self, task: models.Task) -> str:
        """Return the start of the task's waiting time."""
        return format_microseconds(task.virtual_start_us)

    @admin.display(description="in its queue since")
    def entered(self, task: models.Task) -> str:
        """Return when the task entered its queue."""
        return format_time(task.task_queue_entered_date)

    @admin.display(description="canceled unless accepted by")
    def expires(self, task: models.Task) -> str:
        """Return when the task expires, if no worker has accepted it yet."""
        waits = task.assignment_status in (S.PENDING.value, S.RESERVED.value)
        return format_microseconds(task.expires_us) if waits else "–"

    @admin.display(description="finished")
    def finished(self, task: models.Task) -> str:
        """Return when the task was completed or canceled."""
        return format_time(task.date_finished)

    @admin.display(description="task channel")
    def channel(self, task: models.Task) -> str:
        """Return the channel, even if it was deleted after the task was finished."""
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
                '<div><a href="{}">{}</a> {} – <span class="status {}">{}</span>{}</div>',
                (
                    (
                        reverse("admin:routing_reservation_change", args=[r.pk]),
                        r.worker_name,
                        format_time(r.date_created),
                        r.reservation_status,
                        r.reservation_status,
                        describe_outcome(r),
                    )
                    for r in rows
                ),
            )
            or "nobody yet"
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Add the history and the possible steps."""
        task = context["original"]
        context["history"] = history_of(task)
        context |= explained(task)
        context["steps"] = [
            (name, label, task.assignment_status in states)
            for name, (label, states) in _STEPS.items()
        ]
        refused = [label for _, label, possible in context["steps"] if not possible]
        context["refused_steps"] = " or ".join(
            label.lower().removesuffix(" task") for label in refused
        )
        return super().render_change_form(request, context, *args, **kw)

    def get_urls(self) -> list[Any]:
        """Add the URLs of the buttons."""
        step_in = self.admin_site.admin_view(self.step_in_view)
        why = self.admin_site.admin_view(require_GET(self.explanation_view))
        return [
            path("<path:object_id>/step-in/", step_in, name="routing_task_step_in"),
            path("<path:object_id>/explanation/", why, name="routing_task_explanation"),
            *super().get_urls(),
        ]

    def _task(self, request: HttpRequest, object_id: str) -> models.Task:
        task: models.Task | None = self.get_object(request, object_id)
        if task is None or not self.has_view_permission(request, task):
            raise Http404("There is no such task here.")
        return task

    def explanation_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the part of the page that explains the task's current state."""
        task = self._task(request, object_id)
        time_zones.activate_zone(task.workspace)
        return TemplateResponse(request, "admin/routing/_explanation.html", explained(task))

    def step_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel, wrap up or complete a task, or show why that is refused."""
        task = self._task(request, object_id)
        if request.method != "POST":
            return HttpResponseRedirect(self.url("change", task.pk))
        try:
            _step_in(task, request)
        except ActionError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(self.url("change", task.pk))


def describe_outcome(reservation: models.Reservation) -> str:
    """Return why a reservation was rejected, or how its task ended, after a colon."""
    said = (
        reservation.rejection_reason,
        reservation.outcome_code,
        reservation.outcome_note,
    )
    words = ", ".join(each for each in said if each)
    return f": {words}" if words else ""


def explained(task: models.Task) -> dict[str, Any]:
    """Return the context that explains a task's current state."""
    read = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    found = facts.explain_task(read, now=timezone.now())
    lines = list(itertools.islice(wording.write_report(found), MOST_LINES))
    return {
        "task": read,
        "summary": wording.summarize(found),
        "deadline": wording.describe_deadline(found),
        "report": "\n".join(lines),
        "is_cut": len(lines) == MOST_LINES,
        "is_over": read.assignment_status in (S.COMPLETED.value, S.CANCELED.value),
    }


def _step_in(task: models.Task, request: HttpRequest) -> None:
    reason = request.POST.get("reason", "").strip()[:1000] or None
    match request.POST.get("do"):
        case "cancel":
            task_transitions.cancel_task(task=task, reason=reason, **action_context(request))
            messages.success(request, "Canceled.")
        case "complete":
            task_transitions.complete_task(task=task, reason=reason, **action_context(request))
            messages.success(request, "Completed: its slot is free.")
        case "wrap_up":
            task_transitions.wrap_up_task(task=task, **action_context(request))
            messages.success(request, "Wrapping up: its slot stays taken until it is completed.")
        case _:
            messages.error(request, "Nothing was done: the request names no step.")


def history_of(task: models.Task) -> Iterable[tuple[models.Event, str]]:
    """Return the newest events of a task and of its offers, oldest first, with their actors."""
    rows = models.Event.objects.filter(
        task_key=sids.index_key(task.sid), workspace_sid=task.workspace.sid
    )
    newest = list(attach_actors(rows).order_by("-pk")[:MOST_EVENTS])
    # A creation records its events in TaskRouter's order; the page shows them in causal order.
    created = next((e.event_date for e in newest if e.event_type == E.TASK_CREATED), None)
    order = {kind.value: place for place, kind in enumerate(_BEGINNING)}

    def place(event: models.Event) -> int:
        return order.get(event.event_type, len(order)) if event.event_date == created else 0

    newest.sort(key=lambda event: (event.event_date, place(event), event.pk))
    return [(each, actor_name(each)) for each in newest]
