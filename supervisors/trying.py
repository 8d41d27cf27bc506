"""The page to try a task: what would become of it, without creating it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from routing.explanations import trials
from supervisors import access, trial_words, views
from supervisors.access import Supervisor
from supervisors.panels import PAGES


@require_http_methods(["GET", "POST"])
@access.supervisors_only
def show_trial(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show the panel, with the answer to the task that was sent."""
    rows = list(supervisor.workspace.workflows.order_by("friendly_name", "pk"))
    wanted = request.POST.get("workflow") or request.GET.get("workflow")
    workflow = next((row for row in rows if row.sid == wanted), rows[0] if rows else None)
    more = {"workflows": rows, "workflow": workflow}
    if workflow is not None:
        more |= trials.build_trial(
            supervisor.workspace,
            request.POST if request.method == "POST" else None,
            workflow=workflow,
            now=timezone.now(),
            say=trial_words.WORDS,
        )
    return views.show_page(request, supervisor, PAGES["trial"], more=more)
