"""Accounts, for operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path

from routing import models
from routing.actions import accounts
from routing.actions.support.errors import ActionError
from routing.admin.base import OperatorAdmin, action_context


@admin.register(models.Account)
class AccountAdmin(OperatorAdmin):
    """List, create and rename accounts. A token is shown once and never again."""

    list_display = ("friendly_name", "sid", "date_created")
    search_fields = ("friendly_name", "sid__exact")
    ordering = ("friendly_name", "pk")
    readonly_fields = ("sid", "date_created", "date_updated")
    change_form_template = "admin/routing/account_change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return a name field for a new account, and all fields for an existing one."""
        if obj is None:
            return (
                (
                    None,
                    {
                        "fields": ("friendly_name",),
                        "description": "The account's sid and auth token are created for you; "
                        "the token is shown once, right after saving.",
                    },
                ),
            )
        return ((None, {"fields": ("friendly_name", *self.readonly_fields)}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to delete accounts, as all their data would be deleted too."""
        return False

    def create_row(self, request: HttpRequest, form: Any) -> models.Account:
        """Create the account and show its token."""
        account, token = accounts.create_account(
            friendly_name=form.cleaned_data["friendly_name"], now=action_context(request)["now"]
        )
        _show(request, account, token)
        return account

    def update_row(self, request: HttpRequest, row: models.Account, form: Any) -> None:
        """Rename the account; its sid stays."""
        accounts.rename_account(account=row, **form.changes, now=action_context(request)["now"])

    def get_urls(self) -> list[Any]:
        """Add the pages that renew and rotate a token."""
        renew = self.admin_site.admin_view(self.renew_view)
        rotate = self.admin_site.admin_view(self.rotate_view)
        return [
            path("<path:object_id>/renew-token/", renew, name="routing_account_renew"),
            path("<path:object_id>/rotate-token/", rotate, name="routing_account_rotate"),
            *super().get_urls(),
        ]

    def renew_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask before the old token is replaced, then show the new one once."""
        account = self._for_operators(request, object_id)
        if request.method == "POST":
            token = accounts.renew_auth_token(account=account, now=action_context(request)["now"])
            _show(request, account, token)
            return HttpResponseRedirect(self.url("change", account.pk))
        context = self.page(
            request, title=f"Replace the auth token of {account} at once?", original=account
        )
        return TemplateResponse(request, "admin/routing/renew_token.html", context)

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Create, promote or delete the secondary token, depending on the button."""
        account = self._for_operators(request, object_id)
        if request.method == "POST":
            try:
                self._rotate(request, account)
            except ActionError as refusal:
                messages.error(request, f"Nothing was changed: {refusal.message}")
            return HttpResponseRedirect(self.url("rotate", account.pk))
        context = self.page(request, title=f"Change the auth token of {account}", original=account)
        return TemplateResponse(request, "admin/routing/rotate_token.html", context)

    def _rotate(self, request: HttpRequest, account: models.Account) -> None:
        now = action_context(request)["now"]
        match request.POST.get("do"):
            case "create":
                token = accounts.create_secondary_token(account=account, now=now)
                _show(request, account, token, kind="secondary auth token")
            case "promote":
                accounts.promote_secondary_token(account=account, now=now)
                messages.success(request, "The secondary token is now the primary one.")
            case "delete":
                accounts.delete_secondary_token(account=account, now=now)
                messages.success(request, "The secondary token was deleted.")

    def _for_operators(self, request: HttpRequest, object_id: str) -> models.Account:
        account: models.Account | None = self.get_object(request, object_id)
        if account is None or not self.has_change_permission(request, account):
            raise PermissionDenied("Only operators may change tokens.")
        return account


def _show(
    request: HttpRequest, account: models.Account, token: str, kind: str = "auth token"
) -> None:
    messages.warning(
        request,
        f"The {kind} of {account.sid} is {token} – keep it now, it is not shown again.",
    )
