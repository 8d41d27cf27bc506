"""Read what waits in the queues that a worker serves, and what of it they may grab."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery

from agents import cards
from routing import models
from routing.actions import grabs
from routing.core import atoms, matcher
from routing.core.clock import microseconds
from routing.core.vocabulary import GrabPolicy, Refusal
from routing.seen import lanes, workers

MOST_ROWS: Final = 50
MOST_COUNTED: Final = 10_000
"""Beyond this the number of waiting tasks is not counted any further."""

_PENDING = models.Task.objects.pending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One waiting task, and why it cannot be grabbed, if so."""

    card: cards.Card
    entered: datetime
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The queues that a worker serves, by name, and whether what they carry can change that."""

    queues: Sequence[models.TaskQueue]
    by_load: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The queue panel: what waits, oldest first.

    `refresh_at` is when the clock alone makes a row grabbable that is not yet.
    """

    queues: Sequence[models.TaskQueue]
    chosen: models.TaskQueue | None
    rows: Sequence[Row]
    total: int
    refresh_at: datetime | None

    @property
    def total_words(self) -> str:
        """Return the number of waiting tasks as it is shown."""
        return f"{MOST_COUNTED:,}+" if self.total > MOST_COUNTED else f"{self.total:,}"

    @property
    def refresh_ms(self) -> int | None:
        """Return `refresh_at` as scripts count time."""
        return None if self.refresh_at is None else microseconds(self.refresh_at) // 1000


def served(worker: models.Worker) -> Served:
    """Return the queues that a worker serves now."""
    rows = models.TaskQueue.objects.filter(workspace=worker.workspace_id)
    return _served(rows, hand_of(worker))


def _served(queues: QuerySet[models.TaskQueue], hand: matcher.Hand) -> Served:
    rows = queues.order_by("friendly_name", "pk")
    seen = [(queue, lanes.task_queue(queue)) for queue in rows]
    return Served(
        queues=[queue for queue, as_seen in seen if not matcher.membership_refusal(hand, as_seen)],
        by_load=any(atoms.reads_load(as_seen.target_workers) for _, as_seen in seen),
    )


def hand_of(worker: models.Worker) -> matcher.Hand:
    """Return a worker as the router sees them now."""
    return matcher.Hand(workers.load_worker(worker.pk))


def waiting(worker: models.Worker, *, queue_sid: str = "", now: datetime) -> Waiting:
    """Return what waits in all queues of a worker, or in one of them.

    Arguments:
        queue_sid: any that is not the worker's means all.
    """
    hand = hand_of(worker)
    # With each queue comes the age of its fiftieth task: nothing younger can be among the fifty
    # oldest, so that reading those never sorts a whole backlog.
    of_queue = _PENDING.filter(task_queue=OuterRef("pk")).order_by("date_created", "pk")
    horizon = of_queue.values("date_created")[MOST_ROWS - 1 : MOST_ROWS]
    rows = models.TaskQueue.objects.filter(workspace=worker.workspace_id)
    queues = _served(rows.annotate(horizon=Subquery(horizon)), hand).queues
    chosen = next((queue for queue in queues if queue.sid == queue_sid), None)
    looked_at = queues if chosen is None else [chosen]
    tasks = _oldest(looked_at)
    refusals = grabs.refusals(tasks, hand, now=now)
    total = len(tasks)
    if total == MOST_ROWS:
        total = _PENDING.filter(task_queue__in=looked_at)[: MOST_COUNTED + 1].count()
    return Waiting(
        queues=queues,
        chosen=chosen,
        rows=[
            Row(card=cards.card(task), entered=_entered(task), refusal=refusal)
            for task, refusal in zip(tasks, refusals, strict=True)
        ],
        total=total,
        refresh_at=_refresh_at(tasks, now),
    )


def _oldest(queues: Collection[models.TaskQueue]) -> list[models.Task]:
    rows = _PENDING.filter(task_queue__in=queues)
    horizons = [queue.horizon for queue in queues if queue.horizon is not None]  # type: ignore[attr-defined]
    if horizons:
        rows = rows.filter(date_created__lte=min(horizons))
    rows = rows.select_related(*grabs.READ_WITH).order_by("date_created", "pk")
    return list(rows[:MOST_ROWS])


def _entered(task: models.Task) -> datetime:
    return task.task_queue_entered_date or task.date_created


def _refresh_at(tasks: Collection[models.Task], now: datetime) -> datetime | None:
    moments = [
        _entered(task) + timedelta(seconds=task.task_queue.grab_after)
        for task in tasks
        if task.task_queue is not None and task.task_queue.grab_policy == GrabPolicy.WAITED
    ]
    return min((moment for moment in moments if moment > now), default=None)
