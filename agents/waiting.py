"""Load the waiting tasks of a worker's queues, and whether the worker may grab them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery

from agents import cards
from routing import models
from routing.core import eligibility
from routing.core.clock import microseconds
from routing.core.matching import conditions
from routing.core.vocabulary import GrabPolicy, Refusal
from routing.db.compiled import MOMENT, SEQUENCE, CompiledQuery
from routing.db.pipeline import pipeline
from routing.db.related import refer, referred
from routing.snapshots import lanes, requirements, workers

MOST_ROWS: Final = 50
MOST_COUNTED: Final = 10_000
"""The number of waiting tasks up to which they are counted."""

_PENDING = models.Task.objects.pending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One waiting task, with the reason why it cannot be grabbed, if any."""

    card: cards.Card
    entered: datetime
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedQueues:
    """The queues that a worker serves, by name, and whether their load can change that."""

    queues: Sequence[models.TaskQueue]
    by_load: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePanel:
    """The queue panel: the waiting tasks, oldest first.

    `refresh_at` is when a row becomes grabbable by time alone.
    """

    queues: Sequence[models.TaskQueue]
    chosen: models.TaskQueue | None
    rows: Sequence[Row]
    total: int
    refresh_at: datetime | None

    @property
    def total_words(self) -> str:
        """Return the number of waiting tasks as a text."""
        return f"{MOST_COUNTED:,}+" if self.total > MOST_COUNTED else f"{self.total:,}"

    @property
    def refresh_ms(self) -> int | None:
        """Return `refresh_at` in milliseconds, as scripts count time."""
        return None if self.refresh_at is None else microseconds(self.refresh_at) // 1000


def load_served_queues(worker: models.Worker) -> ServedQueues:
    """Return the queues that a worker serves now."""
    return _select_served(_QUEUES(worker.workspace_id), load_candidate(worker))


_QUEUES: Final = CompiledQuery(
    lambda workspace: models.TaskQueue.objects.filter(workspace_id=workspace).order_by(
        "friendly_name", "pk"
    )
)


def _select_served(
    queues: Iterable[models.TaskQueue], candidate: eligibility.Candidate
) -> ServedQueues:
    loaded = [(row, lanes.build_queue(row)) for row in queues]
    return ServedQueues(
        queues=[
            row for row, queue in loaded if eligibility.membership_refusal(candidate, queue) is None
        ],
        by_load=any(conditions.reads_load(queue.target_workers) for _, queue in loaded),
    )


def load_candidate(worker: models.Worker) -> eligibility.Candidate:
    """Load a worker as the router does."""
    return eligibility.Candidate(workers.load_worker(worker.pk))


def load_queue_panel(worker: models.Worker, *, queue_sid: str = "", now: datetime) -> QueuePanel:
    """Return the waiting tasks of all queues of a worker, or of one of them.

    Arguments:
        queue_sid: any that is not the worker's means all.
    """
    candidate = load_candidate(worker)
    with pipeline():
        all_queues = _QUEUES.send(worker.workspace_id)
        horizons = _HORIZONS.send(worker.workspace_id)
    queues = _select_served(all_queues.result(), candidate).queues
    chosen = next((queue for queue in queues if queue.sid == queue_sid), None)
    shown = queues if chosen is None else [chosen]
    tasks = _load_oldest(shown, dict(horizons.result()), now)
    _attach_relations(tasks, worker.workspace, shown)
    required = requirements.list_requirements(tasks, now=now)
    total = len(tasks)
    if total == MOST_ROWS:
        total = _PENDING.filter(task_queue__in=shown)[: MOST_COUNTED + 1].count()
    return QueuePanel(
        queues=queues,
        chosen=chosen,
        rows=[
            Row(
                card=cards.build_card(task),
                entered=_entered_date(task),
                refusal=eligibility.grab_refusal(candidate, each),
            )
            for task, each in zip(tasks, required, strict=True)
        ],
        total=total,
        refresh_at=_refresh_at(tasks, now),
    )


def _load_oldest(
    queues: Collection[models.TaskQueue], horizons: Mapping[int, datetime | None], now: datetime
) -> list[models.Task]:
    """Return the oldest tasks of some queues.

    Arguments:
        horizons: for each queue, when its fiftieth task was created, if it has one. No younger task
            is among the fifty oldest, so this bound keeps the query from sorting a backlog.
    """
    known = [horizon for queue in queues if (horizon := horizons.get(queue.pk)) is not None]
    # With fewer tasks none may be excluded, whatever clock created them.
    horizon = min(known, default=now + timedelta(days=1))
    return _OLDEST([queue.pk for queue in queues], horizon)


def _attach_relations(
    tasks: Collection[models.Task],
    workspace: models.Workspace,
    queues: Iterable[models.TaskQueue],
) -> None:
    """Set the relations of `requirements.READ_WITH`, loaded once for all tasks."""
    with pipeline():
        asked = {name: query.send(referred(tasks, name)) for name, query in _OF_TASKS.items()}
    for name, rows in asked.items():
        refer(tasks, name, {row.pk: row for row in rows.result()})
    refer(tasks, "task_queue", {queue.pk: queue for queue in queues})
    refer(tasks, "workspace", {workspace.pk: workspace})


def _horizons(workspace: Any) -> QuerySet[models.TaskQueue, tuple[Any, ...]]:
    of_queue = _PENDING.filter(task_queue=OuterRef("pk")).order_by("date_created", "pk")
    fiftieth = of_queue.values("date_created")[MOST_ROWS - 1 : MOST_ROWS]
    queues = models.TaskQueue.objects.filter(workspace_id=workspace)
    return queues.annotate(horizon=Subquery(fiftieth)).values_list("pk", "horizon")


_HORIZONS: Final = CompiledQuery(_horizons)
_OLDEST: Final = CompiledQuery(
    lambda queues=SEQUENCE, horizon=MOMENT: _PENDING.filter(
        task_queue__in=queues, date_created__lte=horizon
    ).order_by("date_created", "pk")[:MOST_ROWS]
)
_OF_TASKS: Final[Mapping[str, CompiledQuery[Any]]] = {
    "workflow": CompiledQuery(lambda pks=SEQUENCE: models.Workflow.objects.filter(pk__in=pks)),
    "task_channel": CompiledQuery(
        lambda pks=SEQUENCE: models.TaskChannel.objects.filter(pk__in=pks)
    ),
    "lane": CompiledQuery(
        lambda pks=SEQUENCE: models.Lane.objects.filter(pk__in=pks).select_related(
            "task_queue", "task_channel"
        )
    ),
}


def _entered_date(task: models.Task) -> datetime:
    return task.task_queue_entered_date or task.date_created


def _refresh_at(tasks: Collection[models.Task], now: datetime) -> datetime | None:
    moments = [
        _entered_date(task) + timedelta(seconds=task.task_queue.grab_after)
        for task in tasks
        if task.task_queue is not None and task.task_queue.grab_policy == GrabPolicy.WAITED
    ]
    return min((moment for moment in moments if moment > now), default=None)
