"""Save the view of a page under a name, and delete such names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from routing.actions import saved_views
from routing.actions.saved_views import Refusal, ViewRefused
from supervisors import access, saved, views
from supervisors.access import Supervisor
from supervisors.acting import find_way_back, refuse, wants_json

_REFUSALS: Final[Mapping[Refusal, Promise]] = {
    Refusal.NAME: gettext_lazy("Not saved: a name has letters or digits, and at most 64 of them."),
    Refusal.TAKEN: gettext_lazy("Not saved: a view of this name exists. Choose another name."),
    Refusal.TOO_LONG: gettext_lazy("Not saved: the filters are too long for an address."),
    Refusal.TOO_MANY: gettext_lazy("Not saved: there are too many views. Delete one first."),
}


@require_POST
@access.supervisors_only
def save_view(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Save a view: `name`, `page`, the `query` of the address, and `shared=1` for a shared one."""
    page, given = request.POST.get("page", ""), QueryDict(request.POST.get("query", ""))
    if page not in saved.PAGES:
        message = _("This page cannot be saved. Save a view of Now, Queues, Agents or Tasks.")
        return refuse(request, "invalid", message, status=400)
    # What is malformed is not saved.
    scene, _faults = views.build_scene(given, supervisor, now=timezone.now())
    try:
        row = saved_views.save_view(
            workspace=supervisor.workspace,
            user=supervisor.user,
            is_shared=request.POST.get("shared") == "1",
            name=request.POST.get("name", ""),
            page=page,
            query=saved.write_query(scene.view),
            now=timezone.now(),
        )
    except ViewRefused as error:
        back = find_way_back(request, request.POST)
        return refuse(request, "invalid", str(_REFUSALS[error.reason]), status=400, back=back)
    address = saved.build_address(row)
    words = _("Saved as “%(name)s”. Its address shows the same to everyone who may open it.")
    if wants_json(request):
        return JsonResponse({"ok": True, "view": row.slug, "address": address}, status=201)
    messages.success(request, words % {"name": row.name})
    return HttpResponseRedirect(address)


@require_POST
@access.supervisors_only
def delete_view(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Delete one of the views that the supervisor sees, by its `id`."""
    text = request.POST.get("id", "")
    known = text.isascii() and text.isdecimal() and len(text) < 19
    is_gone = known and saved_views.delete_view(
        workspace=supervisor.workspace, user=supervisor.user, view_id=int(text)
    )
    if not is_gone:
        return refuse(request, "gone", _("This view is no longer there."), status=404)
    if wants_json(request):
        return JsonResponse({"ok": True})
    messages.success(request, _("The name is deleted. Its rows and filters are not touched."))
    return HttpResponseRedirect(find_way_back(request, request.POST))
