"""Find the worker that a login works as. No other code gives access to a worker on the desk."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from routing import models
from routing.actors import Actor
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline
from routing.web_sessions import AnyUser, get_user, send_session_user

P = ParamSpec("P")


class NoWorker(Exception):
    """This login has no worker here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A worker at the desk, with the client's address for the record of their actions."""

    worker: models.Worker
    ip_address: str | None = None

    @property
    def actor(self) -> Actor:
        """Return the actor that events name."""
        return Actor(type="worker", sid=self.worker.sid, source="desk", ip_address=self.ip_address)


def list_workers(user: AnyUser) -> list[models.Worker]:
    """Return all workers of this user, one per workspace, in the order of the switcher."""
    if not user.is_authenticated or not user.is_active:
        return []
    return _WORKERS(user.pk)


_WORKERS: Final = CompiledQuery(
    lambda user: (
        models.Worker.objects.filter(user_id=user)
        .select_related("workspace", "activity")
        .order_by("workspace__friendly_name", "pk")
    )
)


def find_worker(user: AnyUser, workspace_sid: str | None = None) -> models.Worker:
    """Return the user's worker in a workspace, or in their first one.

    Raises `NoWorker`.
    """
    return _choose_worker(list_workers(user), workspace_sid)


def _choose_worker(workers: Iterable[models.Worker], workspace_sid: str | None) -> models.Worker:
    for worker in workers:
        if workspace_sid in (None, "", worker.workspace.sid):
            return worker
    raise NoWorker


def load_agent(
    session_key: str, user_id: int, workspace_sid: str | None
) -> tuple[AnyUser, models.Worker | None]:
    """Return the user of a session, and their worker, both with one round trip.

    The worker is None for an anonymous user. Raises `NoWorker`.

    Arguments:
        user_id: the id of the user whose session it was when it was last loaded.
    """
    with pipeline():
        sent = send_session_user(session_key, user_id)
        workers = _WORKERS.send(user_id)
    user = sent.result()
    found = workers.result()
    return user, _choose_worker(found, workspace_sid) if user.is_authenticated else None


def may_supervise(user: AnyUser, workspace: models.Workspace) -> bool:
    """Return whether a user may open the cockpit of a workspace."""
    return user.is_superuser or workspace.memberships.filter(user=user.pk).exists()


def agents_only(
    view: Callable[Concatenate[HttpRequest, Agent, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Pass the agent to a view; others get the login page, or a page that explains the refusal.

    Scripts, which fetch a part of the page, get 401 instead of the login page.
    """

    @never_cache
    @functools.wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = get_user(request)
        if not user.is_authenticated:
            if is_script(request):
                return HttpResponse(
                    gettext("Please log in again."), status=401, content_type="text/plain"
                )
            target = request.get_full_path() if request.method == "GET" else reverse("agents:desk")
            return redirect_to_login(target)
        try:
            worker = find_worker(user, request.GET.get("workspace"))
        except NoWorker:
            elsewhere = list_workers(user)
            return render(request, "agents/no_worker.html", {"elsewhere": elsewhere}, status=403)
        agent = Agent(worker=worker, ip_address=request.META.get("REMOTE_ADDR"))
        return view(request, agent, *args, **kwargs)

    return checked


def is_script(request: HttpRequest) -> bool:
    """Return whether the desk's own script sent the request, and not a page navigation."""
    return request.headers.get("X-Requested-With") == "desk"
