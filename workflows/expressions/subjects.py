"""Rules for the paths of an expression, which depend on where the expression is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .nodes import Path, Segment

Subject = Literal["worker", "task", "target", "workers", "order", "residual"]

TIME_OF_DAY = ("currentTime", "currentHour", "currentMin", "dayOfWeek")
_COUNTS = ("available", "unavailable")
_PREFIXES = frozenset({"task", "worker", "workers", "taskrouter"})
_ACTIVITY = re.compile(r"WA[0-9a-f]{32}")
_ONLY_COUNTS = "only workers.available, workers.unavailable and workers.WA… (an activity's sid)"


@dataclass(frozen=True, slots=True)
class Rule:
    """The allowed paths of one subject.

    `prefixes` are the allowed roots, `default` is the root of a path without one, `refused` gives
    the error for other roots, `bare` the one for a path without a root. `assumed` is the root of a
    path that should have named one.
    """

    prefixes: frozenset[str]
    default: str | None = None
    assumed: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    bare: str = ""
    limited: bool = True

    def resolve(self, segments: tuple[Segment, ...]) -> Path | str:
        """Return the path that `segments` mean, or an error message.

        A prefix wins over an attribute of the same name: the attribute `task` of a task is
        `task.task`.
        """
        root, rest = str(segments[0]), segments[1:]
        if rest and isinstance(rest[0], str):
            if root in self.prefixes:
                return _checked(Path(root, rest))
            if root in self.refused:
                return self.refused[root]
        if self.default is not None:
            return Path(self.default, segments)
        if root in self.prefixes:
            return f"Expected the name of an attribute after {root}, with a dot between"
        if self.assumed is not None and not _resembles_prefix(root, rest):
            return Path(self.assumed, segments)
        return self.bare.format(_written(segments))


def _resembles_prefix(root: str, rest: tuple[Segment, ...]) -> bool:
    """Return whether a path begins with a misspelled prefix, or one of another subject."""
    return bool(rest) and root.lower() in _PREFIXES


def _written(segments: tuple[Segment, ...]) -> str:
    """Return segments in the syntax of a path."""
    text = "".join([f"[{step}]" if isinstance(step, int) else f".{step}" for step in segments])
    return text[1:]


def _checked(path: Path) -> Path | str:
    """Return the path, or an error message if its root has a fixed set of names."""
    name, alone = str(path.segments[0]), len(path.segments) == 1
    if path.root == "taskrouter" and not (alone and name in TIME_OF_DAY):
        return f"taskrouter has only {', '.join(TIME_OF_DAY)}"
    if path.root == "workers" and not (alone and (name in _COUNTS or _ACTIVITY.fullmatch(name))):
        return f"workers has {_ONLY_COUNTS}"
    return path


SUBJECTS: Mapping[Subject, Rule] = {
    "worker": Rule(
        frozenset({"worker"}),
        default="worker",
        refused={
            "task": "A queue's expression sees no task, only each worker; "
            "an attribute called task is written worker.task",
            "taskrouter": "Who belongs to a queue cannot depend on the time of day; "
            "put this condition into a filter or a target",
        },
    ),
    "task": Rule(
        frozenset({"task", "taskrouter"}),
        default="task",
        refused={
            "worker": "A filter sees no worker, only the task; "
            "an attribute called worker is written task.worker",
        },
    ),
    "target": Rule(
        frozenset({"task", "worker", "taskrouter"}),
        assumed="task",
        bare="{0} begins with no known prefix; an attribute needs its prefix here: worker or task, "
        "in lower case",
    ),
    "workers": Rule(
        frozenset({"workers"}),
        bare=f"skip_if knows no {{0}}: it reads {_ONLY_COUNTS}",
    ),
    "order": Rule(
        frozenset({"worker"}),
        default="worker",
        refused={
            "task": "order_by sees no task, only each worker; "
            "an attribute called task is written worker.task",
            "taskrouter": "order_by compares workers, so it cannot read the time of day",
        },
    ),
    # The result of binding: any root, and as long as the bound values make it.
    "residual": Rule(
        frozenset({"task", "worker", "workers", "taskrouter"}),
        bare="An attribute needs its prefix here: write worker.{0} or task.{0}",
        limited=False,
    ),
}
