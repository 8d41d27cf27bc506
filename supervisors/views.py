"""Views of the cockpit: its pages, and each panel by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.request import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from routing import models, sids
from routing.core.clock import microseconds
from routing.web_sessions import get_user
from supervisors import access, finding, fragments, notes, pictures, rail, saved
from supervisors.access import Supervisor
from supervisors.csv_files import stream_csv
from supervisors.names import drop_unknown_names
from supervisors.panel import Context, Scene
from supervisors.panels import PAGES, PANELS, Page
from supervisors.query import Fault, parse_query


@require_GET
@access.supervisors_only
def show_now(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the floor at a glance."""
    return show_page(request, supervisor, PAGES["now"])


@require_GET
@access.supervisors_only
def show_queues(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show all queues, worst first."""
    return show_page(request, supervisor, PAGES["queues"])


@require_GET
@access.supervisors_only
def show_queue(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show one queue: why tasks wait in it, and what would let them move."""
    return show_page(request, supervisor, PAGES["queue"], queue=(sid,))


@require_GET
@access.supervisors_only
def show_tasks(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show tasks in an order; a sid as text leads to the task itself."""
    text = request.GET.get("q", "").strip()
    tasks = models.Task.objects.filter(workspace=supervisor.workspace, sid=text)
    if sids.is_valid(text, "WT") and tasks.exists():
        query = urlencode({"workspace": supervisor.workspace.sid})
        return redirect(f"{reverse('supervisors:task', args=[text])}?{query}")
    return show_page(request, supervisor, PAGES["tasks"])


@require_GET
@access.supervisors_only
def show_task(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show one task: why it is where it is, and what happened to it."""
    return show_page(request, supervisor, PAGES["task"], task=sid)


@require_GET
@access.supervisors_only
def show_agents(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the agents with their slots, or the mosaic of their states."""
    return show_page(request, supervisor, PAGES["agents"])


@require_GET
@access.supervisors_only
def show_agent(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show one agent: their slots, what they have in hand, and their day."""
    return show_page(request, supervisor, PAGES["agent"], worker=(sid,))


def show_page(
    request: HttpRequest,
    supervisor: Supervisor,
    page: Page,
    *,
    more: Context | None = None,
    status: int = 200,
    **fixed: Any,
) -> HttpResponse:
    """Show a page with all its panels.

    Arguments:
        more: what its template shows beside its panels; such a page has a query of its own.
        fixed: the parts of the view that the path decides, such as `queue`.
    """
    scene, faults = build_scene(request.GET, supervisor, now=timezone.now(), **fixed)
    faults += page.find_faults(scene.view)
    panels = {
        name: fragments.render_panel(PANELS[name], scene, request)
        for name in ("bell", *page.panels)
    }
    settings = find_settings(supervisor)
    context = {
        "page": page,
        "panels": panels,
        "notes": [notes.describe_fault(fault) for fault in faults if more is None],
        "workspaces": access.list_workspaces(get_user(request)),
        "rail": rail.list_links(page, scene.view),
        "channel_links": rail.list_channel_links(scene.view, scene.picture),
        "chosen_channels": rail.name_channels(scene.view, scene.picture),
        "desk_url": find_desk(scene),
        "saved_views": saved.list_saved(supervisor) if page.name in saved.PAGES else [],
        "may_save": page.name in saved.PAGES,
        "query": saved.write_query(scene.view),
        "settings": settings,
        "single_keys": settings.single_keys,
        "now_ms": microseconds(scene.now) // 1000,
        "picture_ms": scene.picture.at_us // 1000,
        "scene": scene,
        "view": scene.view,
        "here": f"?{scene.view.canonical}",
    }
    context |= page.load(scene) if page.load else {}
    context |= more or {}
    return render(request, f"supervisors/{page.name}.html", context, status=status)


@require_GET
@access.supervisors_only
def show_help(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the handbook."""
    return show_page(request, supervisor, PAGES["help"])


@require_GET
@access.supervisors_only
def show_panel(request: HttpRequest, supervisor: Supervisor, name: str) -> HttpResponse:
    """Show one panel, or answer 304 if the browser has it as it is."""
    panel = PANELS.get(name)
    if panel is None:
        raise Http404
    scene, _ = build_scene(request.GET, supervisor, now=timezone.now())
    etag = fragments.build_etag(panel, scene)
    if etag is not None and etag == request.headers.get("If-None-Match"):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        is_script = access.is_script(request)
        try:
            html = fragments.render_panel(panel, scene, request, may_wait=is_script)
        except fragments.Busy:
            return HttpResponse(status=503, headers={"Retry-After": "1"})
        answer = HttpResponse(html)
    if etag is not None:
        answer["ETag"] = etag
    answer["X-Now"] = str(microseconds(timezone.now()) // 1000)
    answer["X-Picture"] = str(scene.picture.number)
    return answer


@require_GET
@access.supervisors_only
def show_panel_csv(request: HttpRequest, supervisor: Supervisor, name: str) -> HttpResponse:
    """Return the figures of a panel as a file."""
    panel = PANELS.get(name)
    if panel is None or panel.write is None:
        raise Http404
    scene, _ = build_scene(request.GET, supervisor, now=timezone.now())
    rows = iter(panel.write(scene))
    answer: HttpResponse = stream_csv(name, next(rows), rows)
    return answer


def find_settings(supervisor: Supervisor) -> models.DeskSettings:
    """Return what the user has chosen for desk and cockpit, or what holds without a choice."""
    found = models.DeskSettings.objects.filter(user=supervisor.user).first()
    return found or models.DeskSettings(user=supervisor.user)


@require_GET
@access.supervisors_only
def find(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Find queues and agents by name, and tasks by sid, for the command palette."""
    scene, _ = build_scene(request.GET, supervisor, now=timezone.now())
    return JsonResponse({"found": finding.find_places(scene)})


def find_desk(scene: Scene) -> str:
    """Return the address of the user's own desk in this workspace, if they have one."""
    supervisor = scene.supervisor
    if not supervisor.user.workers.filter(workspace=supervisor.workspace).exists():
        return ""
    return f"{reverse('agents:desk')}?{urlencode({'workspace': supervisor.workspace.sid})}"


def build_scene(
    query: QueryDict, supervisor: Supervisor, *, now: datetime, **fixed: Any
) -> tuple[Scene, list[Fault]]:
    """Return what a query shows, and what of the query is ignored."""
    given, faults = saved.expand_query(dict(query.lists()), supervisor)
    parsed = parse_query(given)
    picture = pictures.find_picture(supervisor.workspace, now=now)
    view, unknown = drop_unknown_names(parsed.view, picture, supervisor.workspace)
    view = replace(view, workspace=supervisor.workspace.sid, **fixed)
    scene = Scene(supervisor=supervisor, view=view, picture=picture, now=now)
    return scene, [*faults, *parsed.faults, *unknown]
