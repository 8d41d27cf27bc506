"""Admin base classes for rows of a workspace, limited to the user's workspaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from routing import models, sids
from routing.admin import access, searching, time_zones
from routing.admin.base import ActionAdmin, ActionForm
from routing.admin.paging import BoundedPaginator


class ScopedForm(ActionForm):
    """A form for a row of a workspace."""

    workspace: ClassVar[models.Workspace | None] = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.workspace is None:
            return
        if self.instance.pk is None and hasattr(self.instance, "workspace_id"):
            self.instance.workspace = self.workspace
        for field in self.fields.values():
            if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
                continue
            if "workspace" in {each.name for each in field.queryset.model._meta.get_fields()}:
                field.queryset = field.queryset.filter(workspace=self.workspace).order_by(
                    "friendly_name", "pk"
                )


class ScopedAdmin(ActionAdmin):
    """An admin for rows of a workspace; the workspace is chosen first and then fixed."""

    form = ScopedForm
    workspace_sid_path = "workspace__sid"
    """The query path from a row to the workspace's sid."""

    def workspace_of(self, obj: Any) -> models.Workspace | None:
        """Return a row's workspace."""
        found: models.Workspace | None = obj.workspace
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the user's workspaces."""
        rows = super().get_queryset(request)
        if access.is_operator(request.user):
            return rows
        mine = list(access.visible_workspaces(request.user).values_list("sid", flat=True))
        return rows.filter(**{f"{self.workspace_sid_path}__in": mine})

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; the workspace column only for users with several workspaces."""
        shown = super().get_list_display(request)
        several = len(access.visible_workspaces(request.user)[:2]) > 1
        return shown if several else [name for name in shown if name != "workspace"]

    def may(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether a user may configure a row, or anything at all."""
        if obj is None:
            return access.may_enter(request.user)
        workspace = self.workspace_of(obj)
        return access.may_supervise(request.user, None if workspace is None else workspace.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model to every user who may enter the admin."""
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow supervisors to view the rows of their workspaces."""
        return self.may(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow supervisors to add rows to their workspaces."""
        return self.may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow supervisors to change the rows of their workspaces."""
        return self.may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow supervisors to delete the rows of their workspaces."""
        return self.may(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """Return the form class, bound to the page's workspace."""
        form = super().get_form(request, obj, change, **options)
        form.workspace = access.chosen_workspace(request) if obj is None else self.workspace_of(obj)
        return form

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Activate the time zone of the row's workspace."""
        if row := context.get("original"):
            time_zones.activate_zone(self.workspace_of(row))
        return super().render_change_form(request, context, *args, **kw)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the row's events, which are its history."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise PermissionDenied
        events = reverse(f"{self.admin_site.name}:routing_event_changelist")
        return HttpResponseRedirect(f"{events}?{urlencode({'q': getattr(row, 'sid', '')})}")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show a page to choose the workspace first, unless there is only one."""
        if self.has_add_permission(request) and access.chosen_workspace(request) is None:
            context = self.page(
                request,
                title=f"Add {self.opts.verbose_name}: to which workspace?",
                choices=access.visible_workspaces(request.user),
            )
            return TemplateResponse(request, "admin/routing/choose_workspace.html", context)
        return super().add_view(request, form_url, extra_context)


class SearchedAdmin(ScopedAdmin):
    """A list that is searched by words and sids, in bounded time."""

    change_list_template = "admin/routing/searched_list.html"
    search_fields: ClassVar[tuple[str, ...]] = ("sid__exact",)
    sid_lookups: ClassVar[Mapping[str, str]] = {}
    """By sid prefix, the lookup that finds related rows."""
    searched_columns: ClassVar[tuple[str, ...]] = ()
    """The columns searched for words; if empty, only `search_fields` are searched."""
    most_found: ClassVar[int] = searching.MOST_FOUND

    def searched_texts(self, rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        """Return the texts to search, from rows of ids and `searched_columns`."""
        return ((pk, map(str, values)) for pk, *values in rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return rows found by sid, or the newest found by words; note an incomplete search."""
        if not self.searched_columns:
            return super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not term:
            return queryset, False
        prefix = term[:2]
        if prefix in self.sid_lookups and sids.is_valid(term, prefix):
            named = self.model.objects.filter(
                **{self.sid_lookups[prefix]: self.sid_value(prefix, term)}
            )
            return queryset.filter(pk__in=named.values("pk")), False
        found = searching.scan_rows(
            queryset,
            self.searched_columns,
            self.searched_texts,
            searching.split_words(term),
            most_found=self.most_found,
        )
        if not found.is_complete:
            request.search_note = (  # type: ignore[attr-defined]  # read by `changelist_view`
                f"Searched the newest {found.scanned} only"
                + (f" and stopped at {len(found.pks)} found" if found.pks else "")
                + ". Narrow the list by a filter, or search for a sid, to find older ones."
            )
        return queryset.filter(pk__in=found.pks), False

    def sid_value(self, prefix: str, sid: str) -> Any:
        """Return the value that a sid of this kind is compared with."""
        return sid

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, with a note if a search was incomplete."""
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and answer.context_data is not None:
            answer.context_data["search_note"] = getattr(request, "search_note", None)
        return answer


class HistoryAdmin(SearchedAdmin):
    """An admin for read-only history: bounded, newest first."""

    paginator = BoundedPaginator
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse additions: routing creates these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse deletions: housekeeping deletes these rows."""
        return False
