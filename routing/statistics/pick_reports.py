"""Picking by hand: which tasks agents grabbed, and which waiting ones they passed over.

Each grab recorded how many tasks would have been served before it: `grab_ahead` of those that ask
for the same, so that every agent could have taken them, and `grab_older` of its whole queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from django.db.models.fields.json import KT

from routing.core.clock import moment
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import ReservationOrigin
from routing.models import Event
from routing.statistics.booking import MINUTE_US
from routing.statistics.grouping import Scope

MOST_GRABS: Final = 100_000
"""Grabs that one report reads."""

Key = tuple[int, int]
"""The keys of a worker and a queue."""


@dataclass(slots=True)
class Picks:
    """Grabs of a row.

    Arguments:
        in_order: no task that asks for the same waited before it, and no older one in its queue.
        out_of_order: some that ask for the same waited before it; this is certain.
        maybe: only older ones of its queue waited, which may ask for something else.
        passed_over: of each grab out of order, how many were passed over.
    """

    in_order: int = 0
    out_of_order: int = 0
    maybe: int = 0
    passed_over: list[int] = field(default_factory=list)

    @property
    def grabs(self) -> int:
        """Return all grabs."""
        return self.in_order + self.out_of_order + self.maybe

    @property
    def median_passed_over(self) -> float | None:
        """Return the median number of tasks that a grab out of order passed over."""
        return median(self.passed_over) if self.passed_over else None

    def add_grab(self, ahead: int, older: int) -> None:
        """Add a grab before which so many tasks waited."""
        if ahead:
            self.out_of_order += 1
            self.passed_over.append(ahead)
        elif older:
            self.maybe += 1
        else:
            self.in_order += 1

    def add(self, other: Picks) -> None:
        """Add the grabs of another row."""
        self.in_order += other.in_order
        self.out_of_order += other.out_of_order
        self.maybe += other.maybe
        self.passed_over += other.passed_over


def load_picks(scope: Scope) -> tuple[dict[Key, Picks], bool]:
    """Return the grabs by worker and queue, and whether there were more than are read."""
    start, end = (moment(minute * MINUTE_US) for minute in (scope.span.start, scope.span.end))
    rows = Event.objects.filter(
        workspace_sid=scope.workspace.sid,
        event_type=E.RESERVATION_ACCEPTED.value,
        event_date__gte=start,
        event_date__lt=end,
        origin=ReservationOrigin.GRAB.value,
        **{f"{name}__in": list(keys) for name, keys in scope.only.items()},
    )
    values = rows.order_by("-event_date", "-id").values_list(
        "worker_key",
        "task_queue_key",
        KT("event_data__grab_ahead"),
        KT("event_data__grab_older"),
    )
    found: dict[Key, Picks] = {}
    count = 0
    for worker, queue, ahead, older in values[: MOST_GRABS + 1].iterator():
        count += 1
        if count <= MOST_GRABS and ahead is not None:
            one = found.setdefault((worker or 0, queue or 0), Picks())
            one.add_grab(int(ahead), int(older or 0))
    return found, count > MOST_GRABS
