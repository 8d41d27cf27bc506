"""List the operations of the API: every method of every path, with its input and answers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from routing.api import pagination
from routing.api.base import ResourceView
from routing.api.urls import urlpatterns
from routing.fields import schemas
from routing.operations.parameters import Param
from routing.operations.references import sid_schema

METHODS: Final = ("get", "post", "delete")
_ROOT: Final = "/v1/"
_PREFIXES: Final = {
    "Workspaces": ("WS", "Workspace"),
    "Activities": ("WA", "Activity"),
    "Events": ("EV", "Event"),
    "OutcomeCodes": ("OC", "OutcomeCode"),
    "TaskQueues": ("WQ", "TaskQueue"),
    "Workflows": ("WW", "Workflow"),
    "Workers": ("WK", "Worker"),
    "Tasks": ("WT", "Task"),
    "Reservations": ("WR", "Reservation"),
}
_NAMED: Final = {"TaskChannels": ("TC", "TaskChannel"), "Channels": ("WC", "WorkerChannel")}
"""Collections whose members can also be found by a unique name."""
_NUMBERED: Final = {"Revisions": "revision"}
"""Collections whose members have numbers."""
_VERBS: Final = {
    "List": {"get": "List", "post": "Create"},
    "Instance": {"get": "Fetch", "post": "Update", "delete": "Delete"},
    "": {"get": "Fetch", "post": "Create", "delete": "Delete"},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Arguments:
        path: in OpenAPI's form, with names in braces.
    """

    method: str
    path: str
    view: type[ResourceView]

    @property
    def name(self) -> str:
        """Return the operation id: a verb and a noun."""
        named = self.view.__name__
        kind = next(kind for kind in _VERBS if named.endswith(kind))
        return _VERBS[kind][self.method] + named.removesuffix(kind)

    @property
    def tag(self) -> str:
        """Return the heading that the operation belongs to."""
        words = re.findall(r"[A-Z][a-z]+", self.path.replace("{Sid}", "").rsplit("}/", 1)[-1])
        if words[-1] == "Statistics":
            return "Statistics"
        if words[0] == "Auth":
            return "Auth tokens"
        if words[-1] in ("Grab", "Explanation"):
            return "Tasks"
        if "/Revisions" in self.path:
            return "Workflows"
        return "Worker channels" if words == ["Channels"] else " ".join(words).capitalize()

    @property
    def summary(self) -> str:
        """Return the summary line."""
        return self.view.about[self.method].partition("\n\n")[0]

    @property
    def words(self) -> str:
        """Return the description after the summary."""
        return self.view.about[self.method].partition("\n\n")[2]

    @property
    def paged(self) -> bool:
        """Return whether the answer is a page of a list."""
        return self.method == "get" and hasattr(self.view, "key")

    @property
    def status(self) -> int:
        """Return the status of a success."""
        if self.method == "delete":
            return 204
        return self.view.created if self.method == "post" else 200

    @property
    def conditional(self) -> bool:
        """Return whether it honours If-Match."""
        changes = self.method == "delete" or (self.method == "post" and self.status == 200)
        return changes and hasattr(self.view, "shape") and self.view.shape.versioned

    @property
    def repeatable(self) -> bool:
        """Return whether it accepts an idempotency key."""
        return self.method == "post" and self.view.repeatable

    @property
    def query(self) -> tuple[Param, ...]:
        """Return the parameters of its query string."""
        if self.method != "get":
            return ()
        own = self.view.query_params()
        return (*own, *pagination.PARAMS) if self.paged else own

    @property
    def form(self) -> tuple[Param, ...]:
        """Return the parameters of its body."""
        return (*self.view.form_params(), *self.view.extra) if self.method == "post" else ()

    @property
    def errors(self) -> list[int]:
        """Return the error statuses it can answer with."""
        found = {400, 401, 429, 500, 503}
        if "{" in self.path:
            found.add(404)
        if self.method != "get":
            found.add(409)
        if self.method == "post":
            found |= {413, 415}
        if self.conditional:
            found.add(412)
        return sorted(found.union(self.view.refusals.get(self.method, ())))


def operations() -> Iterator[Operation]:
    """Yield every operation, path by path."""
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        if view is None:
            continue
        path = _path(str(pattern.pattern))
        for method in METHODS:
            if method in view.http_method_names and hasattr(view, method):
                yield Operation(method, path, view)


def _path(pattern: str) -> str:
    """Name the variables of a path after the collection before them; the last one is `Sid`."""
    parts = pattern.split("/")
    for index, part in enumerate(parts):
        if part.startswith("<") and parts[index - 1] in _NUMBERED:
            parts[index] = "{Number}"
        elif part.startswith("<"):
            noun = (_PREFIXES | _NAMED)[parts[index - 1]][1]
            parts[index] = "{Sid}" if index == len(parts) - 1 else f"{{{noun}Sid}}"
    return _ROOT + "/".join(parts)


def path_parameters(path: str) -> Iterator[dict[str, Any]]:
    """Yield the description of each variable in a path."""
    parts = path.split("/")
    for before, part in itertools.pairwise(parts):
        if not part.startswith("{"):
            continue
        if before in _NUMBERED:
            yield {
                "name": part[1:-1],
                "in": "path",
                "required": True,
                "description": f"The number of the {_NUMBERED[before]}.",
                "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
                "example": "1",
            }
            continue
        prefix, noun = (_PREFIXES | _NAMED)[before]
        named = before in _NAMED
        yield {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "description": f"The {noun}'s sid{', or the unique name' if named else ''}.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_$]{1,64}$"}
            if named
            else sid_schema(prefix),
            "example": "chat" if named else schemas.sample_sid(prefix),
        }
