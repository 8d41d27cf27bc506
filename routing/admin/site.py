"""The admin site: its access rule, and the models in working order."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, get_user_model
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from routing.admin import access, time_zones
from routing.admin.base import OwnFiltersOnly
from routing.sdk import lease_renewal

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Floor": {
        "Workspace": "Multitasking, and the activities people start in and fall back to",
        "Activity": "What people can be doing, and whether they get work while doing it",
        "TaskChannel": "The kinds of work, each with its own capacity",
    },
    "People": {
        "Worker": "Who takes tasks, how many at once, and what they can do",
        "User": "Passwords, and who runs this installation",
        "Membership": "Who supervises which workspace",
    },
    "Routing": {
        "TaskQueue": "Where tasks wait, who serves them, what may be picked by hand",
        "OutcomeCode": "How a completed task ended; queues say whether agents are asked",
        "Workflow": "Which task goes to which queue, in which steps",
    },
    "Work": {
        "Task": "Tasks that wait, are on offer, in work or done",
        "Reservation": "Offers of tasks to workers, and their outcomes",
        "Event": "Everything that happened, and who did it",
        "CallbackDelivery": "Which events were posted, what was answered; send them again",
        "AssignmentCallback": "Callbacks about offers, and their outcomes",
    },
    "Access": {
        "Account": "Who owns workspaces",
        "ApiKey": "Further credentials for programs",
        "AccessAttempt": "Logins locked for a while after too many wrong passwords",
    },
}
"""By group, the models and their descriptions."""

NAMES: Final[Mapping[str, str]] = {
    "User": "Logins",
    "Membership": "Supervisors",
    "ApiKey": "API keys",
    "CallbackDelivery": "Event callbacks",
    "AssignmentCallback": "Assignment callbacks",
    "AccessAttempt": "Failed logins",
}
HIDDEN: Final = frozenset({"AccessLog", "AccessFailureLog"})
"""Library models that have no rows here."""
LANGUAGE_FILE: Final = Path(__file__).parents[2] / "docs" / "language.md"


class RoutingAdminSite(admin.AdminSite):
    """Cordboard's admin, open to operators and to staff who supervise a workspace."""

    site_title = "Cordboard"
    site_header = "Cordboard"
    index_title = "Configuration"
    site_url = None
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, also of libraries, and restrict their lists to their own filters."""
        if admin_class is not None and not issubclass(admin_class, OwnFiltersOnly):
            admin_class = type(admin_class.__name__, (OwnFiltersOnly, admin_class), {})
        super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may see any page of the admin."""
        return access.may_enter(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Render pages in the time zone of their workspace."""
        shown = super().admin_view(view, cacheable)

        @functools.wraps(shown)
        def in_zone(request: HttpRequest, *args: Any, **options: Any) -> Any:
            with time_zones.override_zone(request):
                response = shown(request, *args, **options)
                return response.render() if isinstance(response, TemplateResponse) else response

        return in_zone

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the common login page, and refuse users who may not enter."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        if request.user.is_authenticated:
            raise PermissionDenied("This login configures no workspace.")
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse(f"{self.name}:index")
        return redirect_to_login(wanted)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Redirect to the common page for changing the password."""
        return HttpResponseRedirect(reverse("password"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out, and close the user's open desks at once."""
        user = request.user
        workers = list(user.workers.values_list("sid", flat=True)) if user.pk else []
        answer = super().logout(request, extra_context)
        lease_renewal.recheck_desks(workers)
        return answer

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the URL of the user's desk, if they have one."""
        context = super().each_context(request)
        user = request.user
        if isinstance(user, get_user_model()) and context["has_permission"]:
            context["desk_url"] = "/agent/" if _works(user) else None
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models by group, in working order; unknown models come last."""
        nouns: dict[str, Any] = {}
        rest: list[Any] = []
        known = {name for group in GROUPS.values() for name in group} | HIDDEN
        for app in super().get_app_list(request, app_label):
            nouns |= {m["object_name"]: m for m in app["models"] if m["object_name"] in known}
            others = [m for m in app["models"] if m["object_name"] not in known]
            if others:
                rest.append(app | {"models": others})
        groups = []
        for title, purposes in GROUPS.items():
            shown = [
                nouns[name] | {"purpose": purpose, "name": NAMES.get(name, nouns[name]["name"])}
                for name, purpose in purposes.items()
                if name in nouns
            ]
            if shown:
                groups.append(
                    {
                        "name": title,
                        "app_label": title.lower(),
                        "app_url": reverse(f"{self.name}:index"),
                        "has_module_perms": True,
                        "models": shown,
                    }
                )
        return groups + rest

    def get_urls(self) -> list[Any]:
        """Add the page of the language reference."""
        language = path("language/", self.admin_view(self.language_view), name="language")
        return [language, *super().get_urls()]

    def language_view(self, request: HttpRequest) -> HttpResponse:
        """Show the reference of expressions and workflows."""
        try:
            text = LANGUAGE_FILE.read_text(encoding="utf-8")
        except OSError:
            raise Http404("The file of the language reference is missing.") from None
        context = self.each_context(request) | {"title": "The language", "text": text}
        return TemplateResponse(request, "admin/routing/language.html", context)


@functools.cache
def build_site() -> RoutingAdminSite:
    """Return the single site object.

    Django imports it to register models. That imports this package, which registers models too.
    Both must get the same object.
    """
    return RoutingAdminSite()


def _works(user: Any) -> bool:
    return bool(user.workers.exists())
