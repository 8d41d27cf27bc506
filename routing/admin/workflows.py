"""Workflows: a JSON text, with each error and warning shown at its path."""

from __future__ import annotations

import json
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from routing import configurations, models
from routing.actions import workflows
from routing.actions.support.workflow_revisions import LONGEST_MESSAGE
from routing.admin import access
from routing.admin.base import action_context
from routing.admin.expression_names import list_names
from routing.admin.fields import ConfigurationText
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import ScopedAdmin, ScopedForm
from routing.admin.workflow_revisions import list_revisions, show_revision
from routing.explanations import trials
from workflows import outlines

_BIGGEST: Final = 2**31
"""Larger numbers of revisions are in no database."""


class WorkflowForm(ScopedForm):
    """Form of a workflow."""

    configuration = ConfigurationText(
        help_text="Filters with targets, tried from the top, and a "
        "default filter for all other tasks. Errors are listed with their path."
    )
    re_evaluate_tasks = forms.BooleanField(
        required=False,
        label="Re-evaluate waiting tasks",
        help_text="Route waiting tasks again by this configuration. Otherwise they keep "
        "the one they were created with.",
    )
    message = forms.CharField(
        required=False,
        max_length=LONGEST_MESSAGE,
        label="What has changed",
        help_text="Kept with the new revision of the configuration.",
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "configuration" not in self.fields:
            return
        field = self.fields["configuration"]
        assert isinstance(field, ConfigurationText)
        queues = () if self.workspace is None else self.workspace.task_queues.order_by("pk")
        sids = [queue.sid for queue in queues]
        field.queue_sids = lambda: sids
        self.fields["configuration"].initial = (
            workflows.current_configuration(self.instance) if self.instance.pk else _first(sids)
        )
        if "based_on" in self.fields:
            self.fields["based_on"].initial = self.instance.revision_id
        for name, what in (("assignment", "an offer"), ("fallback_assignment", "the first fails")):
            if url := self.fields.get(f"{name}_callback_url"):
                when = "when a task is on offer" if name == "assignment" else f"when {what}"
                url.help_text = f"An absolute http or https address, called {when}; or empty."

    def is_valid(self) -> bool:
        """Return whether to save; a form that tries a task is only shown again."""
        return trials.BUTTON not in self.data and super().is_valid()

    def clean(self) -> dict[str, Any] | None:
        """Refuse to overwrite a configuration that was changed since the page was opened."""
        cleaned = super().clean()
        written = self.instance.pk is not None and "configuration" in self.changed_data
        if written and self.cleaned_data.get("based_on") != self.instance.revision_id:
            self.add_error(
                "configuration",
                "Someone else has changed this configuration since this page was opened. "
                "Open it again in another window, and repeat your change there.",
            )
        return cleaned


@admin.register(models.Workflow)
class WorkflowAdmin(ScopedAdmin):
    """Admin of workflows."""

    form = WorkflowForm
    list_display = ("friendly_name", "steps", "task_reservation_timeout", "workspace")
    list_filter = (WorkspaceFilter,)
    list_select_related = ("workspace", "revision")
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("workspace__friendly_name", "friendly_name", "pk")
    readonly_fields = ("workspace", "warnings", "queues", "sid", "date_created", "date_updated")
    goes_with = ("finished tasks stay, without their workflow",)
    change_form_template = "admin/routing/workflow_change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; an existing workflow also shows its warnings."""
        head = ("workspace", "friendly_name", "task_reservation_timeout")
        callbacks = (
            "Assignment callbacks",
            {
                "fields": ("assignment_callback_url", "fallback_assignment_callback_url"),
                "classes": ("collapse",),
            },
        )
        if obj is None:
            text: tuple[str, ...] = ("queues", "configuration")
            return ((None, {"fields": head}), ("Configuration", {"fields": text}), callbacks)
        text = ("warnings", "queues", "configuration", "message", "re_evaluate_tasks", "based_on")
        return (
            (None, {"fields": head}),
            ("Configuration", {"fields": text}),
            callbacks,
            (
                "For programs",
                {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
            ),
        )

    @admin.display(description="steps")
    def steps(self, workflow: models.Workflow) -> str:
        """Return the number of filters."""
        if workflow.revision_id is None:
            return "–"
        configuration = configurations.load_configuration(workflow.revision_id)
        filters, rest = len(configuration.filters), configuration.default is not None
        words = f"{filters} filter{'' if filters == 1 else 's'}"
        return f"{words} and a default" if rest else words

    @admin.display(description="doubtful")
    def warnings(self, workflow: models.Workflow) -> SafeString | str:
        """Return the warnings about the saved configuration."""
        found = (
            ()
            if workflow.revision_id is None
            else configurations.load_configuration(workflow.revision_id)
        )
        warnings = found.warnings if found else ()
        if not warnings:
            return "Nothing."
        return format_html(
            '<ul class="doubts">{}</ul>',
            format_html_join(
                "", "<li><code>{}</code> {}</li>", ((w.path, w.message) for w in warnings)
            ),
        )

    @admin.display(description="queues of this workspace")
    def queues(self, workflow: models.Workflow) -> SafeString | str:
        """Return the sids of queues that a configuration may name."""
        rows = models.TaskQueue.objects.filter(workspace_id=workflow.workspace_id)
        items = ((q.sid, q.friendly_name) for q in rows.order_by("friendly_name", "pk"))
        return (
            format_html_join("", '<div class="sid-line"><code>{}</code> {}</div>', items)
            or "None yet: a workflow needs a queue."
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show or save the form; to try a task needs no transaction, which would lock SQLite."""
        if trials.BUTTON in request.POST:
            # Django's own method, without its transaction.
            return self._changeform_view(  # type: ignore[attr-defined]
                request, object_id, form_url, extra_context
            )
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[Any]:
        """Add the URL of the outline."""
        outline = self.admin_site.admin_view(require_POST(self.outline_view))
        return [
            path("outline/<str:workspace_sid>/", outline, name="routing_workflow_outline"),
            path(
                "<int:object_id>/revisions/<int:number>/",
                self.admin_site.admin_view(self.revision_view),
                name="routing_workflow_revision",
            ),
            *super().get_urls(),
        ]

    def outline_view(self, request: HttpRequest, workspace_sid: str) -> HttpResponse:
        """Return the outline of a text that is being typed."""
        workspace = access.visible_workspaces(request.user).filter(sid=workspace_sid).first()
        if workspace is None:
            raise Http404
        text = trials.normalize_text(request.POST.get("configuration", ""))
        return render(request, "admin/routing/_outline.html", _outline(workspace, text))

    def revision_view(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """Show or restore a revision."""
        workflow = self.get_object(request, str(object_id))
        if workflow is None or number >= _BIGGEST:
            raise Http404
        if not self.has_change_permission(request, workflow):
            raise PermissionDenied
        return show_revision(self, request, workflow, number)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Add the panel to try a task, with the text as it is typed."""
        form = context["adminform"].form
        if form.workspace is not None:
            text = form["configuration"].value() or ""
            context |= _outline(form.workspace, trials.normalize_text(text))
            if context.get("original"):
                context |= list_revisions(context["original"])
            context["outline_url"] = self.url("outline", form.workspace.sid)
            context["expression_names"] = json.dumps(list_names(form.workspace))
            context |= trials.build_trial(
                form.workspace,
                request.POST if request.method == "POST" else None,
                workflow=context.get("original"),
                configuration=trials.normalize_text(request.POST.get("configuration", "")),
                now=timezone.now(),
            )
        return super().render_change_form(request, context, *args, **kw)

    def create_row(self, request: HttpRequest, form: Any) -> models.Workflow:
        """Create the workflow."""
        workflow = workflows.create_workflow(
            workspace=form.workspace,
            configuration=form.cleaned_data["configuration"],
            **form.given,
            **action_context(request),
        )
        _warn(request, workflow)
        return workflow

    def update_row(self, request: HttpRequest, row: models.Workflow, form: Any) -> None:
        """Change the workflow; a changed configuration is a new revision."""
        new = "configuration" in form.changed_data
        workflow = workflows.update_workflow(
            workflow=row,
            configuration=form.cleaned_data["configuration"] if new else None,
            re_evaluate_tasks=form.cleaned_data["re_evaluate_tasks"],
            message=form.cleaned_data["message"],
            **form.changes,
            **action_context(request),
        )
        if new:
            _warn(request, workflow)

    def delete_row(self, request: HttpRequest, row: models.Workflow) -> None:
        """Delete the workflow, unless tasks use it."""
        workflows.delete_workflow(workflow=row, **action_context(request))


def _outline(workspace: models.Workspace, text: str) -> dict[str, Any]:
    """Return the outline of a text, and the queues that it may name."""
    queues = list(workspace.task_queues.order_by("friendly_name", "pk"))
    names = {queue.sid: queue.friendly_name for queue in queues}
    return {
        "outline": outlines.outline_text(text, queue_names=names),
        "queue_choices": [*names.items()],
    }


def _warn(request: HttpRequest, workflow: models.Workflow) -> None:
    document = workflows.current_configuration(workflow)
    for warning in workflows.check_configuration(document, workflow.workspace).warnings:
        where = f"{warning.path}: " if warning.path else ""
        messages.warning(request, f"In “{workflow}”, {where}{warning.message}")


def _first(sids: list[str]) -> str:
    """Return a configuration to start with: all tasks to the first queue."""
    queue = sids[0] if sids else "WQ…"
    routing = {"filters": [], "default_filter": {"queue": queue}}
    return json.dumps({"task_routing": routing}, indent=2, ensure_ascii=False)
