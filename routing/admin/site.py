"""The admin as a whole: who may enter, and the nouns in the order in which one works with them."""

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

from routing.admin import access, zones
from routing.admin.base import OwnFiltersOnly
from routing.bridge import desks

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Floor": {
        "Workspace": "Multitasking, the activities people start in and fall back to",
        "Activity": "What people can be doing, and whether work comes meanwhile",
        "TaskChannel": "The kinds of work, each with a capacity of its own",
    },
    "People": {
        "Worker": "Who takes tasks, how many at once, and what they can do",
        "User": "Passwords, and who runs this installation",
        "Membership": "Who supervises which workspace",
    },
    "Routing": {
        "TaskQueue": "Where tasks wait, who serves them, what may be picked by hand",
        "Workflow": "Which task goes to which queue, in which steps",
    },
    "Work": {
        "Task": "What waits, is on offer, is in work, is done",
        "Reservation": "What was offered to whom, and what became of it",
        "Event": "Everything that happened, and who did it",
        "CallbackDelivery": "Which events were posted, what was answered; send them again",
        "AssignmentCallback": "Who was asked about an offer, and what came of it",
    },
    "Access": {
        "Account": "Who owns workspaces",
        "ApiKey": "Further credentials for programs",
        "AccessAttempt": "Logins locked for a while after too many wrong passwords",
    },
}
"""Group to nouns, each with what it is for."""

NAMES: Final[Mapping[str, str]] = {
    "User": "Logins",
    "Membership": "Supervisors",
    "ApiKey": "API keys",
    "CallbackDelivery": "Event callbacks",
    "AssignmentCallback": "Assignment callbacks",
    "AccessAttempt": "Failed logins",
}
HIDDEN: Final = frozenset({"AccessLog", "AccessFailureLog"})
"""Nouns of libraries that are never filled here."""
LANGUAGE_FILE: Final = Path(__file__).parents[2] / "docs" / "language.md"


class Site(admin.AdminSite):
    """Cordboard's admin: open to operators, and to staff who supervise a workspace."""

    site_title = "Cordboard"
    site_header = "Cordboard"
    index_title = "Configuration"
    site_url = None
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register nouns, those of libraries too, whose lists take their own filters only."""
        if admin_class is not None and not issubclass(admin_class, OwnFiltersOnly):
            admin_class = type(admin_class.__name__, (OwnFiltersOnly, admin_class), {})
        super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may see any page of the admin."""
        return access.may_enter(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Render pages in the time zone of the workspace that they are about."""
        shown = super().admin_view(view, cacheable)

        @functools.wraps(shown)
        def in_zone(request: HttpRequest, *args: Any, **options: Any) -> Any:
            with zones.of_page(request):
                response = shown(request, *args, **options)
                return response.render() if isinstance(response, TemplateResponse) else response

        return in_zone

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send strangers to the one page on which everybody logs in, and refuse the others."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        if request.user.is_authenticated:
            raise PermissionDenied("This login configures no workspace.")
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse(f"{self.name}:index")
        return redirect_to_login(wanted)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Lead to the one page on which everybody changes their password."""
        return HttpResponseRedirect(reverse("password"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out, and end the user's open desks at once."""
        user = request.user
        workers = list(user.workers.values_list("sid", flat=True)) if user.pk else []
        answer = super().logout(request, extra_context)
        desks.look_again(workers)
        return answer

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add where the user's own desk is, if they have one."""
        context = super().each_context(request)
        user = request.user
        if isinstance(user, get_user_model()) and context["has_permission"]:
            context["desk_url"] = "/agent/" if _works(user) else None
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the nouns by group, in working order; what we do not know comes last."""
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
        """Add the reference of the language, where it is written about."""
        language = path("language/", self.admin_view(self.language_view), name="language")
        return [language, *super().get_urls()]

    def language_view(self, request: HttpRequest) -> HttpResponse:
        """Show the reference of expressions and workflows."""
        try:
            text = LANGUAGE_FILE.read_text(encoding="utf-8")
        except OSError:
            raise Http404("the reference is not installed here") from None
        context = self.each_context(request) | {"title": "The language", "text": text}
        return TemplateResponse(request, "admin/routing/language.html", context)


@functools.cache
def the_site() -> Site:
    """Return the one site.

    Django asks for it first to register nouns, and asking imports this package, which registers
    them: both must find the same.
    """
    return Site()


def _works(user: Any) -> bool:
    return bool(user.workers.exists())
