"""Views of the desk: the page, each panel, and every command as a plain form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents import access, calling, cards, commands, dashboard, held, outcomes, transfers
from agents import day as days
from agents import me as personal
from agents.access import Agent
from agents.arguments import CommandRefused
from agents.dashboard import Panel
from routing import models, task_layouts
from routing.actions import dismissals
from routing.actions import workers as worker_actions
from routing.actions.support.outcomes import NOTE_LIMIT
from routing.actions.transfers import LONGEST_NOTE
from routing.sdk import lease_renewal
from routing.web_sessions import get_user


@require_GET
@access.agents_only
def desk(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Show the whole desk."""
    user = get_user(request)
    context: dict[str, Any] = {
        "elsewhere": access.list_workers(user),
        "supervises": access.may_supervise(user, agent.worker.workspace),
    }
    settings = calling.load_settings(agent.worker)
    context |= calling.build_context(settings) | personal.build_context(settings)
    for panel in Panel:
        context |= _panel_context(request, agent, panel)
    if not context["happened"].begun:
        dismissals.begin_list(worker=agent.worker, now=timezone.now())
    return render(request, "agents/desk.html", context | _link_context(request, agent))


@require_GET
@access.agents_only
def panel(request: HttpRequest, agent: Agent, name: str) -> HttpResponse:
    """Show one panel."""
    if name not in list(Panel):
        raise Http404
    shown = Panel(name)
    context = _panel_context(request, agent, shown) | _link_context(request, agent)
    return render(request, f"agents/_{shown.value}.html", context)


@require_GET
@access.agents_only
def transfer(request: HttpRequest, agent: Agent, sid: str) -> HttpResponse:
    """Show the possible receivers of a task in hand: as a page, or as a part for a script."""
    reservation = held.find_held_reservation(agent.worker, sid)
    if reservation is None or not transfers.may_transfer(reservation):
        raise Http404
    search = request.GET.get("search", "").strip()[: transfers.LONGEST_SEARCH]
    colleagues, more_colleagues = transfers.list_colleagues(
        agent.worker, reservation.task, search=search
    )
    queues, more_queues = transfers.list_queues(agent.worker, search=search)
    context = _link_context(request, agent) | {
        "card": _build_card(agent, reservation.task),
        "search": search,
        "colleagues": colleagues,
        "queues": queues,
        "more": more_colleagues or more_queues,
        "longest_note": LONGEST_NOTE,
        "longest_search": transfers.LONGEST_SEARCH,
    }
    template = "_transfer" if access.is_script(request) else "transfer"
    return render(request, f"agents/{template}.html", context)


@require_GET
@access.agents_only
def reject(request: HttpRequest, agent: Agent, sid: str) -> HttpResponse:
    """Show the reasons to reject an offer: as a page, or as a part for a script."""
    offer = dashboard.find_offer(agent.worker, sid)
    workspace = agent.worker.workspace
    if offer is None or not workspace.rejection_reasons:
        raise Http404
    context = _link_context(request, agent) | {
        "offer_sid": offer.sid,
        "card": _build_card(agent, offer.task),
        "reasons": workspace.rejection_reasons.splitlines(),
        "part": "agents/_reject.html",
    }
    template = context["part"] if access.is_script(request) else "agents/question.html"
    return render(request, template, context)


@require_GET
@access.agents_only
def complete(request: HttpRequest, agent: Agent, sid: str) -> HttpResponse:
    """Show the question how a task in hand ended: as a page, or as a part for a script."""
    reservation = held.find_held_reservation(agent.worker, sid)
    codes = outcomes.list_codes(agent.worker.workspace_id)
    if reservation is None or not codes:
        raise Http404
    context = _link_context(request, agent) | {
        "card": _build_card(agent, reservation.task),
        "codes": codes,
        "is_required": outcomes.is_required(reservation),
        "draft": reservation,
        "note_limit": NOTE_LIMIT,
        "part": "agents/_complete.html",
    }
    template = context["part"] if access.is_script(request) else "agents/question.html"
    return render(request, template, context)


@require_GET
@access.agents_only
def day(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Show the agent's own day."""
    now = timezone.now()
    zone = calling.find_user_zone(agent.worker)
    found = days.load_day(agent.worker, zone=zone, now=now)
    context = _link_context(request, agent) | {"day": found, "worker": agent.worker, "zone": zone}
    with timezone.override(zone):
        return render(request, "agents/day.html", context)


@require_GET
@access.agents_only
def show_help(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Show the handbook."""
    context = _link_context(request, agent) | {"theme": calling.load_settings(agent.worker).theme}
    return render(request, "agents/help.html", context)


@require_http_methods(["GET", "POST"])
@access.agents_only
def me(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Show or save the agent's own settings."""
    settings = calling.load_settings(agent.worker)
    form = personal.build_form(agent.worker, settings)
    if request.method == "POST":
        form = personal.MeForm(request.POST, workspace=agent.worker.workspace)
        if form.is_valid():
            personal.save_form(agent.worker, form, language=settings.language)
            messages.success(request, gettext("Saved."))
            return redirect(f"{reverse('agents:me')}?{_workspace_query(agent)}")
    context = _link_context(request, agent) | {"form": form, "theme": settings.theme}
    return render(request, "agents/me.html", context, status=400 if form.errors else 200)


@require_GET
@access.agents_only
def past_task(request: HttpRequest, agent: Agent, sid: str) -> HttpResponse:
    """Show a task that the agent has had."""
    reservation = days.find_past_task(agent.worker, sid)
    if reservation is None:
        raise Http404
    (task,) = days.describe_past_tasks(agent.worker, [reservation])
    context = _link_context(request, agent) | {"task": task}
    with timezone.override(calling.find_user_zone(agent.worker)):
        return render(request, "agents/past_task.html", context)


@require_POST
@access.agents_only
def command(request: HttpRequest, agent: Agent, name: str) -> HttpResponse:
    """Run a command: a script gets the reply as JSON, a form the desk again."""
    try:
        commands.run_command(agent, name, request.POST.dict(), now=timezone.now())
    except CommandRefused as refused:
        return _refusal_response(request, agent, refused)
    if access.is_script(request):
        return JsonResponse({"ok": True})
    return HttpResponseRedirect(_desk_url(agent))


@require_POST
@access.agents_only
def save_calling(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Save the settings of sound and notifications, for all desks of the user."""
    form = calling.CallingForm(request.POST, workspace=agent.worker.workspace)
    if not form.is_valid():
        error = {"reason": "invalid", "message": calling.describe_errors(form)}
        return JsonResponse({"ok": False, "error": error}, status=400)
    return JsonResponse({"ok": True, "settings": calling.save_settings(agent.worker, form)})


@require_POST
@access.agents_only
def log_out(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Log out; show an available agent the question whether to stay available first."""
    user = get_user(request)
    workers = access.list_workers(user)
    open_for_work = [worker for worker in workers if worker.activity.available]
    choice = request.POST.get("choice", "")
    if open_for_work and choice not in ("offline", "only"):
        template = "_log_out" if access.is_script(request) else "log_out"
        context = _log_out_context(agent) | _link_context(request, agent)
        return render(request, f"agents/{template}.html", context)
    if choice == "offline":
        for worker in open_for_work:
            one = Agent(worker=worker, ip_address=agent.ip_address)
            worker_actions.sign_off_worker(worker=worker, actor=one.actor, now=timezone.now())
    auth.logout(request)
    lease_renewal.recheck_desks(worker.sid for worker in workers)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _log_out_context(agent: Agent) -> dict[str, Any]:
    """Return the context of the question before an agent logs out."""
    workspace = agent.worker.workspace
    return {
        "worker": agent.worker,
        "absence": worker_actions.find_absence_activity(workspace),
        "grace": workspace.desk_grace,
        "held": dashboard.count_held_tasks(agent.worker),
    }


def _refusal_response(request: HttpRequest, agent: Agent, refused: CommandRefused) -> HttpResponse:
    if access.is_script(request):
        error = {"reason": refused.reason, "message": refused.message}
        return JsonResponse({"ok": False, "error": error}, status=refused.status)
    if refused.reason == "offers_pending":
        context = {"activity_sid": request.POST["activity"], "message": refused.message}
        context |= _link_context(request, agent)
        return render(request, "agents/confirm_leave.html", context, status=refused.status)
    messages.error(request, refused.message)
    return HttpResponseRedirect(_desk_url(agent))


def _panel_context(request: HttpRequest, agent: Agent, panel: Panel) -> dashboard.Context:
    return dashboard.load_panel(panel, agent.worker, query=request.GET.dict(), now=timezone.now())


def _build_card(agent: Agent, task: models.Task) -> cards.Card:
    return cards.build_card(task, task_layouts.load_layout(agent.worker.workspace))


def _link_context(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    """Return what every template needs for links to the same desk."""
    workspace = agent.worker.workspace
    return {
        "here": f"?{urlencode({'workspace': workspace.sid})}",
        "workspace": workspace,
        "desk_url": _desk_url(agent),
    }


def _desk_url(agent: Agent) -> str:
    return f"{reverse('agents:desk')}?{_workspace_query(agent)}"


def _workspace_query(agent: Agent) -> str:
    return urlencode({"workspace": agent.worker.workspace.sid})
