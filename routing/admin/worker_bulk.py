"""Change many workers at once from the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from routing import models
from routing.actions import workers
from routing.actions.support.errors import ActionError
from routing.admin.base import action_context
from routing.admin.worker_capacities import MAX_NAMED_WORKERS, CapacityForm, summarize_change


class ActivityForm(forms.Form):
    """Form for the new activity of the selected workers."""

    activity = forms.ModelChoiceField(
        queryset=models.Activity.objects.none(),
        empty_label=None,
        help_text="Only an available activity gets new tasks. Accepted tasks continue in any.",
    )
    reject_pending_reservations = forms.BooleanField(
        required=False,
        label="Reject open offers",
        help_text="If a worker has open offers and the activity takes no work. Without this, "
        "no one is moved if any of them has an open offer.",
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["activity"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = workspace.activities.order_by("-available", "friendly_name", "pk")

    def apply(self, request: HttpRequest, rows: list[models.Worker]) -> list[str]:
        """Move the workers, and return a text that names those who were moved."""
        activity = self.cleaned_data["activity"]
        reject = self.cleaned_data["reject_pending_reservations"] and not activity.available
        moved: list[str] = []
        for worker in rows:
            if worker.activity_id != activity.pk:
                workers.set_activity(
                    worker=worker,
                    activity=activity,
                    reject_pending_reservations=reject,
                    **action_context(request),
                )
                moved.append(worker.friendly_name)
        return [summarize_change(f"Activity {activity}", moved, len(rows))]


def _on_many(
    form_class: type[Any], verb: str
) -> Callable[[Any, HttpRequest, QuerySet[models.Worker]], HttpResponse | None]:
    def act(
        modeladmin: Any, request: HttpRequest, queryset: QuerySet[models.Worker]
    ) -> HttpResponse | None:
        rows = list(queryset.order_by("friendly_name", "pk"))
        if len({worker.workspace_id for worker in rows}) != 1:
            messages.error(request, "Select workers of one workspace at a time.")
            return None
        posted = request.POST if "apply" in request.POST else None
        form = form_class(posted, workspace=rows[0].workspace)
        if posted is not None and form.is_valid():
            try:
                with transaction.atomic():
                    for line in form.apply(request, rows):
                        messages.success(request, line)
                return None
            except ActionError as refusal:
                form.add_error(None, refusal.message)
        across = request.POST.get("select_across") == "1"
        context = modeladmin.page(
            request,
            title=f"{verb} of {len(rows)} worker{'' if len(rows) == 1 else 's'}",
            form=form,
            rows=rows[:MAX_NAMED_WORKERS],
            more=max(len(rows) - MAX_NAMED_WORKERS, 0),
            action=request.POST["action"],
            checkbox=ACTION_CHECKBOX_NAME,
            # With everything selected, the list's filter selects the workers: one checkbox is
            # enough.
            selected=[rows[0].pk] if across else [worker.pk for worker in rows],
            across=int(across),
            submit=verb,
        )
        return TemplateResponse(request, "admin/routing/worker_bulk.html", context)

    return act


set_capacity = admin.action(description="Set capacity…", permissions=["change"])(
    _on_many(CapacityForm, "Set capacity")
)
set_activity = admin.action(description="Set activity…", permissions=["change"])(
    _on_many(ActivityForm, "Set activity")
)
set_capacity.__name__ = "set_capacity"
set_activity.__name__ = "set_activity"
