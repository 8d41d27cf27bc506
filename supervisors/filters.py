"""The filters of a list: the choices of its form, and a chip for each that holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supervisors.panel import Scene
from supervisors.wording import STATES, TASK_STATUSES

Label = str | Promise

_NAMES: Final[Mapping[str, Promise]] = {
    "status": gettext_lazy("Status"),
    "queue": gettext_lazy("Queue"),
    "workflow": gettext_lazy("Workflow"),
    "channel": gettext_lazy("Channel"),
    "worker": gettext_lazy("Agent"),
    "activity": gettext_lazy("Activity"),
    "state": gettext_lazy("State"),
    "priority": gettext_lazy("Priority"),
    "older": gettext_lazy("Older than"),
    "q": gettext_lazy("Text"),
    "where": gettext_lazy("Expression"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a filter."""

    value: str
    title: Label
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A filter with few values; the first choice is no restriction."""

    name: str
    title: Label
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that holds, and the query without it."""

    title: str
    query: str


def build_select(scene: Scene, name: str, values: Iterable[tuple[str, Label]]) -> Select:
    """Return a filter with these values and titles."""
    given = getattr(scene.view, name)
    chosen = set(given) if isinstance(given, tuple) else {str(given)}
    choices = [Choice(value=value, title=title, current=value in chosen) for value, title in values]
    every = Choice(value="", title=_("All"), current=not any(one.current for one in choices))
    return Select(name=name, title=_NAMES[name], choices=[every, *choices])


def list_queues(scene: Scene) -> list[tuple[str, Label]]:
    """Return the sids and names of the queues."""
    return [(queue.sid, queue.name) for queue in scene.picture.setup.queues.values()]


def list_kept(scene: Scene, names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the parts of the view that a form keeps, which has the filters with these names."""
    own = {*names, "after"}
    kept = []
    for field in fields(scene.view):
        value = getattr(scene.view, field.name)
        if field.name in own or value == field.default:
            continue
        several = value if isinstance(value, tuple) else (value,)
        kept += [(field.name, str(one)) for one in several]
    return kept


def list_chips(scene: Scene, names: Iterable[str], *, fixed: Iterable[str] = ()) -> list[Chip]:
    """Return a chip for each of these filters that holds.

    Arguments:
        fixed: those that the path decides, so that they cannot be removed.
    """
    found = []
    for name in names:
        given: Any = getattr(scene.view, name)
        if given in ((), "", None) or name in fixed:
            continue
        values = given if isinstance(given, tuple) else (given,)
        for value in values:
            rest = tuple(one for one in values if one != value)
            empty: Any = None if name == "older" else ""
            query = scene.view.link(**{name: rest if isinstance(given, tuple) else empty})
            words = {"name": _NAMES[name], "value": _describe_value(scene, name, value)}
            found.append(Chip(title=_("%(name)s: %(value)s") % words, query=query))
    return found


def _describe_value(scene: Scene, name: str, value: Any) -> str:
    setup = scene.picture.setup
    match name:
        case "status":
            return str(TASK_STATUSES[value])
        case "state":
            return str(STATES[value])
        case "queue":
            named = {one.sid: one.name for one in setup.queues.values()}
        case "activity":
            named = {one.sid: one.name for one in setup.activities.values()}
        case "channel":
            named = {one.unique_name: one.name for one in setup.channels.values()}
        case "worker":
            named = {one.sid: one.name for one in scene.picture.workers.values()}
        case "older":
            return str(dict(OLDER).get(str(value), _("%(seconds)s s") % {"seconds": value}))
        case _:
            named = {}
    return named.get(value, str(value))


OLDER: Final[Sequence[tuple[str, Label]]] = (
    ("60", gettext_lazy("1 minute")),
    ("300", gettext_lazy("5 minutes")),
    ("900", gettext_lazy("15 minutes")),
    ("3600", gettext_lazy("1 hour")),
    ("86400", gettext_lazy("1 day")),
)
"""Ages to choose from, in seconds."""
