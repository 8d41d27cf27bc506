"""Render the tiles of a board, once for all who look at it."""

from __future__ import annotations

import threading
from datetime import datetime, time
from typing import Any, Final

from cachetools import TTLCache
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.utils import timezone
from django.utils.translation import get_language

from routing import models
from routing.core.alerting import AlertLevel
from routing.core.clock import microseconds
from routing.time_zones import find_zone
from supervisors.boards.drawing import draw_board
from supervisors.following import find_followed
from supervisors.picture import Picture

SECONDS: Final = 1.0
"""Seconds for which rendered tiles are used again."""

_lock: Final = threading.Lock()
_rendered: Final[TTLCache[tuple[Any, ...], str]] = TTLCache(maxsize=200, ttl=SECONDS)


def answer_tiles(
    request: HttpRequest, workspace: models.Workspace, board: models.Board, *, now: datetime
) -> HttpResponse:
    """Return the tiles of a board as a part of a page, with the server's time."""
    picture = find_followed(workspace)
    if picture is None:
        raise Http404
    answer = HttpResponse(render_tiles(workspace, board, picture, now=now))
    answer["X-Now"] = str(microseconds(timezone.now()) // 1000)
    return answer


def render_tiles(
    workspace: models.Workspace, board: models.Board, picture: Picture, *, now: datetime
) -> str:
    """Return the HTML of a board's tiles."""
    key = board.sid, board.date_updated, picture.number, get_language()
    with _lock:
        found = _rendered.get(key)
    if found is not None:
        return found
    context = {
        "board": board,
        "tiles": draw_board(workspace, board, picture, now=now),
        "acts": _list_acts(picture, now),
        "quiet": is_quiet(workspace, board, now),
    }
    html = loader.render_to_string("supervisors/boards/_tiles.html", context)
    with _lock:
        _rendered[key] = html
    return html


def _list_acts(picture: Picture, now: datetime) -> str:
    """Return the sids of the alerts to act on that are neither muted nor acknowledged."""
    now_us = microseconds(now)
    return " ".join(
        alert.sid
        for alert in picture.alerts
        if alert.level == AlertLevel.ACT
        and not alert.acknowledged_by
        and not alert.is_muted(now_us)
    )


def is_quiet(workspace: models.Workspace, board: models.Board, now: datetime) -> bool:
    """Return whether a moment is within the quiet hours of a board, in the workspace's zone."""
    if not board.quiet_from:
        return False
    here = now.astimezone(find_zone(workspace.time_zone)).time()
    begin, end = time.fromisoformat(board.quiet_from), time.fromisoformat(board.quiet_until)
    if begin <= end:
        return begin <= here < end
    return here >= begin or here < end


def forget_tiles() -> None:
    """Forget all rendered tiles."""
    with _lock:
        _rendered.clear()
