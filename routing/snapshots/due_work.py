"""Load what a round of the router needs: what is due, and who is free for which lanes."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from routing import configurations, models
from routing.core import eligibility, snapshot
from routing.core.clock import microseconds
from routing.core.overdue import WaitingTask
from routing.core.vocabulary import QueueOrder
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import Pending, open_cursor, pipeline
from routing.db.related import attach_related
from routing.db.sql import due_work as due_work_sql
from routing.db.sql import workers as workers_sql
from routing.db.sql.index_hints import fill_slots
from routing.snapshots import free_workers, skill_index
from routing.snapshots import lanes as lane_snapshots
from routing.snapshots import tasks as task_snapshots
from routing.snapshots import workers as worker_snapshots

BATCH = 500
"""Most rows of one kind of overdue work to load for a round."""

_DECIDING_FIELDS: Final = (
    *("sid", "version", "expires_us", "attributes", "priority", "date_created"),
    *("task_channel_id", "former_channel_sid", "former_channel_name", "workflow_id"),
    *("revision_id", "filter_index", "target_index", "step_clock_us", "step_deadline_us"),
    "skip_unasked",
)
"""Fields of a task that `_build_waiting_task` reads."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Which kinds of work are due in a workspace; the others need not be loaded.

    Arguments:
        offers: pending reservations past their deadline.
        tasks: tasks past their lifetime, or past the deadline of their step.
        skips: tasks whose skip_if is not evaluated yet.
        wrap_ups: tasks to complete because the time for wrapping up is over.
        free_workers: waiting tasks of a channel on which a worker has a free slot.
        transfers: transfers to queues that have no worker yet.
    """

    offers: bool
    tasks: bool
    skips: bool
    wrap_ups: bool
    free_workers: bool
    transfers: bool

    @property
    def beside_matching(self) -> bool:
        """Return whether anything is due that matching alone does not do."""
        return self.offers or self.tasks or self.skips or self.wrap_ups or self.transfers


def load_due_work(workspace: models.Workspace, *, now: datetime) -> DueWork:
    """Return which kinds of work are due, with one statement that reads the heads of indexes.

    Nothing is due in a workspace that was deleted after it was loaded.
    """
    for due in send_due_work(workspace.sid, now).result():
        return due
    return DueWork(
        offers=False, tasks=False, skips=False, wrap_ups=False, free_workers=False, transfers=False
    )


def load_workspace_with_due_work(
    sid: str, *, now: datetime
) -> list[tuple[models.Workspace, DueWork]]:
    """Return a workspace and which kinds of work are due in it, with one round trip.

    The list is empty if there is no such workspace.
    """
    with pipeline():
        workspaces, due = _WORKSPACE.send(sid), send_due_work(sid, now)
    return list(zip(workspaces.result(), due.result(), strict=False))


_WORKSPACE: Final = CompiledQuery(lambda sid: models.Workspace.objects.filter(sid=sid))


def send_due_work(sid: str, now: datetime) -> Pending[list[DueWork]]:
    """Send the statement of `load_due_work`, see `pipeline`."""
    cursor = open_cursor()
    cursor.execute(_fill_due_work(due_work_sql.DUE_WORK), [microseconds(now)] * 4 + [sid])

    def read() -> list[DueWork]:
        with cursor:
            return [DueWork(*map(bool, row)) for row in cursor.fetchall()]

    return Pending(read)


def list_due_workspaces(*, now: datetime) -> list[str]:
    """Return the sids of workspaces in which any kind of work is due, with one statement.

    Workspaces whose tasks wait for workers who are away or full are not among them.
    """
    with open_cursor() as cursor:
        cursor.execute(_fill_due_work(due_work_sql.DUE_WORKSPACES), [microseconds(now)] * 4)
        return [sid for (sid,) in cursor.fetchall()]


def _fill_due_work(text: str) -> str:
    slots = (_select_free_slot(multi_task=multi_task) for multi_task in (True, False))
    return fill_slots(
        text,
        workspace="workspace.id",
        now="%s",
        free_slot="CASE WHEN workspace.multi_task_enabled THEN {} ELSE {} END".format(*slots),
    )


def _select_free_slot(*, multi_task: bool) -> str:
    capacity = workers_sql.WITHIN_CAPACITY if multi_task else ""
    return due_work_sql.FREE_SLOT.format(capacity=capacity)


def load_snapshot(workspace: models.Workspace) -> snapshot.Workspace:
    """Return a snapshot of the workers with free slots and the lanes that they might serve."""
    build = functools.partial(
        snapshot.Workspace,
        id=workspace.pk,
        sid=workspace.sid,
        multi_task_enabled=workspace.multi_task_enabled,
        prioritize_queue_order=QueueOrder(workspace.prioritize_queue_order),
    )
    key_paths = lane_snapshots.load_key_paths(workspace)
    if not key_paths:
        return build()
    index = skill_index.load_skill_index(workspace)
    keys = None if index is None else index.find_lane_keys(key_paths)
    if index is not None and keys is not None:
        lanes, matched = lane_snapshots.load_lanes(keys)
        among = free_workers.Among(index.find_workers(matched), of=index.size)
        workers = free_workers.load_free_workers(workspace, key_paths, among=among) if lanes else []
        return build(workers=workers, lanes=lanes) if workers else build()
    workers = free_workers.load_free_workers(workspace, key_paths)
    skill_index.record_free_workers(workspace, len(workers))
    if not workers:
        return build()
    lanes, workers = lane_snapshots.load_lanes_for_workers(key_paths, workers=workers)
    return build(workers=workers, lanes=lanes) if workers else build()


def load_overdue_offers(
    workspace: models.Workspace, *, but: Collection[str] = (), now: datetime
) -> list[str]:
    """Return the sids of pending reservations whose deadline has passed, oldest first.

    Arguments:
        but: sids to leave out.
    """
    rows = models.Reservation.objects.pending().filter(
        workspace=workspace, deadline_us__lte=microseconds(now)
    )
    return _list_sids(rows.order_by("deadline_us"), but)


def load_overdue_wrap_ups(
    workspace: models.Workspace, *, but: Collection[str] = (), now: datetime
) -> list[str]:
    """Return the sids of wrapping reservations to complete, the longest overdue first.

    Arguments:
        but: sids to leave out.
    """
    rows = models.Reservation.objects.wrapping_up().filter(
        workspace=workspace, wrap_up_deadline_us__lte=microseconds(now)
    )
    return _list_sids(rows.order_by("wrap_up_deadline_us"), but)


def _list_sids(rows: QuerySet[models.Reservation], but: Collection[str]) -> list[str]:
    """Return the first sids of rows but some, which are few."""
    sids = rows.values_list("sid", flat=True)[: BATCH + len(but)]
    return [sid for sid in sids if sid not in but][:BATCH]


def load_transfers(
    workspace: models.Workspace, *, but: Collection[str] = ()
) -> list[models.Transfer]:
    """Return the oldest transfers to queues that have no worker yet.

    Arguments:
        but: sids to leave out.
    """
    seeking = models.Transfer.objects.filter(workspace=workspace, seeking=True)
    rows = seeking.select_related("workspace", "task__task_channel").order_by("pk")
    return [row for row in rows[: BATCH + len(but)] if row.sid not in but][:BATCH]


def load_overdue_tasks(
    workspace: models.Workspace,
    *,
    now: datetime,
    limit: int = BATCH,
    but: Collection[str] = (),
    but_steps: Collection[str] = (),
) -> list[WaitingTask]:
    """Return tasks past their lifetime, and pending ones past their step's deadline.

    Arguments:
        limit: the most tasks of each of these kinds.
        but: sids to leave out.
        but_steps: sids to leave out unless the task's lifetime is over.
    """
    us = microseconds(now)
    here = models.Task.objects.filter(workspace=workspace)
    expired = here.expiring().filter(expires_us__lte=us).order_by("expires_us")
    over = expired.values_list("sid", "version", "expires_us")[: limit + len(but)]
    stepped = here.pending().filter(step_deadline_us__lte=us, expires_us__gt=us)
    left_out = {*but, *but_steps}
    steps = _load_waiting_tasks(
        stepped.order_by("step_deadline_us")[: limit + len(left_out)], now, but=left_out
    )
    ended = [
        WaitingTask(sid=sid, version=v, expires_us=end) for sid, v, end in over if sid not in but
    ]
    return ended[:limit] + steps[:limit]


def load_skippable_tasks(
    workspace: models.Workspace, *, but: Collection[str] = (), now: datetime
) -> list[tuple[WaitingTask, int]]:
    """Return pending tasks whose skip_if is not evaluated yet, each with its queue's id.

    Arguments:
        but: sids to leave out.
    """
    rows = models.Task.objects.pending().filter(workspace=workspace, skip_unasked=True)
    ordered = rows.order_by("workspace", "pk").select_related("workflow", "task_channel")
    chosen = [row for row in ordered[: BATCH + len(but)] if row.sid not in but]
    return [(_build_waiting_task(row, now), row.task_queue_id or 0) for row in chosen[:BATCH]]


def _load_waiting_tasks(
    rows: QuerySet[models.Task], now: datetime, *, but: Collection[str]
) -> list[WaitingTask]:
    chosen = [row for row in rows.only(*_DECIDING_FIELDS) if row.sid not in but]
    attach_related(chosen, {"workflow": models.Workflow, "task_channel": models.TaskChannel})
    return [_build_waiting_task(row, now) for row in chosen]


def _build_waiting_task(row: models.Task, now: datetime) -> WaitingTask:
    return WaitingTask(
        sid=row.sid,
        version=row.version,
        view=task_snapshots.build_task_view(row, now=now),
        expires_us=row.expires_us,
        configuration=None
        if row.revision_id is None
        else configurations.load_configuration(row.revision_id),
        step=task_snapshots.build_step(row),
    )


def load_worker_counts(queue_id: int) -> Mapping[str, int]:
    """Return the values of `workers.…` for a queue: its workers by availability and activity."""
    row = models.TaskQueue.objects.get(pk=queue_id)
    workers = worker_snapshots.load_workers(
        models.Worker.objects.filter(workspace_id=row.workspace_id)
    )
    return eligibility.count_workers(
        lane_snapshots.build_queue(row), workers, activity_sids=load_activity_sids(row.workspace_id)
    )


def load_activity_sids(workspace_id: int) -> list[str]:
    """Return the sids of a workspace's activities."""
    rows = models.Activity.objects.filter(workspace_id=workspace_id)
    return list(rows.values_list("sid", flat=True))
