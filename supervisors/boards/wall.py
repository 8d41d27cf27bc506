"""The wall: boards without a login, for the holder of a link.

The token stands after the # of the link, so no server log has it. The page exchanges it for a
cookie that only these addresses get.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from routing import models
from routing.actions import boards
from routing.core.clock import microseconds
from supervisors.boards.rendering import answer_tiles

COOKIE: Final = "cordboard_wall"
LONGEST_TOKEN: Final = 100


@require_GET
@never_cache
def show_wall(request: HttpRequest) -> HttpResponse:
    """Show the empty wall, whose script asks for the tiles; it has no data in it."""
    return render(
        request,
        "supervisors/boards/wall.html",
        {
            "tiles_url": reverse("supervisors:wall_tiles"),
            "enter_url": reverse("supervisors:enter_wall"),
            "now_ms": microseconds(timezone.now()) // 1000,
        },
    )


@require_POST
@never_cache
def enter_wall(request: HttpRequest) -> HttpResponse:
    """Exchange the token of a link for the cookie."""
    token = request.POST.get("token", "")
    now = timezone.now()
    link = find_link(token, now)
    if link is None:
        return JsonResponse({"ok": False}, status=403)
    answer = HttpResponse(status=204)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int((link.date_expires - now).total_seconds()),
        path=reverse("supervisors:wall"),
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return answer


@require_GET
@never_cache
def show_tiles(request: HttpRequest) -> HttpResponse:
    """Show the tiles of the board whose turn it is; 403 once the link is revoked or over."""
    now = timezone.now()
    link = find_link(request.COOKIES.get(COOKIE, ""), now)
    if link is None:
        return HttpResponse(status=403)
    boards.note_use(link, ip_address=request.META.get("REMOTE_ADDR") or None, now=now)
    rows = {row.sid: row for row in link.workspace.boards.filter(sid__in=link.boards)}
    shown = [rows[sid] for sid in link.boards if sid in rows]
    if not shown:
        return HttpResponse(status=404)
    turn = int(now.timestamp()) // link.turn_seconds % len(shown)
    return answer_tiles(request, link.workspace, shown[turn], now=now)


def find_link(token: str, now: datetime) -> models.KioskLink | None:
    """Return the link of a token, unless it is revoked or over."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    live = models.KioskLink.objects.filter(date_revoked__isnull=True, date_expires__gt=now)
    found = live.filter(token_digest=boards.digest_token(token))
    return found.select_related("workspace").first()
