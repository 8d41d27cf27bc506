"""Create a task by hand: to try a floor, or to write down work that no program knows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from routing import models
from routing.actions import tasks
from routing.actions.support.errors import ActionError
from routing.actions.support.task_changes import MAX_PRIORITY
from supervisors import access, views
from supervisors.access import Supervisor
from supervisors.panels import PAGES

EXAMPLE = '{"subject": "Parcel has not arrived", "customer": "Ada"}'


class TaskForm(forms.Form):
    """The fields of a new task."""

    workflow = forms.ModelChoiceField(
        models.Workflow.objects.none(), label=gettext_lazy("Workflow"), empty_label=None
    )
    channel = forms.ModelChoiceField(
        models.TaskChannel.objects.none(), label=gettext_lazy("Channel"), empty_label=None
    )
    attributes = forms.CharField(
        label=gettext_lazy("Attributes"),
        initial=EXAMPLE,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("A JSON object. Workflows and queues read it, and agents see it."),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"), initial=0, min_value=0, max_value=MAX_PRIORITY
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, rows in (
            ("workflow", workspace.workflows.order_by("friendly_name", "pk")),
            ("channel", workspace.task_channels.order_by("friendly_name", "pk")),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


@require_http_methods(["GET", "POST"])
@access.supervisors_only
def create_task(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the form of a new task, or create it and show its page."""
    workspace = supervisor.workspace
    if request.method == "GET":
        return _show(request, supervisor, TaskForm(workspace=workspace))
    form = TaskForm(request.POST, workspace=workspace)
    if not form.is_valid():
        return _show(request, supervisor, form, status=400)
    given = form.cleaned_data
    try:
        task = tasks.create_task(
            workspace=workspace,
            attributes=given["attributes"],
            workflow=given["workflow"],
            task_channel=given["channel"],
            priority=given["priority"],
            actor=supervisor.actor,
            now=timezone.now(),
        )
    except ActionError as error:
        form.add_error(None, error.message)
        return _show(request, supervisor, form, status=400)
    query = urlencode({"workspace": workspace.sid})
    return HttpResponseRedirect(f"{reverse('supervisors:task', args=[task.sid])}?{query}")


def _show(
    request: HttpRequest, supervisor: Supervisor, form: TaskForm, *, status: int = 200
) -> HttpResponse:
    page = PAGES["new_task"]
    return views.show_page(request, supervisor, page, more={"form": form}, status=status)
