"""Render panels, once for all who ask for the same one.

The cached HTML has a mark in the place of each CSRF token, as a token belongs to one browser.
"""

from __future__ import annotations

import secrets
import threading
from typing import Final

from cachetools import LRUCache, TTLCache
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import loader
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from routing.core.clock import microseconds
from routing.sockets import Bucket
from supervisors import pictures
from supervisors.panel import Panel, Scene

MOST_FRAGMENTS: Final = 500
SECONDS: Final = 1.0
"""Longest use of a fragment, as it shows ages to those who run no scripts."""
CSRF_MARK: Final = f"csrf-{secrets.token_hex(16)}"
"""What stands in a fragment where the token of the browser will be."""

MOST_RENDERS: Final = 20
"""The number of panels beside those of the picture that are rendered in a second for a workspace.

Each workspace has its own, so that the views of one account never hold up another.
"""

Key = tuple[object, ...]

_lock: Final = threading.Lock()
_fragments: Final[TTLCache[Key, tuple[int, str]]] = TTLCache(maxsize=MOST_FRAGMENTS, ttl=SECONDS)
_buckets: Final[LRUCache[str, Bucket]] = LRUCache(maxsize=1_000)


class Busy(Exception):
    """More different panels are asked for than are rendered in a second."""


def render_panel(
    panel: Panel, scene: Scene, request: HttpRequest, *, may_wait: bool = False
) -> SafeString:
    """Return the HTML of a panel for one browser.

    A browser that was told of a change sends its moment as `X-Since`, in milliseconds: a cached
    fragment from before that moment does not show the change.

    Arguments:
        may_wait: whether the browser shows an older panel as long. Then `Busy` is raised if the
            workspace has had its share of this second.
    """
    since = _read_since(request, scene)
    html = _render_shared(panel, scene, since=since, may_wait=may_wait)
    if CSRF_MARK in html:
        html = html.replace(CSRF_MARK, get_token(request))
    return mark_safe(html)  # noqa: S308 - rendered by a template


def build_etag(panel: Panel, scene: Scene) -> str | None:
    """Return the tag of a panel, which is that of its picture; None if it shows more."""
    if not panel.from_picture:
        return None
    return f'"{pictures.PROCESS}-{scene.picture.number}-{get_language()}"'


def _read_since(request: HttpRequest, scene: Scene) -> int:
    """Return the moment that the request names, at most now; 0 if it names none."""
    text = request.headers.get("X-Since", "")
    since = int(text) if len(text) < 16 and text.isascii() and text.isdigit() else 0
    return min(since, microseconds(scene.now) // 1000)


def _render_shared(panel: Panel, scene: Scene, *, since: int, may_wait: bool) -> str:
    key = (
        scene.workspace.sid,
        panel.name,
        scene.view.canonical,
        scene.picture.number if panel.from_picture else None,
        get_language(),
        scene.may_configure,
    )
    with _lock:
        found = _fragments.get(key)
    if found is not None and (panel.from_picture or found[0] >= since):
        return found[1]
    if may_wait and not panel.from_picture and not _take_turn(scene.workspace.sid):
        raise Busy
    context = panel.load(scene) | {
        "panel": panel.name,
        "scene": scene,
        "view": scene.view,
        "here": f"?{scene.view.canonical}",
        "csrf_mark": CSRF_MARK,
        "csv": _find_file(panel, scene),
    }
    html = loader.render_to_string(panel.template, context)
    with _lock:
        _fragments[key] = microseconds(scene.now) // 1000, html
    return html


def _find_file(panel: Panel, scene: Scene) -> str:
    """Return the address of a panel's figures as a file; empty if it has none."""
    if panel.write is None:
        return ""
    return f"{reverse('supervisors:panel_csv', args=[panel.name])}?{scene.view.change().canonical}"


def _take_turn(workspace_sid: str) -> bool:
    """Return whether a workspace may have one more panel rendered now."""
    with _lock:
        bucket = _buckets.setdefault(workspace_sid, Bucket(burst=MOST_RENDERS, rate=MOST_RENDERS))
        return bucket.take_token()


def forget_fragments() -> None:
    """Forget all fragments, and how many were rendered lately."""
    with _lock:
        _fragments.clear()
        _buckets.clear()
