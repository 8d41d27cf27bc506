"""The columns of the queues: what each shows, and how rows are sorted by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors.judging import Judged
from supervisors.wording import GRAB_POLICIES

Value = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the queues.

    Arguments:
        name: its name in the parameters `show` and `sort`.
        kind: how a value is shown: `count`, `text`, `since` (a moment in microseconds),
            `duration_ms`, `minutes`, `overdue` (a `Recent`), or `level` (a row).
        read: returns the value of a row; None shows a dash.
        by_channel: whether it has a value for each channel of a queue.
        adds_up: whether the foot has the sum of all rows.
        is_default: whether it is shown if the query chooses no columns.
        on_phones: whether it is shown on a phone, too, if the query chooses no columns.
        status: the status of the tasks that it counts, which the value leads to.
        note: the key of its figure's note.
    """

    name: str
    title: Promise
    kind: str
    read: Callable[[Judged], Value]
    by_channel: bool = True
    adds_up: bool = False
    is_default: bool = False
    on_phones: bool = False
    status: str = ""
    note: str = ""

    def find_limit(self, row: Judged) -> int | None:
        """Return the seconds from which a time of this column is worth a look."""
        match self.name:
            case "longest_wait":
                return row.since_creation
            case "in_queue":
                return row.in_queue
            case _:
                return None

    def sort_key(self, row: Judged) -> Any:
        """Return what rows are sorted by: the largest value, or the longest wait, is last."""
        value = self.read(row)
        if self.kind == "since":
            return -(2**63) if value is None else -value
        if self.kind == "overdue":
            return value.overdue
        if self.kind == "level":
            # The largest comes first where rows fall, so that is the worst level.
            level = value.recent.level.percent
            return -1000.0 if level is None else -level
        if self.kind == "text":
            return str(value).casefold()
        return -1 if value is None else value


def _slots_free(row: Judged) -> int:
    channels = row.waiting_on or tuple(row.staff.channels)
    return sum(row.staff.channel(pk).for_router for pk in channels)


COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column(
            name="waiting",
            note="waiting",
            title=_("Waiting"),
            status="pending",
            kind="count",
            read=lambda row: row.tasks.waiting,
            adds_up=True,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="on_offer",
            note="on-offer",
            title=_("On offer"),
            status="reserved",
            kind="count",
            read=lambda row: row.tasks.offered,
            adds_up=True,
            is_default=True,
        ),
        Column(
            name="longest_wait",
            note="longest-wait",
            title=_("Longest wait"),
            kind="since",
            read=lambda row: row.longest.since_us if row.longest else None,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="in_queue",
            note="longest-in-queue",
            title=_("Longest in queue"),
            kind="since",
            read=lambda row: row.longest.entered_us if row.longest else None,
        ),
        Column(
            name="overdue",
            note="overdue",
            title=_("Overdue"),
            kind="overdue",
            read=lambda row: row.recent,
        ),
        Column(
            name="service_level",
            note="service-level",
            title=_("Service level"),
            kind="level",
            read=lambda row: row,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="answered_30m",
            note="answered",
            title=_("Answered, 30 min"),
            kind="count",
            read=lambda row: row.recent.answered_30m,
            adds_up=True,
        ),
        Column(
            name="abandoned_30m",
            note="abandoned",
            title=_("Abandoned, 30 min"),
            kind="count",
            read=lambda row: row.recent.abandoned_30m,
            adds_up=True,
        ),
        Column(
            name="asa_30m",
            note="asa",
            title=_("Speed of answer, 30 min"),
            kind="duration_ms",
            read=lambda row: row.recent.average_speed_ms,
        ),
        Column(
            name="in_work",
            note="in-work",
            title=_("In work"),
            status="assigned",
            kind="count",
            read=lambda row: row.tasks.in_work,
            adds_up=True,
            is_default=True,
        ),
        Column(
            name="wrapping",
            note="wrapping",
            title=_("Wrapping up"),
            status="wrapping",
            kind="count",
            read=lambda row: row.tasks.wrapping,
            adds_up=True,
        ),
        Column(
            name="serve_it",
            note="serve-it",
            title=_("Serve it"),
            kind="count",
            read=lambda row: row.staff.workers,
            by_channel=False,
        ),
        Column(
            name="available",
            note="available",
            title=_("Available"),
            kind="count",
            read=lambda row: row.staff.available,
            by_channel=False,
            is_default=True,
        ),
        Column(
            name="free_for_it",
            note="free-for-it",
            title=_("Free for it"),
            kind="count",
            read=lambda row: row.free,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="slots_free",
            note="slots-free",
            title=_("Slots free"),
            kind="count",
            read=_slots_free,
        ),
        Column(
            name="entered_today",
            note="entered",
            title=_("Entered today"),
            kind="count",
            read=lambda row: row.recent.entered_today,
            adds_up=True,
        ),
        Column(
            name="time_to_clear",
            note="time-to-clear",
            title=_("Time to clear"),
            kind="minutes",
            read=lambda row: row.minutes_to_clear,
        ),
        Column(
            name="grab_policy",
            note="grabbing",
            title=_("Grabbing"),
            kind="text",
            read=lambda row: GRAB_POLICIES.get(row.queue.grab_policy, row.queue.grab_policy),
            by_channel=False,
        ),
        Column(
            name="order",
            note="order",
            title=_("Order"),
            kind="text",
            read=lambda row: row.queue.order,
            by_channel=False,
        ),
    )
}
"""The columns beside severity and name, by name and in their order."""

ALWAYS: Final = ("severity", "queue")
"""Columns that are always shown; rows can be sorted by them, too."""
