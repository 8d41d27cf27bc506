"""Change many workers at once: choose them in the list, say what, and see what changed."""

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
from routing.actions import worker_channels, workers
from routing.actions.errors import ActionError
from routing.admin.base import acting
from routing.models.worker_channels import MAX_CAPACITY

_LEAVE = ("", "leave as it is")
_NAMED = 20


class CapacityForm(forms.Form):
    """What the selected workers get on one channel; what is left empty stays."""

    channel = forms.ModelChoiceField(queryset=models.TaskChannel.objects.none(), empty_label=None)
    configured_capacity = forms.IntegerField(
        required=False,
        label="Capacity",
        min_value=0,
        max_value=MAX_CAPACITY,
        help_text="How many tasks at once (0 to 50). Empty: leave as it is.",
    )
    available = forms.ChoiceField(
        required=False,
        choices=[_LEAVE, ("on", "on"), ("off", "off: nothing new on this channel for a while")],
        label="Switch",
        help_text="Switching off keeps the capacity.",
    )
    reserved_for_manual = forms.IntegerField(
        required=False,
        label="Kept for grabbing",
        min_value=0,
        max_value=MAX_CAPACITY,
        help_text="So many slots are never filled by the router. Empty: leave as it is.",
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["channel"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = workspace.task_channels.order_by("pk")

    def clean(self) -> dict[str, Any]:
        """Insist on something to change."""
        if not self.errors and not self.changes:
            raise forms.ValidationError("Say what to change: capacity, switch or kept slots.")
        return self.cleaned_data

    @property
    def changes(self) -> dict[str, Any]:
        """Return what was said, as the action wants it."""
        found = {
            name: self.cleaned_data[name]
            for name in ("configured_capacity", "reserved_for_manual")
            if self.cleaned_data.get(name) is not None
        }
        if switch := self.cleaned_data.get("available"):
            found["available"] = switch == "on"
        return found

    def apply(self, request: HttpRequest, rows: list[models.Worker]) -> str:
        """Change the channel of each worker; return what changed, in words."""
        changes = self.changes
        channel = self.cleaned_data["channel"]
        changed: list[str] = []
        held = models.WorkerChannel.objects.filter(worker__in=rows, task_channel=channel)
        for before in held.select_related("worker").order_by("pk"):
            if any(getattr(before, name) != value for name, value in changes.items()):
                worker_channels.update_worker_channel(channel=before, **changes, **acting(request))
                changed.append(before.worker.friendly_name)
        words = {
            "configured_capacity": "capacity",
            "available": "switch",
            "reserved_for_manual": "kept for grabbing",
        }
        said = ", ".join(
            f"{words[name]} {'on' if value is True else 'off' if value is False else value}"
            for name, value in changes.items()
        )
        return _summary(f"{channel}: {said}", changed, len(rows))


class ActivityForm(forms.Form):
    """Where the selected workers go."""

    activity = forms.ModelChoiceField(
        queryset=models.Activity.objects.none(),
        empty_label=None,
        help_text="Only an available activity lets new work come; running work goes on in any.",
    )
    reject_pending_reservations = forms.BooleanField(
        required=False,
        label="Reject open offers",
        help_text="Where a worker has open offers and the activity takes no work. Without this, "
        "nobody is moved when one of them has an offer.",
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["activity"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = workspace.activities.order_by("-available", "friendly_name", "pk")

    def apply(self, request: HttpRequest, rows: list[models.Worker]) -> str:
        """Move each worker; return who was moved, in words."""
        activity = self.cleaned_data["activity"]
        reject = self.cleaned_data["reject_pending_reservations"] and not activity.available
        moved: list[str] = []
        for worker in rows:
            if worker.activity_id != activity.pk:
                workers.set_activity(
                    worker=worker,
                    activity=activity,
                    reject_pending_reservations=reject,
                    **acting(request),
                )
                moved.append(worker.friendly_name)
        return _summary(f"Activity {activity}", moved, len(rows))


def _summary(what: str, changed: list[str], total: int) -> str:
    names = ", ".join(changed[:_NAMED])
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    same = total - len(changed)
    rest = f" {same} of {total} had that already." if same else ""
    done = f"changed: {names}{more}." if changed else "nothing to change."
    return f"{what} – {done}{rest}"


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
                    messages.success(request, form.apply(request, rows))
                return None
            except ActionError as refusal:
                form.add_error(None, refusal.message)
        across = request.POST.get("select_across") == "1"
        context = modeladmin.page(
            request,
            title=f"{verb} of {len(rows)} worker{'' if len(rows) == 1 else 's'}",
            form=form,
            rows=rows[:_NAMED],
            more=max(len(rows) - _NAMED, 0),
            action=request.POST["action"],
            checkbox=ACTION_CHECKBOX_NAME,
            # With everything selected, the list's own filter says who: one mark is enough.
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
