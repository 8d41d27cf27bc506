"""Find places of the cockpit by name, for the command palette."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext as _

from routing import models, sids
from supervisors.panel import Scene

MOST_FOUND: Final = 10

Place = dict[str, Any]


def find_places(scene: Scene) -> list[Place]:
    """Return the first queues and agents that match the view's text; a task by its sid."""
    text = scene.view.q
    if sids.is_valid(text, "WT"):
        return _find_task(scene, text)
    words = text.casefold().split()
    if not words:
        return []
    half = MOST_FOUND // 2
    queues = list(islice(_find_queues(scene, words), MOST_FOUND))
    agents = list(islice(_find_agents(scene, words), MOST_FOUND))
    shown = queues[: max(half, MOST_FOUND - len(agents))]
    return [*shown, *agents[: MOST_FOUND - len(shown)]]


def _find_task(scene: Scene, sid: str) -> list[Place]:
    if not models.Task.objects.filter(workspace=scene.workspace, sid=sid).exists():
        return []
    return [{"name": sid, "kind": _("Task"), "address": scene.task_link(sid)}]


def _find_queues(scene: Scene, words: Iterable[str]) -> Iterator[Place]:
    for queue in scene.picture.setup.queues.values():
        if all(word in queue.name.casefold() for word in words):
            address = scene.queue_link(queue.sid)
            yield {"name": queue.name, "kind": _("Queue"), "address": address}


def _find_agents(scene: Scene, words: Iterable[str]) -> Iterator[Place]:
    for worker in scene.picture.workers.values():
        if all(word in worker.name.casefold() for word in words):
            address = scene.worker_link(worker.sid)
            yield {"name": worker.name, "kind": _("Agent"), "address": address}
