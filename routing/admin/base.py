"""Change rows through actions only, and show an action's refusal at the field concerned.

A form is checked and its action run inside Django's own transaction. If the action refuses, the
transaction is rolled back and the page is shown again with the error at its field. No save is ever
half done.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypedDict

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.text import capfirst

from routing.actions.support.errors import ActionError, InvalidInput, StaleState
from routing.actors import Actor
from routing.admin import access

if TYPE_CHECKING:
    from datetime import datetime

    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm


_DATE_PART: Final = re.compile(r"[0-9]{1,4}", re.ASCII)


class ActionContext(TypedDict):
    """The actor and the time of a change, which every action needs."""

    actor: Actor
    now: datetime


def action_context(request: HttpRequest) -> ActionContext:
    """Return the user of a request as the actor, and the current time."""
    actor = Actor(
        type="user",
        sid=request.user.get_username()[:64],
        source="admin",
        ip_address=request.META.get("REMOTE_ADDR") or None,
    )
    return {"actor": actor, "now": timezone.now()}


class ActionForm(ModelForm):
    """A form whose action may refuse.

    `places` maps an argument to the form field that shows its refusal, if their names differ.
    """

    refusal: ClassVar[ActionError | None] = None
    places: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in set(self.declared_fields) - set(self._meta.fields or self.declared_fields):
            del self.fields[name]  # this page does not show it
        if self.instance.pk is not None:
            # A page may stay open while others change the row, for example agents their own
            # activity. So only fields changed on this page, since it was shown, are passed to the
            # action.
            for field in self.fields.values():
                alone = getattr(field, "compares_itself", False) or field.widget.is_hidden
                field.show_hidden_initial = not alone

    def clean(self) -> dict[str, Any] | None:
        """Add the error with which the action refused these values."""
        cleaned = super().clean()
        if self.refusal is not None:
            self.add_error(self._place(self.refusal), self.refusal.message)
        return cleaned

    def _place(self, refusal: ActionError) -> str | None:
        if not isinstance(refusal, InvalidInput):
            return None
        named = self.places.get(refusal.field, refusal.field)
        return next((n for n in (named, named.removesuffix("_sid")) if n in self.fields), None)

    @property
    def given(self) -> dict[str, Any]:
        """Return the values of the fields of the model."""
        columns = {column.name for column in self._meta.model._meta.concrete_fields}
        return {name: value for name, value in self.cleaned_data.items() if name in columns}

    @property
    def changes(self) -> dict[str, Any]:
        """Return the values that differ from those that the page showed."""
        changed = set(self.changed_data)
        return {name: value for name, value in self.given.items() if name in changed}


class OwnFiltersOnly:
    """Restrict a list's query parameters to those of its own filters.

    Django allows every lookup on a column, including regular expressions, which can keep the
    database busy without end. Mix this in before an admin class.
    """

    _SUFFIXES: Final = ("", "__exact", "__isnull", "__gte", "__lt")
    """The suffixes that Django's filters append to a column's name."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Return whether a parameter is one that a filter of the list writes."""
        if "\0" in str(value):
            return False
        days = self.date_hierarchy  # type: ignore[attr-defined]
        if days and lookup in (f"{days}__year", f"{days}__month", f"{days}__day"):
            return bool(_DATE_PART.fullmatch(str(value)))
        listed = self.get_list_filter(request)  # type: ignore[attr-defined]
        return any(lookup in self._parameters(each) for each in listed)

    def _parameters(self, listed: Any) -> set[str]:
        """Return the parameters that a filter writes."""
        if isinstance(listed, type) and issubclass(listed, admin.SimpleListFilter):
            return {str(listed.parameter_name)}
        name = listed[0] if isinstance(listed, tuple | list) else listed
        return {f"{name}{suffix}" for suffix in self._SUFFIXES}


class ActionAdmin(OwnFiltersOnly, ModelAdmin):
    """An admin that saves by `create_row`, `update_row` and `delete_row`, which call actions."""

    form = ActionForm
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    delete_selected_confirmation_template = "admin/routing/delete_selected.html"
    goes_with: Sequence[str] = ()
    """Texts for what a deletion also deletes."""

    checks_deletion = True
    """Whether a deletion is tried and rolled back before the confirmation page is shown."""

    def create_row(self, request: HttpRequest, form: Any) -> Model:
        """Create a row from a form."""
        raise NotImplementedError

    def update_row(self, request: HttpRequest, row: Any, form: Any) -> None:
        """Change a freshly loaded row from a form."""
        raise NotImplementedError

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        """Delete a row."""
        raise NotImplementedError

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """Return the form class, with the refusal of the action if it has just refused."""
        form = super().get_form(request, obj, change, **options)
        if hasattr(form, "refusal"):
            form.refusal = getattr(request, "refusal", None)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Run the action. `obj`, which the form has written into, is never saved."""
        if change:
            row = self.model.objects.filter(pk=obj.pk).first()
            if row is None:
                raise StaleState(f"{obj} was deleted by someone else")
            if form.changed_data:
                self.update_row(request, row, form)
            return
        made = self.create_row(request, form)
        obj.pk = made.pk
        obj._state.adding = False
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Run the actions for rows edited inline; admins with inlines implement it."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete one row by its action."""
        self.delete_row(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete rows by their action: all of them or, when one is refused, none."""
        for row in queryset.order_by("pk"):
            self.delete_row(request, row)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show or save a form, and show an action's refusal in the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ActionError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]  # read by `get_form`
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Set the page's title and the buttons."""
        if row := context.get("original"):
            context["title"] = self.title_of(row)
            context["subtitle"] = capfirst(self.opts.verbose_name)
        context.setdefault("show_save_and_add_another", not row)
        return super().render_change_form(request, context, *args, **kw)

    def title_of(self, row: Any) -> str:
        """Return the title of a row's page."""
        return str(row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, or act on many rows in one transaction."""
        extra_context = {"title": capfirst(self.opts.verbose_name_plural)} | (extra_context or {})
        writes = request.method == "POST"
        try:
            with transaction.atomic() if writes else contextlib.nullcontext():
                return super().changelist_view(request, extra_context)
        except ActionError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for and run a deletion; after a refusal, redirect to the row."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ActionError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url("change", object_id))

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Return what a deletion includes, without loading related rows, and why it is refused."""
        rows = list(objs)
        named: list[Any] = []
        for row in rows:
            named.append(f"{capfirst(self.opts.verbose_name)}: {row}")
            if self.goes_with:
                named.append(list(self.goes_with))
        refusal = None if "post" in request.POST else self._refusal(request, rows)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        return named, counts, set(), [] if refusal is None else [refusal.message]

    def _refusal(self, request: HttpRequest, rows: Sequence[Any]) -> ActionError | None:
        """Return the action's refusal of a deletion, which is tried and rolled back."""
        if not self.checks_deletion:
            return None
        try:
            with transaction.atomic():
                for row in rows:
                    self.delete_row(request, row)
                transaction.set_rollback(True)
        except ActionError as refusal:
            return refusal
        return None

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        """Return the form field without links that edit related rows in a popup."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if field is not None:
            # Pages render it as HTML, where worker.channel.<name> would lose its name.
            field.help_text = conditional_escape(field.help_text)
        return field

    def url(self, page: str, *arguments: Any) -> str:
        """Return the URL of one of this admin's pages."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(f"{self.admin_site.name}:{name}", args=arguments)

    def page(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """Return the context of a custom page."""
        return {**self.admin_site.each_context(request), "opts": self.opts, **context}


class OperatorsOnly:
    """Restrict an admin to operators. Mix this in before the admin class."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model to operators."""
        return access.is_operator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to view."""
        return access.is_operator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow operators to add."""
        return access.is_operator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to change."""
        return access.is_operator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow operators to delete."""
        return access.is_operator(request.user)


class OperatorAdmin(OperatorsOnly, ActionAdmin):
    """An admin for operators only, which saves through actions."""
