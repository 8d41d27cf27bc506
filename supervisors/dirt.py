"""What may have changed on a floor since its picture, merged from the marks of couriers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routing.core.event_catalog import EventType
from routing.core.vocabulary import ResourceType

MOST_WORKERS: Final = 500
"""The number of changed workers beyond which everything is read."""
MOST_NAMED: Final = 200
"""The number of sids that a frame names."""

SETUP: Final = frozenset(
    each.value
    for each in EventType
    if each.spec.about
    in (
        ResourceType.WORKSPACE,
        ResourceType.ACTIVITY,
        ResourceType.TASK_CHANNEL,
        ResourceType.TASK_QUEUE,
    )
)
"""Events that change the configuration, after which everything is read."""


@dataclass(slots=True)
class Dirt:
    """Event types, workers and tasks; `whole` if something else may have changed, too.

    `figures` is set where the time alone may have changed something.
    """

    event_types: set[str] = field(default_factory=set)
    workers: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    whole: bool = False
    figures: bool = False

    def add_mark(self, mark: Mapping[str, Any]) -> None:
        """Add the mark of a courier."""
        self.event_types.update(mark["event_types"])
        self.workers.update(mark["workers"] or ())
        self.tasks.update(mark["tasks"] or ())
        self.whole |= mark["workers"] is None or len(self.workers) > MOST_WORKERS
        self.whole |= not SETUP.isdisjoint(mark["event_types"])
        if mark["tasks"] is None or len(self.tasks) > MOST_NAMED:
            # A frame names none where it cannot name all.
            self.tasks.clear()

    def __bool__(self) -> bool:
        """Return whether anything may have changed."""
        return self.whole or self.figures or bool(self.event_types)

    def name_sids(self) -> dict[str, list[str]]:
        """Return the sids for a frame; kinds of which there are too many are left out."""
        named: Iterable[tuple[str, set[str]]] = (("workers", self.workers), ("tasks", self.tasks))
        return {kind: sorted(sids) for kind, sids in named if len(sids) <= MOST_NAMED}
