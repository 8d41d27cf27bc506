"""Task channels: add, rename, delete, and add the five custom ones at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path

from routing import models
from routing.actions import task_channels
from routing.admin import access
from routing.admin.base import action_context
from routing.admin.filters import WorkspaceFilter
from routing.admin.scoped import ScopedAdmin


class CustomChannelsForm(forms.Form):
    """The workspace that gets the custom channels."""

    workspace = forms.ModelChoiceField(queryset=models.Workspace.objects.none())


@admin.register(models.TaskChannel)
class TaskChannelAdmin(ScopedAdmin):
    """Admin of task channels."""

    list_display = ("friendly_name", "unique_name", "channel_optimized_routing", "workspace")
    list_filter = (WorkspaceFilter,)
    list_select_related = ("workspace",)
    search_fields = ("friendly_name", "unique_name", "sid__exact")
    ordering = ("workspace__friendly_name", "pk")
    goes_with = ("every worker's capacity on it; finished tasks are filed under default",)
    new_channel_note = (
        "Every worker gets a new channel with a capacity of 1, as in TaskRouter. Set it to 0 in the"
        " list of workers for those who should not take its tasks."
    )
    change_list_template = "admin/routing/taskchannel_change_list.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "workspace",
                    "friendly_name",
                    "unique_name",
                    "channel_optimized_routing",
                    "occupancy_weight",
                )
            },
        ),
        (
            "For programs",
            {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; a new channel has no sid and dates yet."""
        if obj:
            return self.fieldsets
        _, new = self.fieldsets[0]
        return ((None, {**new, "description": self.new_channel_note}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the unique name read-only once the channel exists."""
        fixed = ("workspace", "sid", "date_created", "date_updated")
        return (*fixed, "unique_name") if obj else fixed

    def create_row(self, request: HttpRequest, form: Any) -> models.TaskChannel:
        """Create the channel; every worker gets it with a capacity of 1."""
        return task_channels.create_task_channel(
            workspace=form.workspace, **form.given, **action_context(request)
        )

    def update_row(self, request: HttpRequest, row: models.TaskChannel, form: Any) -> None:
        """Rename the channel."""
        task_channels.update_task_channel(channel=row, **form.changes, **action_context(request))

    def delete_row(self, request: HttpRequest, row: models.TaskChannel) -> None:
        """Delete the channel, unless it is in use."""
        task_channels.delete_task_channel(channel=row, **action_context(request))

    def get_urls(self) -> list[Any]:
        """Add the page of the custom channels."""
        custom = self.admin_site.admin_view(self.custom_view)
        return [path("custom/", custom, name="routing_taskchannel_custom"), *super().get_urls()]

    def custom_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the workspace, and add custom1 to custom5 to it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CustomChannelsForm(
            request.POST or None, initial={"workspace": access.chosen_workspace(request)}
        )
        field = form.fields["workspace"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = access.visible_workspaces(request.user)
        if request.method == "POST" and form.is_valid():
            workspace = form.cleaned_data["workspace"]
            added = task_channels.add_custom_channels(
                workspace=workspace, **action_context(request)
            )
            names = ", ".join(channel.unique_name for channel in added)
            messages.success(
                request,
                f"Added to {workspace}: {names}. Every worker has each with a capacity of 1."
                if added
                else f"{workspace} has custom1 to custom5 already; nothing was changed.",
            )
            return HttpResponseRedirect(f"{self.url('changelist')}?workspace={workspace.sid}")
        context = self.page(request, title="Add custom1 to custom5", form=form)
        return TemplateResponse(request, "admin/routing/custom_channels.html", context)
