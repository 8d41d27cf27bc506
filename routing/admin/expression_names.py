"""Names that expressions of a workspace may read, for the editor to propose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from routing import models, subjects
from routing.core.eligibility import CHANNEL_FIGURES
from routing.core.snapshot import READABLE
from workflows.expressions.subjects import TIME_OF_DAY

MOST_ROWS: Final = 50
"""Tasks, the newest ones, and workers whose attributes are looked at."""
MOST_NAMES: Final = 200
"""Attributes of tasks, and of workers."""
DEEPEST: Final = 4
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")


def list_names(workspace: models.Workspace) -> list[str]:
    """Return the names in the order of the alphabet: those of rows, and what is built in."""
    tasks = workspace.tasks.order_by("-pk").values_list("attributes", flat=True)[:MOST_ROWS]
    workers = workspace.workers.order_by("-pk").values_list("attributes", flat=True)[:MOST_ROWS]
    channels = workspace.task_channels.values_list("unique_name", flat=True)
    return sorted(
        {
            *_list_attributes("task", tasks),
            *_list_attributes("worker", workers),
            *(f"worker.{name}" for name in READABLE),
            *(
                f"worker.channel.{channel}.{figure}"
                for channel in channels
                if _NAME.fullmatch(channel)
                for figure in CHANNEL_FIGURES
            ),
            *(f"taskrouter.{name}" for name in TIME_OF_DAY),
        }
    )


def _list_attributes(kind: str, texts: Iterable[str]) -> list[str]:
    found = {path for text in texts for path in _walk(kind, subjects.parse_attributes(text), 1)}
    return sorted(found)[:MOST_NAMES]


def _walk(before: str, value: Any, depth: int) -> Iterator[str]:
    """Yield the paths below a value; objects are no values themselves."""
    if not isinstance(value, dict):
        yield before
    elif depth <= DEEPEST:
        for name, each in value.items():
            if _NAME.fullmatch(name):
                yield from _walk(f"{before}.{name}", each, depth + 1)
