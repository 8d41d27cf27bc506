"""Acknowledge alerts, and create, change, mute and delete thresholds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from routing import models
from routing.actions import alerts, desk_settings, thresholds
from routing.actions.support.errors import ActionError, InvalidInput
from routing.statistics import figures
from supervisors import access, views
from supervisors.access import Supervisor
from supervisors.acting import refuse, wants_json
from supervisors.alert_forms import ThresholdForm, read_initial
from supervisors.alert_words import describe_alert
from supervisors.panels import PAGES

MUTES: Final = {"15": timedelta(minutes=15), "60": timedelta(hours=1)}
"""For how long a threshold can be muted, by the values of the button; `today` and `off` beside."""


@require_GET
@access.supervisors_only
def show_alerts(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show open alerts, those that were cleared, and the thresholds."""
    return views.show_page(request, supervisor, PAGES["alerts"])


@require_POST
@access.supervisors_only
def acknowledge(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Take care of an alert, `sid`, with a `note`."""
    row = models.Alert.objects.filter(
        workspace=supervisor.workspace, sid=request.POST.get("sid", "")
    ).first()
    if row is None:
        return _refuse_gone(request, supervisor, _("This alert is no longer there."))
    try:
        alerts.acknowledge_alert(
            alert=row,
            note=request.POST.get("note", ""),
            actor=supervisor.actor,
            now=timezone.now(),
        )
    except InvalidInput as error:
        return refuse(request, "invalid", error.message, status=400, back=find_page(supervisor))
    except ActionError:
        row.refresh_from_db()
        text = (
            _("This alert was cleared before.")
            if row.date_cleared
            else _("%(who)s takes care of this alert already.") % {"who": row.acknowledged_by}
        )
        return refuse(request, "changed", text, status=409, back=find_page(supervisor))
    words = _("You take care of it: %(alert)s.") % {"alert": describe_alert(row)}
    return _answer(request, supervisor, words)


@require_http_methods(["GET", "POST"])
@access.supervisors_only
def edit_threshold(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show the form of a threshold, or save it; `new` stands for one that is to be created."""
    row = None if sid == "new" else _find_threshold(supervisor, sid)
    initial = read_initial(row) if row is not None else request.GET.dict()
    form = ThresholdForm(request.POST or None, initial=initial, workspace=supervisor.workspace)
    if request.method == "POST" and form.is_valid():
        try:
            if row is None:
                thresholds.create_threshold(
                    workspace=supervisor.workspace,
                    actor=supervisor.actor,
                    now=timezone.now(),
                    **form.values(),
                )
            else:
                thresholds.update_threshold(
                    threshold=row, actor=supervisor.actor, now=timezone.now(), **form.values()
                )
            return _answer(request, supervisor, _("The threshold is saved."))
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    status = 400 if form.is_bound else 200
    more = {"form": form, "row": row, "back": find_page(supervisor)}
    return views.show_page(request, supervisor, PAGES["threshold"], more=more, status=status)


@require_POST
@access.supervisors_only
def delete_threshold(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Delete the threshold `sid`; its alerts are cleared."""
    row = _find_threshold(supervisor, request.POST.get("sid", ""))
    thresholds.delete_threshold(threshold=row, actor=supervisor.actor, now=timezone.now())
    return _answer(request, supervisor, _("The threshold is deleted, and its alerts are cleared."))


@require_POST
@access.supervisors_only
def mute_threshold(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Mute the threshold `sid` `for` 15 or 60 minutes or `today`; `off` ends it."""
    row, now = _find_threshold(supervisor, request.POST.get("sid", "")), timezone.now()
    chosen = request.POST.get("for", "")
    if chosen not in (*MUTES, "today", "off"):
        text = _("Choose 15 minutes, an hour, today, or the end of muting.")
        return refuse(request, "invalid", text, status=400, back=find_page(supervisor))
    until = None if chosen == "off" else _find_end(supervisor.workspace, chosen, now)
    thresholds.mute_threshold(threshold=row, until=until, actor=supervisor.actor, now=now)
    words = _("Muted. Alerts are still listed.") if until else _("No longer muted.")
    return _answer(request, supervisor, words)


def _find_end(workspace: models.Workspace, chosen: str, now: datetime) -> datetime:
    if chosen in MUTES:
        return now + MUTES[chosen]
    return figures.find_end_of_day(workspace, now=now)


@require_POST
@access.supervisors_only
def save_alarm(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Save whether alerts sound for this user, and whether the system notifies them."""
    desk_settings.save_alarm(
        user_id=supervisor.user.pk,
        sound=request.POST.get("sound") == "1",
        notifications=request.POST.get("notifications") == "1",
    )
    return _answer(request, supervisor, _("Saved."))


def find_page(supervisor: Supervisor) -> str:
    """Return the address of the page Alerts."""
    query = urlencode({"workspace": supervisor.workspace.sid})
    return f"{reverse('supervisors:alerts')}?{query}"


def _find_threshold(supervisor: Supervisor, sid: str) -> models.Threshold:
    rows = supervisor.workspace.thresholds.select_related("workspace", "task_queue", "task_channel")
    row = rows.filter(sid=sid).first()
    if row is None:
        raise Http404
    return row


def _refuse_gone(request: HttpRequest, supervisor: Supervisor, text: str) -> HttpResponse:
    return refuse(request, "gone", text, status=404, back=find_page(supervisor))


def _answer(request: HttpRequest, supervisor: Supervisor, words: str) -> HttpResponse:
    if access.is_script(request) or wants_json(request):
        return JsonResponse({"ok": True, "message": words})
    messages.success(request, words)
    return HttpResponseRedirect(find_page(supervisor))
