"""An agent's own day: what they handled, missed, rejected and grabbed, and their last tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from django.utils.translation import gettext, gettext_lazy

from agents import cards
from routing import models, task_layouts
from routing.core.vocabulary import ReservationStatus

MOST_TASKS: Final = 100
MOST_COUNTED: Final = 5_000
"""The number of a day's latest reservations that are counted."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """Figures of a day, of one channel or of all; times are in seconds.

    Arguments:
        handled: tasks that the agent completed, or that were completed while they had them.
        grabbed: tasks that the agent took from the waiting list.
        handle_seconds: from acceptance to the end, wrap-up included, over the handled tasks.
        wrapped: handled tasks with a wrap-up.
    """

    handled: int = 0
    missed: int = 0
    rejected: int = 0
    grabbed: int = 0
    handle_seconds: int = 0
    wrapped: int = 0
    wrap_up_seconds: int = 0

    @property
    def average_handle(self) -> int | None:
        """Return the average handling time of a task, if any was handled."""
        return self.handle_seconds // self.handled if self.handled else None

    @property
    def average_wrap_up(self) -> int | None:
        """Return the average wrap-up time of a task, if any was wrapped up."""
        return self.wrap_up_seconds // self.wrapped if self.wrapped else None

    def add(self, row: models.Reservation, *, since: datetime) -> None:
        """Count a reservation that was updated since the beginning of the day."""
        status = row.reservation_status
        self.missed += status == ReservationStatus.TIMEOUT
        self.rejected += status == ReservationStatus.REJECTED
        self.grabbed += is_grabbed(row) and row.date_created >= since
        if status != ReservationStatus.COMPLETED or row.date_accepted is None:
            return
        self.handled += 1
        self.handle_seconds += _count_seconds(row.date_updated - row.date_accepted)
        if row.date_wrapping is not None:
            self.wrapped += 1
            self.wrap_up_seconds += _count_seconds(row.date_updated - row.date_wrapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTask:
    """One of the agent's last tasks; `handle_seconds` is None while it is in hand."""

    card: cards.Card
    accepted: datetime
    outcome: str
    note: str
    grabbed: bool
    handle_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """An agent's figures since the beginning of the day, and the last tasks."""

    since: datetime
    total: Figures
    by_channel: list[tuple[cards.Channel, Figures]]
    tasks: list[PastTask] = field(default_factory=list)


def load_day(worker: models.Worker, *, zone: tzinfo = UTC, now: datetime) -> Day:
    """Return a worker's day, which begins at midnight in a time zone."""
    since = datetime.combine(now.astimezone(zone), time.min, tzinfo=zone)
    rows = worker.reservations.filter(date_updated__gte=since).select_related("task__task_channel")
    total, by_channel = Figures(), dict[int, tuple[cards.Channel, Figures]]()
    for row in rows.order_by("-pk")[:MOST_COUNTED]:
        channel = row.task.task_channel
        _, figures = by_channel.setdefault(channel.pk, (cards.describe_channel(channel), Figures()))
        for each in (total, figures):
            each.add(row, since=since)
    return Day(
        since=since,
        total=total,
        by_channel=[by_channel[pk] for pk in sorted(by_channel)],
        tasks=describe_past_tasks(worker, _list_accepted(worker)[:MOST_TASKS]),
    )


def find_past_task(worker: models.Worker, task_sid: str) -> models.Reservation | None:
    """Return the worker's last reservation of a task that they have accepted."""
    return _list_accepted(worker).filter(task__sid=task_sid).first()


def describe_past_tasks(
    worker: models.Worker, rows: Iterable[models.Reservation]
) -> list[PastTask]:
    """Return the tasks of these reservations of a worker, who has accepted them."""
    rows = list(rows)
    names: Mapping[str, str] = {}
    if any(row.outcome_code for row in rows):
        codes = models.OutcomeCode.objects.filter(workspace=worker.workspace_id)
        names = dict(codes.values_list("unique_name", "friendly_name"))
    layout = task_layouts.load_layout(worker.workspace)
    return [_describe_past_task(row, names, layout) for row in rows]


def _describe_past_task(
    row: models.Reservation, names: Mapping[str, str], layout: task_layouts.Layout
) -> PastTask:
    assert row.date_accepted is not None
    ended = row.reservation_status not in (ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING)
    return PastTask(
        card=cards.build_card(row.task, layout),
        accepted=row.date_accepted,
        outcome=_describe_outcome(row, names),
        note=row.outcome_note or "",
        grabbed=is_grabbed(row),
        handle_seconds=_count_seconds(row.date_updated - row.date_accepted) if ended else None,
    )


def is_grabbed(row: models.Reservation) -> bool:
    """Return whether a worker grabbed the task: it was accepted in the moment of its creation."""
    return row.date_accepted is not None and row.date_accepted == row.date_created


def _list_accepted(worker: models.Worker) -> models.Reservations:
    rows = models.Reservation.objects.filter(worker=worker, date_accepted__isnull=False)
    return rows.select_related("task__task_channel", "task__task_queue", "outgoing").order_by("-pk")


_OUTCOMES: Final = {
    ReservationStatus.ACCEPTED: gettext_lazy("In hand"),
    ReservationStatus.WRAPPING: gettext_lazy("Wrapping up"),
    ReservationStatus.COMPLETED: gettext_lazy("Completed"),
    ReservationStatus.CANCELED: gettext_lazy("Canceled"),
}


def _describe_outcome(row: models.Reservation, names: Mapping[str, str]) -> str:
    if row.outgoing_id is not None and row.reservation_status == ReservationStatus.COMPLETED:
        return gettext("Transferred")
    words = str(_OUTCOMES.get(ReservationStatus(row.reservation_status), row.reservation_status))
    code = row.outcome_code
    if not code:
        return words
    return gettext("%(status)s: %(outcome)s") % {"status": words, "outcome": names.get(code, code)}


def _count_seconds(duration: timedelta) -> int:
    return max(int(duration.total_seconds()), 0)
