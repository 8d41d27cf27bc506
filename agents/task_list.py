"""The order of an agent's tasks, the search among them, and the compact list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from agents import cards
from agents.selections import Selection, TaskOrder
from routing import models, subjects
from routing.core.clock import microseconds
from routing.task_layouts import Layout

MOST_FULL_CARDS: Final = 5
"""The number of tasks up to which cards are full size unless the agent chooses otherwise."""
_NO_DEADLINE: Final = 2**63


_WORDS: Final = {
    TaskOrder.AGE: gettext_lazy("Oldest first"),
    TaskOrder.DEADLINE: gettext_lazy("By deadline"),
    TaskOrder.CHANNEL: gettext_lazy("By channel"),
}


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
                replace(self.selection, tasks=order).query,
                order == self.selection.tasks,
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
    words = selection.find.casefold().split()
    rows = list(held)
    if words:
        rows = [
            row
            for row in held
            if subjects.contains_words(layout.read_attributes(row.task.attributes), words)
        ]
    rows.sort(key=_KEYS[selection.tasks])
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


_KEYS: Final[Mapping[TaskOrder, Any]] = {
    TaskOrder.AGE: lambda row: row.pk,
    TaskOrder.DEADLINE: lambda row: (_find_deadline_us(row), row.pk),
    TaskOrder.CHANNEL: lambda row: (row.task.task_channel_id, row.pk),
}
