"""What an agent selects in the lists of the desk, as parameters of the page's URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.http import urlencode

LONGEST_SEARCH: Final = 64
_COMPACT: Final = {"1": True, "0": False}


class TaskOrder(StrEnum):
    """An order of the agent's tasks."""

    AGE = "age"
    DEADLINE = "deadline"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What an agent selects of the waiting tasks and of their own, and the orders.

    Arguments:
        queue: a queue's sid; one that the worker does not serve selects all queues.
        channel: a task channel's sid; an unknown one selects all channels.
        search: a text within an attribute of a waiting task; an empty one finds all.
        by_age: oldest first, rather than in the order in which the router serves the tasks.
        tasks: the order of the agent's tasks.
        find: a text within an attribute of one of the agent's tasks; an empty one finds all.
        compact: whether the cards are compact; None until the agent chooses.
    """

    queue: str = ""
    channel: str = ""
    search: str = ""
    by_age: bool = False
    tasks: TaskOrder = TaskOrder.AGE
    find: str = ""
    compact: bool | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of a URL that differ from what is selected without them."""
        given = {
            "queue": self.queue,
            "channel": self.channel,
            "search": self.search,
            "order": "age" if self.by_age else "",
            "tasks": "" if self.tasks == TaskOrder.AGE else self.tasks.value,
            "find": self.find,
            "compact": "" if self.compact is None else str(int(self.compact)),
        }
        return {name: value for name, value in given.items() if value}

    @property
    def query(self) -> str:
        """Return the selection as parameters of a URL."""
        return urlencode(self.parameters)


def parse_selection(query: Mapping[str, str]) -> Selection:
    """Return the selection in the parameters of a URL; unknown values select nothing."""
    tasks = query.get("tasks", "")
    return Selection(
        queue=query.get("queue", ""),
        channel=query.get("channel", ""),
        search=_parse_search(query, "search"),
        by_age=query.get("order") == "age",
        tasks=TaskOrder(tasks) if tasks in list(TaskOrder) else TaskOrder.AGE,
        find=_parse_search(query, "find"),
        compact=_COMPACT.get(query.get("compact", "")),
    )


def _parse_search(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip()[:LONGEST_SEARCH]
