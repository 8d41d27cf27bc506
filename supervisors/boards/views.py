"""Views of boards in the cockpit: the list, each board, its form, and the links that show it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from routing import models
from routing.actions import boards
from routing.actions.support.errors import InvalidInput
from routing.core.clock import microseconds
from supervisors import access, views
from supervisors.access import Supervisor
from supervisors.boards.forms import BoardForm, LinkForm, TileFormSet, list_tiles
from supervisors.boards.rendering import answer_tiles
from supervisors.panels import PAGES

_STARTER = [
    {"figure": "waiting"},
    {"figure": "longest_wait"},
    {"figure": "service_level"},
    {"figure": "answered", "kind": "line"},
    {"figure": "free"},
    {"kind": "worst"},
]
"""The tiles that the form of a new board proposes."""


@require_GET
@access.supervisors_only
def show_boards(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """List the boards, and the links that show them without a login."""
    return _show_list(request, supervisor, LinkForm(workspace=supervisor.workspace))


def _show_list(
    request: HttpRequest,
    supervisor: Supervisor,
    form: LinkForm,
    *,
    address: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    links = supervisor.workspace.kiosk_links.order_by("-date_created", "-pk")[:100]
    names = dict(supervisor.workspace.boards.values_list("sid", "name"))
    more = {
        "boards": supervisor.workspace.boards.order_by("name", "pk"),
        "links": [
            {
                "row": row,
                "boards": [names[sid] for sid in row.boards if sid in names],
                "live": row.date_revoked is None and row.date_expires > now,
            }
            for row in links
        ],
        "form": form,
        "address": address,
    }
    return views.show_page(request, supervisor, PAGES["boards"], more=more, status=status)


@require_GET
@access.supervisors_only
def show_board(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show one board over the whole window."""
    row = _find_board(supervisor, sid)
    query = urlencode({"workspace": supervisor.workspace.sid})
    context = {
        "board": row,
        "tiles_url": f"{reverse('supervisors:board_tiles', args=[row.sid])}?{query}",
        "back": f"{reverse('supervisors:boards')}?{query}",
        "now_ms": microseconds(timezone.now()) // 1000,
    }
    return render(request, "supervisors/boards/wall.html", context)


@require_GET
@access.supervisors_only
def show_board_tiles(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show the tiles of one board."""
    row = _find_board(supervisor, sid)
    return answer_tiles(request, supervisor.workspace, row, now=timezone.now())


@require_http_methods(["GET", "POST"])
@access.supervisors_only
def edit_board(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show the form of a board, or save it; `new` stands for one that is to be created."""
    workspace = supervisor.workspace
    row = None if sid == "new" else _find_board(supervisor, sid)
    initial = {} if row is None else {"name": row.name}
    if row is not None:
        initial |= {"quiet_from": row.quiet_from, "quiet_until": row.quiet_until}
    form = BoardForm(request.POST or None, initial=initial)
    tiles = TileFormSet(
        request.POST or None,
        initial=_STARTER if row is None else row.tiles,
        form_kwargs={"workspace": workspace},
        prefix="tile",
    )
    if request.method == "POST" and form.is_valid() and tiles.is_valid():
        try:
            saved = boards.save_board(
                workspace=workspace,
                board=row,
                name=form.cleaned_data["name"],
                tiles=list_tiles(tiles),
                quiet_from=form.cleaned_data["quiet_from"],
                quiet_until=form.cleaned_data["quiet_until"],
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            query = urlencode({"workspace": workspace.sid})
            if "more" in request.POST:
                address = reverse("supervisors:edit_board", args=[saved.sid])
                return HttpResponseRedirect(f"{address}?{query}")
            messages.success(request, _("The board is saved."))
            return HttpResponseRedirect(f"{reverse('supervisors:boards')}?{query}")
    status = 400 if form.is_bound else 200
    more = {"form": form, "tiles": tiles, "row": row}
    return views.show_page(request, supervisor, PAGES["edit_board"], more=more, status=status)


@require_POST
@access.supervisors_only
def delete_board(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Delete the board `sid`."""
    boards.delete_board(_find_board(supervisor, request.POST.get("sid", "")))
    messages.success(request, _("The board is deleted."))
    return _go_back(supervisor)


@require_POST
@access.supervisors_only
def create_link(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Make a link, and show its address, which is shown this once."""
    form = LinkForm(request.POST, workspace=supervisor.workspace)
    if not form.is_valid():
        return _show_list(request, supervisor, form, status=400)
    try:
        _row, token = boards.create_link(
            workspace=supervisor.workspace,
            name=form.cleaned_data["name"],
            boards=form.cleaned_data["boards"],
            turn_seconds=form.cleaned_data["turn_seconds"],
            days=form.cleaned_data["days"],
            created_by=supervisor.user.get_username(),
            now=timezone.now(),
        )
    except InvalidInput as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _show_list(request, supervisor, form, status=400)
    address = request.build_absolute_uri(f"{reverse('supervisors:wall')}#{token}")
    empty = LinkForm(workspace=supervisor.workspace)
    return _show_list(request, supervisor, empty, address=address, status=201)


@require_POST
@access.supervisors_only
def revoke_link(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Revoke the link `sid`; screens that show it go dark with their next request."""
    rows = supervisor.workspace.kiosk_links.filter(sid=request.POST.get("sid", ""))
    link = rows.first()
    if link is None:
        raise Http404
    boards.revoke_link(link, now=timezone.now())
    messages.success(request, _("The link is revoked. Its screens show nothing any more."))
    return _go_back(supervisor)


def _find_board(supervisor: Supervisor, sid: str) -> models.Board:
    row = supervisor.workspace.boards.filter(sid=sid).first()
    if row is None:
        raise Http404
    return row


def _go_back(supervisor: Supervisor) -> HttpResponse:
    query = urlencode({"workspace": supervisor.workspace.sid})
    return HttpResponseRedirect(f"{reverse('supervisors:boards')}?{query}")
