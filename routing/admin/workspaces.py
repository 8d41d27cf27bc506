"""Workspaces: multitasking, default activities, callbacks and supervisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import TextField
from django.http import HttpRequest

from routing import models
from routing.actions import memberships, workspaces
from routing.admin import access
from routing.admin.base import action_context
from routing.admin.fields import Lines, monospaced_area
from routing.admin.scoped import ScopedAdmin, ScopedForm
from routing.core.vocabulary import QueueOrder
from routing.time_zones import time_zone_names

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


def _build_paths_field(name: str, *, rows: int) -> Lines:
    """Return the field of one part of the layout, with the texts of its column."""
    column = models.Workspace._meta.get_field(name)
    assert isinstance(column, TextField)
    return Lines(
        required=False,
        label=str(column.verbose_name).capitalize(),
        widget=monospaced_area(rows),
        help_text=column.help_text,
    )


class WorkspaceForm(ScopedForm):
    """Form of a workspace."""

    template = forms.ChoiceField(
        choices=[
            ("NONE", "Only the usual channels and activities"),
            ("FIFO", "A queue for everyone and a workflow that fills it"),
        ],
        label="Start with",
        help_text="Every workspace begins with the channels voice, sms, chat, video and default, "
        "and with the activities Available, Unavailable and Offline.",
    )

    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in time_zone_names()],
        help_text="The time zone for times on these pages.",
    )

    rejection_reasons = Lines(
        required=False,
        label="Reasons to reject",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Reasons that agents may choose when they reject an offer, one on each line.",
    )

    withdrawn_reasons = Lines(
        required=False,
        label="Reasons that are no abandonment",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Reasons with which programs cancel tasks that no customer gave up, such as"
        " duplicates and tests, one on each line.",
    )

    title_attributes = _build_paths_field("title_attributes", rows=3)
    subtitle_attributes = _build_paths_field("subtitle_attributes", rows=3)
    attribute_labels = _build_paths_field("attribute_labels", rows=8)
    hidden_attributes = _build_paths_field("hidden_attributes", rows=4)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "event_callback_url" in self.fields:
            self.fields[
                "event_callback_url"
            ].help_text = (
                "Where every event is posted to: an absolute http or https address, or empty."
            )

    def clean_prioritize_queue_order(self) -> QueueOrder:
        """Return the order as an enum member."""
        return QueueOrder(self.cleaned_data["prioritize_queue_order"])


class MembershipInline(TabularInline):
    """The supervisors of a workspace, for operators."""

    model = models.Membership
    extra = 0
    verbose_name = "supervisor"
    verbose_name_plural = "supervisors"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to view."""
        return access.is_operator(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to add."""
        return access.is_operator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse changes: a membership can only be removed and another one added."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to remove supervisors."""
        return access.is_operator(request.user)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        """Return a plain select field of users."""
        return db_field.formfield(**options)


@admin.register(models.Workspace)
class WorkspaceAdmin(ScopedAdmin):
    """Admin of workspaces: operators create and delete them, supervisors configure their own."""

    form = WorkspaceForm
    workspace_sid_path = "sid"
    list_display = ("friendly_name", "multi_task_enabled", "prioritize_queue_order", "sid")
    list_filter = ("multi_task_enabled",)
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("friendly_name", "pk")
    actions = None
    goes_with = ("all its tasks, workers, queues, workflows, channels and activities",)
    change_form_template = "admin/routing/workspace_change_form.html"

    def workspace_of(self, obj: Any) -> models.Workspace:
        """Return the workspace itself."""
        assert isinstance(obj, models.Workspace)
        return obj

    checks_deletion = False  # it is never refused, and may take long

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow operators to add."""
        return access.is_operator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to delete."""
        return access.is_operator(request.user)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets for a new or an existing workspace."""
        callbacks = (
            "Callbacks",
            {"fields": ("event_callback_url", "events_filter"), "classes": ("collapse",)},
        )
        orders = ("multi_task_enabled", "prioritize_queue_order")
        if obj is None:
            return (
                (None, {"fields": ("account", "friendly_name", "template")}),
                ("Routing", {"fields": orders}),
                callbacks,
            )
        return (
            (None, {"fields": ("friendly_name",)}),
            ("Routing", {"fields": (*orders, "default_activity", "timeout_activity")}),
            (
                "People",
                {"fields": ("desk_grace", "rejection_pause", "rejection_reasons", "time_zone")},
            ),
            ("Figures", {"fields": ("day_starts_at", "withdrawn_reasons")}),
            (
                "Tasks at the desk",
                {
                    "fields": (
                        "title_attributes",
                        "subtitle_attributes",
                        "attribute_labels",
                        "hidden_attributes",
                    )
                },
            ),
            callbacks,
            (
                "For programs",
                {
                    "fields": ("account", "sid", "date_created", "date_updated"),
                    "classes": ("collapse",),
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the account read-only once the workspace exists."""
        fixed = ("sid", "date_created", "date_updated")
        return (*fixed, "account") if obj else fixed

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Return the supervisors of an existing workspace."""
        return [MembershipInline] if obj else []

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the form at once, as a workspace has no parent workspace."""
        return super(ScopedAdmin, self).add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Preselect the account if there is only one."""
        first, *more = models.Account.objects.order_by("pk")[:2] or [None]
        chosen = {} if first is None or more else {"account": first.pk}
        return chosen | super().get_changeform_initial_data(request)

    def create_row(self, request: HttpRequest, form: Any) -> models.Workspace:
        """Create the workspace with its first activities and channels."""
        return workspaces.create_workspace(
            **form.given, template=form.cleaned_data["template"], **action_context(request)
        )

    def update_row(self, request: HttpRequest, row: models.Workspace, form: Any) -> None:
        """Change the workspace."""
        if changes := form.changes:
            workspaces.update_workspace(workspace=row, **changes, **action_context(request))

    def delete_row(self, request: HttpRequest, row: models.Workspace) -> None:
        """Delete the workspace and everything in it."""
        workspaces.delete_workspace(workspace=row, **action_context(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Add and remove supervisors."""
        formset.save(commit=False)
        for membership in formset.deleted_objects:
            memberships.remove_membership(membership=membership)
        for membership in formset.new_objects:
            memberships.add_membership(workspace=form.instance, user=membership.user)
