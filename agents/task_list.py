"""The order of an agent's tasks, the search among them, and the compact list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from agents import cards
from routing import models, subjects
from routing.core.clock import microseconds
from routing.task_layouts import Layout

LONGEST_SEARCH: Final = 64
MOST_FULL_CARDS: Final = 5
"""The number of tasks up to which cards are full size unless the agent chooses otherwise."""
_NO_DEADLINE: Final = 2**63


class Order(StrEnum):
    """An order of the agent's tasks."""

    AGE = "age"
    DEADLINE = "deadline"
    CHANNEL = "channel"


_WORDS: Final = {
    Order.AGE: gettext_lazy("Oldest first"),
    Order.DEADLINE: gettext_lazy("By deadline"),
    Order.CHANNEL: gettext_lazy("By channel"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What an agent selects of their tasks; `compact` is None until they choose."""

    order: Order = Order.AGE
    search: str = ""
    compact: bool | None = None

    @property
    def query(self) -> str:
        """Return the selection as parameters of a URL."""
        compact = {None: "", True: "1", False: "0"}[self.compact]
        order = "" if self.order == Order.AGE else self.order.value
        given = {"tasks": order, "find": self.search, "compact": compact}
        return urlencode({name: value for name, value in given.items() if value})


def parse_selection(query: Mapping[str, str]) -> Selection:
    """Return the selection in the parameters of a URL; unknown values select nothing."""
    order = query.get("tasks", "")
    return Selection(
        order=Order(order) if order in list(Order) else Order.AGE,
        search=query.get("find", "").strip()[:LONGEST_SEARCH],
        compact={"1": True, "0": False}.get(query.get("compact", "")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """The agent's tasks as they are shown; `total` counts those that the search leaves out too."""

    rows: Sequence[models.Reservation]
    total: int
    selection: Selection
    compact: bool

    @property
    def orders(self) -> list[tuple[str, Promise, str, bool]]:
        """Return for each order its name, its words, its parameters, and whether it is chosen."""
        return [
            (
                order.value,
                words,
                replace(self.selection, order=order).query,
                order == self.selection.order,
            )
            for order, words in _WORDS.items()
        ]

    @property
    def size_query(self) -> str:
        """Return the parameters that show the cards in the other size."""
        return replace(self.selection, compact=not self.compact).query


def arrange_tasks(
    held: Sequence[models.Reservation], selection: Selection, layout: Layout
) -> TaskList:
    """Return the held reservations, oldest first, in the selected order."""
    words = selection.search.casefold().split()
    rows = list(held)
    if words:
        rows = [
            row
            for row in held
            if subjects.contains_words(layout.read_attributes(row.task.attributes), words)
        ]
    rows.sort(key=_KEYS[selection.order])
    compact = len(held) > MOST_FULL_CARDS if selection.compact is None else selection.compact
    return TaskList(rows=rows, total=len(held), selection=selection, compact=compact)


def _find_deadline_us(row: models.Reservation) -> int:
    """Return the moment at which the first limit of a task is reached."""
    limits = [
        microseconds(clock.since + timedelta(seconds=clock.limit))
        for clock in cards.list_clocks(row)
        if clock.limit is not None
    ]
    if row.wrap_up_deadline_us is not None:
        limits.append(row.wrap_up_deadline_us)
    return min(limits, default=_NO_DEADLINE)


_KEYS: Final[Mapping[Order, Any]] = {
    Order.AGE: lambda row: row.pk,
    Order.DEADLINE: lambda row: (_find_deadline_us(row), row.pk),
    Order.CHANNEL: lambda row: (row.task.task_channel_id, row.pk),
}
