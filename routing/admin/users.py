"""Logins, for operators: Django's own pages, with the workers and workspaces of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing.admin.base import OperatorsOnly, OwnFiltersOnly

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    Base = DjangoUserAdmin[User]
else:
    Base = DjangoUserAdmin

admin.site.unregister(Group)  # rights come from memberships; groups have no effect
admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class UserAdmin(OwnFiltersOnly, OperatorsOnly, Base):
    """Admin of logins. Django's rights by model and group have no effect here and are hidden."""

    list_display = ("username", "works_as", "supervised", "is_superuser", "is_active")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
    change_list_template = "admin/routing/change_list.html"
    change_form_template = "admin/routing/change_form.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    readonly_fields = ("password_page", "works_as", "supervised", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password_page")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "What they may do",
            {
                "fields": ("works_as", "supervised", "is_active", "is_staff", "is_superuser"),
                "description": "A login that works as a worker has the agent's desk. Staff who "
                "supervise a workspace see its pages here. Superusers are operators: they see "
                "every workspace, logins, accounts and keys.",
            },
        ),
        ("When", {"fields": ("last_login", "date_joined"), "classes": ("collapse",)}),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Use the same title as the index page."""
        return super().changelist_view(request, {"title": "Logins"} | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load workers and memberships with the users."""
        return (
            super()
            .get_queryset(request)
            .prefetch_related("workers__workspace", "memberships__workspace")
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Set the title to the login's name."""
        row = context.get("original")
        context["title"] = str(row) if row else "Add login"
        context["subtitle"] = "Login" if row else None
        return super().render_change_form(request, context, *args, **kw)

    @admin.display(description="password")
    def password_page(self, user: User) -> SafeString:
        """Return a link to the page that sets a password, instead of the stored hash."""
        address = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}">Set a new password</a>', address)

    @admin.display(description="works as")
    def works_as(self, user: User) -> SafeString | str:
        """Return the workers that this login works as."""
        return _links("worker", [(w.pk, f"{w} ({w.workspace})") for w in user.workers.all()])

    @admin.display(description="supervises")
    def supervised(self, user: User) -> SafeString | str:
        """Return the workspaces that this login supervises."""
        places = [(m.workspace.pk, str(m.workspace)) for m in user.memberships.all()]
        return _links("workspace", places)


def _links(model: str, rows: list[tuple[int, str]]) -> SafeString | str:
    name = f"admin:routing_{model}_change"
    return (
        format_html_join(
            ", ", '<a href="{}">{}</a>', ((reverse(name, args=[pk]), text) for pk, text in rows)
        )
        or "–"
    )
