"""Accounts, for operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from routing import models
from routing.actions import accounts
from routing.admin.base import OperatorAdmin, acting


@admin.register(models.Account)
class AccountAdmin(OperatorAdmin):
    """List accounts and create new ones; a token is shown once and never again."""

    list_display = ("friendly_name", "sid", "date_created")
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("friendly_name", "pk")
    readonly_fields = ("sid", "date_created", "date_updated")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for a name; show the rest."""
        if obj is None:
            return (
                (
                    None,
                    {
                        "fields": ("friendly_name",),
                        "description": "The account's sid and auth token are made for you; "
                        "the token is shown once, right after saving.",
                    },
                ),
            )
        return ((None, {"fields": ("friendly_name", *self.readonly_fields)}),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change what programs know the account by."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete an account with all that is in it."""
        return False

    def create_row(self, request: HttpRequest, form: Any) -> models.Account:
        """Create the account and show its token."""
        account, token = accounts.create_account(
            friendly_name=form.cleaned_data["friendly_name"], now=acting(request)["now"]
        )
        messages.warning(
            request,
            f"The auth token of {account.sid} is {token} – keep it now, it is not shown again.",
        )
        return account
