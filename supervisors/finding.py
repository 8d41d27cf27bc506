"""Find places of the cockpit by name, for the command palette."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _

from supervisors.panel import Scene

MOST_FOUND: Final = 10


def find_places(scene: Scene) -> list[dict[str, Any]]:
    """Return the first queues whose names have all words of the view's text."""
    words = scene.view.q.casefold().split()
    if not words:
        return []
    queues = (
        queue
        for queue in scene.picture.setup.queues.values()
        if all(word in queue.name.casefold() for word in words)
    )
    found: list[dict[str, Any]] = []
    for queue in queues:
        if len(found) == MOST_FOUND:
            break
        address = scene.queue_link(queue.sid)
        found.append({"name": queue.name, "kind": _("Queue"), "address": address})
    return found
