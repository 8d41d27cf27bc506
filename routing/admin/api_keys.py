"""API keys, for operators: create with the secret shown once, revoke."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from routing import models
from routing.actions import api_keys
from routing.admin.base import ActionForm, OperatorAdmin, action_context
from routing.admin.times import format_plain_time

_FACTS = ("works", "used", "date_created", "date_revoked")


class Validity(admin.SimpleListFilter):
    """Filter by whether a key is valid or revoked."""

    title = "whether it works"
    parameter_name = "works"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both choices."""
        return [("yes", "Works"), ("no", "Revoked")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[models.ApiKey]
    ) -> QuerySet[models.ApiKey]:
        """Return the keys of the chosen kind."""
        if self.value() is None:
            return queryset
        return queryset.filter(date_revoked__isnull=self.value() == "yes")


class ApiKeyForm(ActionForm):
    """Form with a name and an account."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if name := self.fields.get("friendly_name"):
            name.required = True


@admin.register(models.ApiKey)
class ApiKeyAdmin(OperatorAdmin):
    """List, create and revoke keys. A secret is shown once and never again."""

    form = ApiKeyForm
    list_display = ("friendly_name", "sid", "account", "date_created", "used", "works")
    list_select_related = ("account",)
    list_filter = (Validity,)
    search_fields = ("friendly_name", "sid__exact", "account__sid__exact")
    ordering = ("-pk",)
    actions = ("revoke",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the name and the account of a new key, and all fields of an existing one."""
        asked = ("account", "friendly_name")
        if obj is None:
            text = "The key's secret is shown once, right after saving."
            return ((None, {"fields": asked, "description": text}),)
        return ((None, {"fields": (*asked, "sid", *_FACTS)}),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse changes: a key can only be revoked and replaced."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse deletions: events name the keys that made them."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Allow operators to revoke keys."""
        return self.has_add_permission(request)

    @admin.display(description="works", boolean=True)
    def works(self, key: models.ApiKey) -> bool:
        """Return whether the key is valid."""
        return key.date_revoked is None

    @admin.display(description="last used")
    def used(self, key: models.ApiKey) -> str:
        """Return when the key was last used, to the minute."""
        return (
            format_plain_time(key.date_last_used, seconds=False) if key.date_last_used else "never"
        )

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[models.ApiKey]) -> None:
        """Revoke the selected keys at once."""
        keys = list(queryset.filter(date_revoked=None).order_by("pk"))
        for key in keys:
            api_keys.revoke_api_key(key=key, now=action_context(request)["now"])
        messages.success(
            request,
            f"Revoked: {', '.join(str(key) for key in keys)}."
            if keys
            else "These keys were revoked before; nothing was changed.",
        )

    def create_row(self, request: HttpRequest, form: Any) -> models.ApiKey:
        """Create the key and show its secret."""
        key, secret = api_keys.create_api_key(
            account=form.cleaned_data["account"],
            friendly_name=form.cleaned_data["friendly_name"],
            now=action_context(request)["now"],
        )
        messages.warning(
            request, f"The secret of {key.sid} is {secret} – keep it now, it is not shown again."
        )
        return key
