"""Agents in groups: by state, activity, queue, or the value of an attribute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.core.matching.value_index import read_value
from routing.snapshots import workers as snapshots
from supervisors.agent_columns import STATE_ORDER, name_activity
from supervisors.panel import Scene
from supervisors.picture import Worker, find_state
from supervisors.skills import describe_value, list_paths
from supervisors.wording import STATES

NO_GROUPS: Final = "none"
GROUP_TITLES: Final[dict[str, Promise]] = {
    "state": gettext_lazy("State"),
    "activity": gettext_lazy("Activity"),
    "queue": gettext_lazy("Queue"),
    NO_GROUPS: gettext_lazy("No groups"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some agents with what they have in common.

    Arguments:
        key: its name in ids of the page; "" for the only group of agents without groups.
        size: the number of its agents, of which `workers` are on the page.
    """

    key: str
    title: str
    size: int
    workers: Sequence[Worker]
    link: str = ""


def find_grouping(scene: Scene) -> str:
    """Return how agents are grouped: as the view says, else by state unless they are sorted."""
    return scene.view.group or (NO_GROUPS if scene.view.sort else "state")


def list_groupings(scene: Scene) -> list[tuple[str, str | Promise]]:
    """Return the groupings to choose from; any other attribute can be named in the address."""
    paths = [".".join(path) for path in list_paths(scene.picture.setup)]
    own = scene.view.group
    more = [own] if own and own not in GROUP_TITLES and own not in paths else []
    return [*GROUP_TITLES.items(), *((path, path) for path in [*paths, *more])]


def build_groups(scene: Scene, found: Sequence[Worker]) -> list[Group]:
    """Return the groups of sorted agents.

    Agents are in a group for each queue that they serve, in any other grouping in one.
    """
    match find_grouping(scene):
        case "state":
            return _group_by_state(scene, found)
        case "activity":
            names = [one.name for one in scene.picture.setup.activities.values()]
            return _group_by(found, lambda one: name_activity(scene, one), names.index)
        case "queue":
            return _group_by_queue(scene, found)
        case name if name == NO_GROUPS:
            return [Group(key="", title="", size=len(found), workers=found)]
        case path:
            return _group_by_attribute(scene, found, path)


def cut_page(groups: Iterable[Group], first: int, size: int) -> tuple[list[Group], bool]:
    """Return what of the groups is on a page, and whether there are more."""
    shown: list[Group] = []
    place = 0
    for group in groups:
        begin, end = max(first - place, 0), max(first + size - place, 0)
        some = group.workers[begin:end]
        if some:
            shown.append(
                Group(
                    key=group.key,
                    title=group.title,
                    size=group.size,
                    workers=some,
                    link=group.link,
                )
            )
        place += group.size
    return shown, place > first + size


def _group_by_state(scene: Scene, found: Iterable[Worker]) -> list[Group]:
    multi_task = scene.picture.setup.multi_task
    parts: dict[Any, list[Worker]] = defaultdict(list)
    for worker in found:
        parts[find_state(worker, multi_task=multi_task)].append(worker)
    return [
        Group(key=state.value, title=str(STATES[state]), size=len(parts[state]),
              workers=parts[state], link=scene.view.link(state=(state.value,)))
        for state in STATE_ORDER
        if state in parts
    ]  # fmt: skip


def _group_by(
    found: Iterable[Worker], name: Callable[[Worker], str], order: Callable[[str], Any]
) -> list[Group]:
    parts: dict[str, list[Worker]] = defaultdict(list)
    for worker in found:
        parts[name(worker)].append(worker)
    titles = sorted((title for title in parts if title != "–"), key=order)
    titles += ["–"] if "–" in parts else []
    return [
        Group(key=f"{place}", title=title, size=len(parts[title]), workers=parts[title])
        for place, title in enumerate(titles)
    ]


def _group_by_queue(scene: Scene, found: Sequence[Worker]) -> list[Group]:
    groups = []
    for queue in scene.picture.setup.queues.values():
        workers = [worker for worker in found if queue.id in worker.serves]
        if workers:
            groups.append(
                Group(key=queue.sid, title=queue.name, size=len(workers), workers=workers,
                      link=scene.queue_link(queue.sid))
            )  # fmt: skip
    rest = [worker for worker in found if not worker.serves]
    if rest:
        title = _("Serves no queue")
        groups.append(Group(key="rest", title=title, size=len(rest), workers=rest))
    return groups


def _group_by_attribute(scene: Scene, found: Sequence[Worker], path: str) -> list[Group]:
    segments = tuple(path.removeprefix("worker.").split("."))
    rows = models.Worker.objects.filter(workspace=scene.workspace)
    values = {one.id: read_value(one, segments)[1] for one in snapshots.load_workers(rows)}
    names = {
        pk: "–" if value is None else describe_value(value) for pk, value in values.items()
    }  # fmt: skip
    return _group_by(found, lambda one: names.get(one.id, "–"), str.casefold)
