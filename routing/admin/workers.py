"""Workers: activity, attributes, login and capacities on one page, saved together."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing import models
from routing.actions import logins, worker_channels, workers
from routing.admin import access, searching, worker_bulk
from routing.admin.base import action_context
from routing.admin.fields import JSONText
from routing.admin.filters import ActivityFilter, WorkspaceFilter
from routing.admin.scoped import ScopedForm, SearchedAdmin
from routing.admin.times import format_time
from routing.admin.worker_capacities import (
    capacity_field_names,
    form_for_new_worker,
    set_capacities_of_new_worker,
)
from routing.admin.worker_channels import WorkerChannelInline, load
from routing.admin.worker_filters import (
    LoginFilter,
    WorkerChannelFilter,
    WorkerQueueFilter,
    WorkerSkillFilter,
)
from routing.admin.worker_logins import login_view

_DETAILS: Final = ("attributes",)
"""Fields of the first fieldset, of new and of existing workers."""


class WorkerForm(ScopedForm):
    """Form of a worker."""

    places = {"username": "new_username", "password": "new_password"}
    attributes = JSONText(
        required=False,
        initial="{}",
        help_text="A JSON object that expressions match on, such as "
        '{"languages": ["en", "fr"], "level": 3}.',
    )
    new_username = forms.CharField(
        required=False,
        label="New login",
        help_text="To create a login for this worker in the same step: its user name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    new_password = forms.CharField(
        required=False,
        strip=False,
        label="Its password",
        help_text="Tell it to them; it is not shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    reject_pending_reservations = forms.BooleanField(
        required=False,
        label="Reject open offers",
        help_text="When this page moves them to an activity without work while offers are open: "
        "reject these instead of refusing to move.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is None and self.workspace is not None:
            self.fields["activity"].initial = self.workspace.default_activity_id

    def clean(self) -> dict[str, Any] | None:
        """Check that at most one login is given, and that a new one has a password."""
        cleaned = super().clean()
        name, password = (self.cleaned_data.get(f"new_{what}") for what in ("username", "password"))
        # A field that was refused has its own error already.
        refused = self.errors.keys()
        if name and not password and "new_password" not in refused:
            self.add_error("new_password", "A new login needs a password.")
        if password and not name and "new_username" not in refused:
            self.add_error("new_username", "Enter the user name for this password.")
        if name and self.cleaned_data.get("user") and "user" in self.changed_data:
            self.add_error("new_username", "Choose an existing login or create one, not both.")
        return cleaned


@admin.register(models.Worker)
class WorkerAdmin(SearchedAdmin):
    """Admin of workers."""

    form = WorkerForm
    list_display = ("friendly_name", "current_activity", "live_load", "user", "workspace")
    list_filter = (
        WorkspaceFilter,
        ActivityFilter,
        WorkerChannelFilter,
        WorkerQueueFilter,
        WorkerSkillFilter,
        LoginFilter,
    )
    search_help_text = "Words of the name, the login or any attribute, or the sid of a worker."
    sid_lookups: ClassVar[Mapping[str, str]] = {"WK": "sid"}
    searched_columns = ("friendly_name", "user__username", "attributes")
    most_found = searching.MOST_ROWS
    ordering = ("workspace__friendly_name", "friendly_name", "pk")
    readonly_fields = (
        "workspace",
        "held_tasks",
        "sid",
        "in_activity_since",
        "date_created",
        "date_updated",
    )
    actions = (worker_bulk.set_capacity, worker_bulk.set_activity)
    change_form_template = "admin/routing/worker_change_form.html"
    goes_with = ("their channels and the record of their finished reservations",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets for a new or an existing worker."""
        login: dict[str, Any] = {"fields": ("user", "new_username", "new_password")}
        if obj is None:
            new = ("workspace", "friendly_name", "activity", *_DETAILS)
            capacities = capacity_field_names(access.chosen_workspace(request))
            slots = {
                # One row, which wraps.
                "fields": (tuple(capacities),) if capacities else (),
                "description": "How many tasks of each channel at once, 0 to 50.",
            }
            return ((None, {"fields": new}), ("Capacities", slots), ("Login", login))
        if obj.user is not None and access.may_reset_login(request.user, obj.user):
            login["fields"] = ("user", "login_page", "new_username", "new_password")
        person = ("workspace", "friendly_name", *_DETAILS)
        now = ("activity", "reject_pending_reservations", "in_activity_since", "held_tasks")
        return (
            (None, {"fields": person}),
            ("Now", {"fields": now}),
            ("Login", login),
            (
                "For programs",
                {"fields": ("sid", "date_created", "date_updated"), "classes": ("collapse",)},
            ),
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """Return the form; for a new worker it has capacity fields, else the page has a table."""
        if obj is None:
            workspace = access.chosen_workspace(request)
            options["form"] = form_for_new_worker(self.form, workspace)
        return super().get_form(request, obj, change, **options)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Return the channels of an existing worker."""
        return [WorkerChannelInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load the channels with one more query."""
        channels = models.WorkerChannel.objects.select_related("task_channel")
        return (
            super()
            .get_queryset(request)
            .select_related("workspace", "activity", "user")
            .prefetch_related(Prefetch("channels", channels.order_by("task_channel__pk")))
        )

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **options: Any) -> Any:
        """Offer only logins that the user may know."""
        if db_field.name == "user":
            options["queryset"] = _known_logins(request)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return a worker's name, login and attribute values."""
        for pk, name, login, attributes in rows:
            yield pk, [name, login or "", *searching.attribute_texts(attributes)]

    @admin.display(description="activity", ordering="activity__friendly_name")
    def current_activity(self, worker: models.Worker) -> SafeString:
        """Return the activity with its CSS class."""
        state = "available" if worker.activity.available else "unavailable"
        return format_html('<span class="presence {}">{}</span>', state, worker.activity)

    @admin.display(description="load now")
    def live_load(self, worker: models.Worker) -> SafeString:
        """Return the slots in use on every channel."""
        return load(worker)

    @admin.display(description="in this activity since")
    def in_activity_since(self, worker: models.Worker) -> str:
        """Return when the activity last changed."""
        return format_time(worker.date_status_changed)

    @admin.display(description="in hand")
    def held_tasks(self, worker: models.Worker) -> SafeString | str:
        """Return the offers and tasks that the worker holds."""
        held = worker.reservations.open().select_related("task__task_channel").order_by("pk")
        return (
            format_html_join(
                "",
                '<div><a href="{}">{}</a> – {}, {}</div>',
                (
                    (
                        reverse("admin:routing_task_change", args=[r.task_id]),
                        r.task.sid,
                        r.task.task_channel.unique_name,
                        r.reservation_status,
                    )
                    for r in held
                ),
            )
            or "nothing"
        )

    def create_row(self, request: HttpRequest, form: Any) -> models.Worker:
        """Create the worker, and a login if one was entered."""
        values = form.given | _new_login(form)
        worker = workers.create_worker(
            workspace=form.workspace, **values, **action_context(request)
        )
        set_capacities_of_new_worker(worker, form.cleaned_data, request)
        return worker

    def update_row(self, request: HttpRequest, row: models.Worker, form: Any) -> None:
        """Change the worker."""
        changes = form.changes | _new_login(form)
        if not changes:
            return
        leaves = "activity" in changes and not changes["activity"].available
        workers.update_worker(
            worker=row,
            reject_pending_reservations=leaves and form.cleaned_data["reject_pending_reservations"],
            **changes,
            **action_context(request),
        )

    def delete_row(self, request: HttpRequest, row: models.Worker) -> None:
        """Delete the worker, unless they have open offers or tasks."""
        workers.delete_worker(worker=row, **action_context(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the channels that were changed."""
        formset.save(commit=False)
        for channel, fields in formset.changed_objects:
            changes = {name: getattr(channel, name) for name in fields}
            worker_channels.update_worker_channel(
                channel=channel, **changes, **action_context(request)
            )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the link to the login's page."""
        return (*super().get_readonly_fields(request, obj), "login_page")

    @admin.display(description="Password")
    def login_page(self, worker: models.Worker) -> SafeString | str:
        """Return a link to the page that resets the password or deactivates the login."""
        state = "" if worker.user is None or worker.user.is_active else " This login cannot log in."
        address = self.url("login", worker.pk)
        words = "Set a new password, or deactivate the login"
        return format_html('<a href="{}">{}</a>.{}', address, words, state)

    def get_urls(self) -> list[Any]:
        """Add the page of a worker's login."""
        view = self.admin_site.admin_view(functools.partial(login_view, self))
        return [
            path("<path:object_id>/login/", view, name="routing_worker_login"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Redirect to the new worker's page."""
        response = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST:
            return response
        return HttpResponseRedirect(self.url("change", obj.pk))


def _known_logins(request: HttpRequest) -> Any:
    """Return the logins to choose from: a supervisor sees only those of their workspaces."""
    users = get_user_model().objects.filter(is_active=True).order_by("username")
    if access.is_operator(request.user):
        return users
    mine = access.visible_workspaces(request.user)
    return users.filter(
        Q(pk=request.user.pk)
        | Q(pk__in=models.Worker.objects.filter(workspace__in=mine).values("user"))
        | Q(pk__in=models.Membership.objects.filter(workspace__in=mine).values("user"))
    )


def _new_login(form: Any) -> dict[str, Any]:
    name, password = form.cleaned_data["new_username"], form.cleaned_data["new_password"]
    return {"user": logins.create_login(username=name, password=password)} if name else {}
